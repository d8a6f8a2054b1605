import { GraphRefusal } from '../../../shared/mailboxes/graph-errors.ts';
import { GraphInbox } from '../../../shared/mailboxes/graph-inbox.ts';
import type { GraphMailbox } from '../../../shared/mailboxes/graph-mailbox.ts';
import type { GraphMessage, MessagePage } from '../../../shared/mailboxes/graph-messages.ts';
import { graphRef } from '../../../shared/mailboxes/graph-ref.ts';
import { type Inbox, InboxError } from '../../../shared/mailboxes/inbox.ts';
import type { Seam } from '../../../shared/platform/seam.ts';
import type { FolderMail, MemoryFolder } from './memory-inbox.ts';

const PIECE = 256 * 1024;
/** Small, so that a round of changes has several pages. */
const CHANGES_IN_PAGE = 4;
/** What a mailbox store adds to the size of a message. */
const STORE_BYTES = 2048;

/** A time as Graph knows it, without fractions of a second. */
export const inSeconds = (time: string): string => `${time.slice(0, 19)}.000Z`;

/** The product's Graph inbox over a folder in memory, with the seam points of Graph's requests. */
export async function openMemoryGraph(folder: MemoryFolder, seam: Seam): Promise<Inbox> {
  const total = await seam.call('graph.folders', async () => folder.mails.length);
  return new GraphInbox(memoryMailbox(folder, seam, total), seam);
}

function memoryMailbox(folder: MemoryFolder, seam: Seam, total: number): GraphMailbox {
  const { promise: closed, reject } = Promise.withResolvers<never>();
  closed.catch(() => {});
  let isOpen = true;
  const call = <T>(operation: string, effect: () => T): Promise<T> => {
    const answer = seam.call(`graph.${operation}`, async () => {
      if (!isOpen) throw closedError();
      return effect();
    });
    return Promise.race([answer, closed]);
  };
  // The server renumbers by giving every message another ID.
  const idOf = ({ uid }: FolderMail): string => `AAkAL${folder.uidValidity}_${uid}=`;
  const shown = (mail: FolderMail): GraphMessage => {
    const receivedAt = inSeconds(mail.receivedAt);
    const messageId = /^message-id:\s*(\S+)\s*$/im.exec(Buffer.from(mail.raw).toString('latin1'))?.[1] ?? '';
    const size = mail.raw.byteLength + STORE_BYTES;
    return {
      id: idOf(mail),
      meta: { ref: graphRef(idOf(mail), receivedAt), size, isEstimate: true, receivedAt, messageId },
    };
  };
  const oldestFirst = (): FolderMail[] => folder.mails.toSorted((a, b) => a.uid - b.uid);
  const among = (ids: readonly string[]): FolderMail[] => {
    const wanted = new Set(ids);
    return oldestFirst().filter((mail) => wanted.has(idOf(mail)));
  };
  const take = (ids: readonly string[]): FolderMail[] => {
    const taken = among(ids);
    folder.mails = folder.mails.filter((mail) => !taken.includes(mail));
    for (const mail of taken) mail.settled = true;
    return taken;
  };

  return {
    folder: { id: 'AQMkA=', total },
    messages: ({ from = '', before = '9', isUnread = false, messageId }) =>
      call('search', () =>
        oldestFirst()
          .filter(({ seen }) => !isUnread || !seen)
          .map(shown)
          .filter(
            ({ meta: { receivedAt } }) => receivedAt >= inSeconds(from) && receivedAt < inSeconds(before),
          )
          .filter(({ meta }) => messageId === undefined || meta.messageId === messageId),
      ),
    latest: (count) => call('search', () => oldestFirst().slice(-count).toReversed().map(shown)),
    search: (field, words) =>
      call('search', () =>
        oldestFirst()
          .filter(({ raw }) => {
            const [, value = ''] =
              new RegExp(`^${field}:(.*)$`, 'im').exec(Buffer.from(raw).toString('utf8')) ?? [];
            return value.toLowerCase().includes(words.toLowerCase());
          })
          .map(shown),
      ),
    startOfChanges: (from = '') => linkOf({ validity: folder.uidValidity, uid: 0, from }),
    changes: (path) =>
      call('delta', (): MessagePage => {
        const link = JSON.parse(decodeURIComponent(path.slice(LINK.length))) as Link;
        if (link.validity !== folder.uidValidity)
          throw new GraphRefusal(410, 'SyncStateNotFound', 'The sync state generation is not found.');
        const changes = oldestFirst().filter(({ uid }) => uid > link.uid);
        const page = changes.slice(0, CHANGES_IN_PAGE);
        const reached = linkOf({ ...link, uid: page.at(-1)?.uid ?? link.uid });
        const messages = page.map(shown).filter(({ meta }) => meta.receivedAt >= inSeconds(link.from));
        const date = seam.now();
        return changes.length > page.length
          ? { messages, date, next: reached }
          : { messages, date, later: reached };
      }),
    describe: (ids) => call('facts', () => among(ids).map(shown)),
    async *value(operation, id) {
      const [mail] = await call(operation, () => among([id]));
      if (mail === undefined) throw new GraphRefusal(404, 'ErrorItemNotFound', 'The object was not found.');
      for (let start = 0; start < mail.raw.byteLength; start += PIECE) {
        if (!isOpen) throw closedError();
        yield mail.raw.subarray(start, start + PIECE);
      }
    },
    markSeen: (ids) =>
      call('mark', () => {
        for (const mail of among(ids)) Object.assign(mail, { seen: true, settled: true });
      }),
    move: (ids, to) =>
      call('move', () => {
        folder.moved.set(to, [...(folder.moved.get(to) ?? []), ...take(ids)]);
      }),
    remove: (ids) =>
      call('delete', () => {
        folder.removed.push(...take(ids));
      }),
    junkFolder: () => call('folders', () => 'Junk Email'),
    close() {
      isOpen = false;
      reject(closedError());
    },
  };
}

interface Link {
  validity: string;
  /** The last message that the client knows. */
  uid: number;
  /** Only messages received since then. */
  from: string;
}

const LINK = '/v1.0/changes?';
const linkOf = (link: Link): string => `${LINK}${encodeURIComponent(JSON.stringify(link))}`;

const closedError = (): InboxError =>
  new InboxError('unavailable', 'The connection is closed', { code: 'graph-unavailable' });
