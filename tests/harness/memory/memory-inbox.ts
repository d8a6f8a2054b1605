import { goOnFrom, uidOf, uidRef, uidsAmong } from '../../../shared/mailboxes/imap-position.ts';
import {
  type HeaderSearch,
  type Inbox,
  InboxError,
  type ListRequest,
} from '../../../shared/mailboxes/inbox.ts';
import type { MessageMeta, MessageRef } from '../../../shared/mailboxes/message-ref.ts';
import type { Seam } from '../../../shared/platform/seam.ts';

const PIECE = 4 * 1024 * 1024;
const DAY_MS = 86_400_000;

export interface FolderMail {
  uid: number;
  raw: Uint8Array;
  /** ISO. */
  receivedAt: string;
  seen: boolean;
  /** Marked, moved or removed through one of our sessions, not by a person. */
  settled: boolean;
}

/** A folder on a mail server, as the server sees it: changes here happen without a session. */
export class MemoryFolder {
  uidValidity: string;
  mails: FolderMail[] = [];
  /** Moved messages, by target folder. */
  readonly moved = new Map<string, FolderMail[]>();
  /** Permanently deleted messages. */
  readonly removed: FolderMail[] = [];
  #uidNext = 1;

  constructor(uidValidity = '1700000000') {
    this.uidValidity = uidValidity;
  }

  get uidNext(): number {
    return this.#uidNext;
  }

