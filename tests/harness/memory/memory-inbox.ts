import {
  type Inbox,
  InboxError,
  type InboxSearch,
  type MessageMeta,
} from '../../../shared/mailboxes/inbox.ts';
import type { Seam } from '../../../shared/platform/seam.ts';

const PIECE = 4 * 1024 * 1024;
const DAY_MS = 86_400_000;

export interface FolderMail {
  uid: number;
  raw: Uint8Array;
  /** ISO. */
  receivedAt: string;
  seen: boolean;
  /** Marked, moved or removed through a session of ours; a person's reading is not. */
  settled: boolean;
}

/** A folder on a mail server, as the server sees it: what happens here happens without a session. */
export class MemoryFolder {
  uidValidity: string;
  mails: FolderMail[] = [];
  /** What was moved away, by folder. */
  readonly moved = new Map<string, FolderMail[]>();
  /** What was removed for good. */
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

  /** Every mail that was ever delivered, wherever it is now. */
  get all(): FolderMail[] {
    return [...this.mails, ...[...this.moved.values()].flat(), ...this.removed];
  }

  /** The server numbers all mail anew, in reverse order, so that a UID of before means another email. */
  renumber(): void {
    this.uidValidity = String(Number(this.uidValidity) + 1);
    this.mails.reverse();
    for (const [index, mail] of this.mails.entries()) mail.uid = index + 1;
  }
}

/** Opens the folder behind the port and the seam points of IMAP; held to the same contract suite as real servers. */
export async function openMemoryInbox(folder: MemoryFolder, seam: Seam): Promise<Inbox> {
  await seam.call('imap.connect', async () => {});
  const opened = await seam.call('imap.select', async () => ({
    uidValidity: folder.uidValidity,
    uidNext: folder.uidNext,
    total: folder.mails.length,
  }));
  const { promise: dropped, reject } = Promise.withResolvers<never>();
  let closed = false;
  const drop = (): void => {
    closed = true;
    reject(new InboxError('unavailable', 'The connection is closed'));
  };
  // Nobody may be waiting when it is dropped.
  dropped.catch(() => {});
  const call = <T>(operation: string, effect: () => T): Promise<T> => {
    const answer = seam.call(`imap.${operation}`, async () => {
      if (closed) throw new InboxError('unavailable', 'The connection is closed');
      return effect();
    });
    return Promise.race([answer, dropped]);
  };
  const among = (uids: readonly number[]): FolderMail[] =>
    folder.mails.filter(({ uid }) => uids.includes(uid)).sort((a, b) => a.uid - b.uid);
  const part = (uid: number, start: number, length: number): Promise<Uint8Array> =>
    call('part', () => {
      const [mail] = among([uid]);
      if (mail === undefined) throw new InboxError('unavailable', 'The mail is gone');
      return mail.raw.subarray(start, start + length);
    });
  const take = (uids: readonly number[]): FolderMail[] => {
    const taken = among(uids);
    folder.mails = folder.mails.filter((mail) => !taken.includes(mail));
    for (const mail of taken) mail.settled = true;
    return taken;
  };

  return {
    ...opened,
    search: (search) => call('search', () => found(folder.mails, search)),
    receivedBefore: (day) =>
      call('search', () =>
        folder.mails
          .filter(({ receivedAt }) => Date.parse(receivedAt) < startOfDay(day))
          .map(({ uid }) => uid)
          .sort((a, b) => a - b),
      ),
    facts: (uids) => call('facts', () => among(uids).map(factsOf)),
    sources: (uids, each) =>
      call('sources', () => {
        // The answer is as the folder was at the question, whatever happens while it is read.
        const answer = among(uids).map(({ uid, raw }) => ({ uid, raw }));
        for (const { uid, raw } of answer) each(uid, raw);
      }),
    async *pieces(uid, size) {
      for (let start = 0; ; ) {
        const piece = await part(uid, start, PIECE);
        start += piece.byteLength;
        if (piece.byteLength > 0) yield piece;
        if (piece.byteLength === 0 || (piece.byteLength < PIECE && start >= size)) return;
      }
    },
    beginning: (uid, bytes) => part(uid, 0, bytes),
    currentUidValidity: () => call('status', () => folder.uidValidity),
    markSeen: (uids) =>
      call('store', () => {
        for (const mail of among(uids)) Object.assign(mail, { seen: true, settled: true });
      }),
    move: (uids, to) =>
      call('move', () => {
        folder.moved.set(to, [...(folder.moved.get(to) ?? []), ...take(uids)]);
      }),
    remove: (uids) =>
      call('delete', () => {
        folder.removed.push(...take(uids));
      }),
    async close() {
      // A connection that is gone needs no leave.
      if (!closed) await call('logout', () => {}).catch(() => {});
      drop();
    },
    drop,
  };
}

const factsOf = ({ uid, raw, receivedAt }: FolderMail): MessageMeta => ({
  uid,
  size: raw.byteLength,
  receivedAt,
  messageId: /^message-id:\s*(\S+)\s*$/im.exec(Buffer.from(raw).toString('latin1'))?.[1] ?? '',
});

// SINCE and BEFORE know days, not times (RFC 3501 section 6.4.4).
const startOfDay = (at: string): number => Math.floor(Date.parse(at) / DAY_MS) * DAY_MS;

function found(mails: readonly FolderMail[], search: InboxSearch): number[] {
  const { unread, from, since, also = [] } = search;
  const day = since === undefined ? undefined : startOfDay(since);
  const isWanted = ({ seen, receivedAt }: FolderMail): boolean =>
    !seen && unread !== false && (unread === undefined || Date.parse(receivedAt) >= startOfDay(unread.since));
  return mails
    .filter(
      (mail) =>
        isWanted(mail) ||
        (from !== undefined && mail.uid >= from) ||
        (day !== undefined && Date.parse(mail.receivedAt) >= day) ||
        also.includes(mail.uid),
    )
    .map(({ uid }) => uid)
    .sort((a, b) => a - b);
}