  deliver(raw: Uint8Array, receivedAt: string): FolderMail {
    const mail = { uid: this.#uidNext, raw, receivedAt, seen: false, settled: false };
    this.#uidNext += 1;
    this.mails.push(mail);
    return mail;
  }

  /** Every email that was ever delivered, wherever it is now. */
  get all(): FolderMail[] {
    return [...this.mails, ...[...this.moved.values()].flat(), ...this.removed];
  }

  /** The server renumbers all email, in reverse order, so that an old UID means another email. */
  renumber(): void {
    this.uidValidity = String(Number(this.uidValidity) + 1);
    this.mails.reverse();
    for (const [index, mail] of this.mails.entries()) mail.uid = index + 1;
  }
}

/** Opens the folder behind the port and the seam points of IMAP; passes the same contract suite as real servers. */
export async function openMemoryInbox(folder: MemoryFolder, seam: Seam): Promise<Inbox> {
  await seam.call('imap.connect', async () => {});
  const { uidNext, unseen, ...opened } = await seam.call('imap.status', async () => ({
    validity: folder.uidValidity,
    uidNext: folder.uidNext,
    total: folder.mails.length,
    unseen: folder.mails.filter(({ seen }) => !seen).length,
  }));
  const { promise: destroyed, reject } = Promise.withResolvers<never>();
  let closed = false;
  const destroy = (): void => {
    closed = true;
    reject(new InboxError('unavailable', 'The connection is closed'));
  };
  // There may be no waiter when it is destroyed.
  destroyed.catch(() => {});
  const callUnselected = <T>(operation: string, effect: () => T): Promise<T> => {
    const answer = seam.call(`imap.${operation}`, async () => {
      if (closed) throw new InboxError('unavailable', 'The connection is closed');
      return effect();
    });
    return Promise.race([answer, destroyed]);
  };
  let isSelected = false;
  const call = async <T>(operation: string, effect: () => T): Promise<T> => {
    if (!isSelected)
      await callUnselected('select', () => {
        if (folder.uidValidity !== opened.validity)
          throw new InboxError('unavailable', 'The folder was renumbered');
        isSelected = true;
      });
    return callUnselected(operation, effect);
  };
  const among = (refs: readonly MessageRef[]): FolderMail[] => {
    const uids = new Set(refs.map(uidOf));
    return folder.mails.filter(({ uid }) => uids.has(uid)).sort((a, b) => a.uid - b.uid);
  };
  const part = (ref: MessageRef, start: number, length: number): Promise<Uint8Array> =>
    call('part', () => {
      const [mail] = among([ref]);
      if (mail === undefined) throw new InboxError('unavailable', 'The mail is gone');
      return mail.raw.subarray(start, start + length);
    });
  const take = (refs: readonly MessageRef[]): FolderMail[] => {
    const taken = among(refs);
    folder.mails = folder.mails.filter((mail) => !taken.includes(mail));
    for (const mail of taken) mail.settled = true;
    return taken;
  };

  return {
    ...opened,
    async list({ position: saved, isVoid = false, also = [], since, unread }) {
      const { position, isKnown, isSetBack } = goOnFrom(saved, { uidNext, isVoid });
      const hasUnread = unread !== false && unseen > 0;
      const isQuiet = isKnown && position.uid >= uidNext - 1 && !hasUnread && also.length === 0;
      if (!isSelected && isQuiet) return { refs: [], position, isSetBack, witness: position.witness };
      return call('search', () => {
        const refs = found(folder.mails, {
          from: isKnown ? position.uid + 1 : undefined,
          since: isKnown ? undefined : since,
          also: uidsAmong(also),
          unread,
        });
        return { refs, position, isSetBack, witness: isKnown ? position.witness : undefined };
      });
    },
    latest: (count) =>
      call('search', () =>
        folder.mails
          .map(({ uid }) => uid)
          .sort((a, b) => a - b)
          .slice(-count)
          .map(uidRef),
      ),
    receivedSince: (day) => call('search', () => refsOf(folder.mails.filter((mail) => isSince(mail, day)))),
    receivedBefore: (day) => call('search', () => refsOf(folder.mails.filter((mail) => !isSince(mail, day)))),
    all: () =>
      call('search', () =>
        folder.mails
          .map(({ uid }) => uid)
          .sort((a, b) => a - b)
          .map(uidRef),
      ),
    find: (search) => call('search', () => fitting(folder.mails, search)),
    junkFolder: () => callUnselected('list', () => 'Junk Email'),
    fetchMeta: (refs) => call('facts', () => among(refs).map(metaOf)),
    fetchRaw: (refs, each) =>
      call('sources', () => {
        // The response reflects the folder at the time of the request, whatever happens while it is read.
        const answer = among(refs).map(({ uid, raw }) => ({ uid, raw }));
        for (const { uid, raw } of answer) each(uidRef(uid), raw);
      }),
    async *streamRaw(ref, size) {
      for (let start = 0; ; ) {
        const piece = await part(ref, start, PIECE);
        start += piece.byteLength;
        if (piece.byteLength > 0) yield piece;
        if (piece.byteLength === 0 || (piece.byteLength < PIECE && start >= size)) return;
      }
    },
    fetchHead: (ref, bytes) => part(ref, 0, bytes),
    currentValidity: () => callUnselected('status', () => folder.uidValidity),
    markSeen: (refs) =>
      call('store', () => {
        for (const mail of among(refs)) Object.assign(mail, { seen: true, settled: true });
      }),
    move: (refs, to) =>
      call('move', () => {
        folder.moved.set(to, [...(folder.moved.get(to) ?? []), ...take(refs)]);
      }),
    remove: (refs) =>
      call('delete', () => {
        folder.removed.push(...take(refs));
      }),
    append: (raw) =>
      callUnselected('append', () => {
        folder.deliver(raw, new Date(seam.now()).toISOString()).seen = true;
      }),
    async close() {
      // A lost connection needs no logout.
      if (!closed) await callUnselected('logout', () => {}).catch(() => {});
      destroy();
    },
    destroy,
  };
}

const metaOf = ({ uid, raw, receivedAt }: FolderMail): MessageMeta => ({
  ref: uidRef(uid),
  size: raw.byteLength,
  receivedAt,
  messageId: /^message-id:\s*(\S+)\s*$/im.exec(Buffer.from(raw).toString('latin1'))?.[1] ?? '',
});

/** SINCE and BEFORE compare dates, not times (RFC 3501 section 6.4.4). */
const isSince = ({ receivedAt }: FolderMail, day: string): boolean =>
  Date.parse(receivedAt) >= Math.floor(Date.parse(day) / DAY_MS) * DAY_MS;

const refsOf = (mails: readonly FolderMail[]): MessageRef[] =>
  mails
    .map(({ uid }) => uid)
    .sort((a, b) => a - b)
    .map(uidRef);

function fitting(mails: readonly FolderMail[], { words, messageId }: HeaderSearch): MessageRef[] {
  const field = (raw: Uint8Array, name: string): string =>
    new RegExp(`^${name}:(.*)$`, 'im').exec(Buffer.from(raw).toString('utf8'))?.[1]?.toLowerCase() ?? '';
  return mails
    .filter(
      ({ raw }) =>
        (messageId !== undefined && field(raw, 'message-id').includes(messageId.toLowerCase())) ||
        (words !== '' && ['from', 'subject'].some((name) => field(raw, name).includes(words.toLowerCase()))),
    )
    .map(({ uid }) => uid)
    .sort((a, b) => a - b)
    .map(uidRef);
}

function found(
  mails: readonly FolderMail[],
  {
    unread,
    from,
    since,
    also,
  }: Pick<ListRequest, 'unread' | 'since'> & { from: number | undefined; also: readonly number[] },
): MessageRef[] {
  // SINCE compares dates without time or time zone.
  const day = since === undefined ? undefined : new Date(Date.parse(since) - DAY_MS).toISOString();
  const isWanted = (mail: FolderMail): boolean =>
    !mail.seen && unread !== false && (unread === undefined || isSince(mail, unread.since));
  return refsOf(
    mails.filter(
      (mail) =>
        isWanted(mail) ||
        (from !== undefined && mail.uid >= from) ||
        (day !== undefined && isSince(mail, day)) ||
        also.includes(mail.uid),
    ),
  );
}
