import { PostroomError } from '../platform/errors.ts';
import type { Row } from '../platform/tables.ts';
import type { Mailbox } from './mailbox.ts';

/** How far a folder was read. UIDs mean something only under their UIDVALIDITY (RFC 3501 section 2.3.1.1). */
export interface Cursor {
  uidValidity: string;
  /** Which folder was read (see `folderKeyOf`); absent in rows of earlier versions. */
  folderKey?: string | undefined;
  /** Every mail up to this UID is settled. */
  uid: number;
  /** The highest message the server told of: another one at its UID shows that UIDs were given again. */
  last?: LeftMessage | undefined;
  /** Settled but left unread on the server, because they could not be taken. */
  left: readonly LeftMessage[];
  /** UIDs that could not be settled yet: looked at again even when somebody reads them meanwhile. */
  waiting: readonly number[];
  lastMailAt: string | undefined;
  /** Mails that the last fetch saw and left for the next one; absent in rows of earlier versions. */
  backlog?: number | undefined;
  /** What the server lists and could not be taken so far; asked for again by each fetch. */
  unfetched?: readonly UnfetchedMessage[] | undefined;
  /** Absent: what was stored could be marked, moved or deleted. */
  refusal?: Refusal | undefined;
}

/** A message at a UID: another one at the same UID has another fingerprint. */
export interface LeftMessage {
  uid: number;
  fingerprint: string;
}

export interface UnfetchedMessage extends LeftMessage {
  /** Fetches that asked for it alone, or got an answer without it. */
  attempts: number;
  /** ISO time at which it was first missed. */
  since: string;
  /** What failed: the server did not hand it out, or storage did not take it. */
  failed: 'download' | 'storage';
}

/** The server does not let stored mail be marked, moved or deleted. Fetching goes on. */
export interface Refusal {
  /** What was refused, with its folder: changed settings are tried at once. */
  action: string;
  /** A sentence for a person, with the server's words. */
  problem: string;
  since: string;
  triedAt: string;
  /** Digest of the UIDs that the last search listed: another list may hold mail that was never fetched. */
  listed?: string | undefined;
}

/** What a refusal is about: another setting is tried at once. */
export const actionOf = ({ afterFetch }: Pick<Mailbox, 'afterFetch'>): string =>
  afterFetch.kind === 'move' ? `move ${afterFetch.folder}` : afterFetch.kind;

const text = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value : '';
};

const leftText = ({ uid, fingerprint }: LeftMessage): string => `${uid}:${fingerprint}`;

function leftOf(text: string): LeftMessage {
  const [uid = '', fingerprint = ''] = text.split(':');
  return { uid: Number(uid), fingerprint };
}

/** A cursor as it rests in its row. */
export function cursorColumns(cursor: Cursor): Record<string, string | number> {
  const { uidValidity, folderKey, uid, last, left, waiting, lastMailAt, backlog, unfetched, refusal } =
    cursor;
  return {
    uidValidity,
    folderKey: folderKey ?? '',
    uid: String(uid),
    last: last === undefined ? '' : leftText(last),
    left: left.map(leftText).join(','),
    waiting: waiting.join(','),
    lastMailAt: lastMailAt ?? '',
    backlog: backlog ?? 0,
    unfetched: JSON.stringify(
      (unfetched ?? []).map((each) => [each.uid, each.fingerprint, each.attempts, each.since, each.failed]),
    ),
    refusal: refusal === undefined ? '' : JSON.stringify(refusal),
  };
}

/** The same read back. @throws PostroomError `bad-row` when the row does not hold numbers where UIDs stand */
export function cursorOf(row: Row): Cursor {
  const list = (column: string): string[] => text(row, column).split(',').filter(Boolean);
  const refusal = text(row, 'refusal');
  const unfetched = JSON.parse(text(row, 'unfetched') || '[]') as [
    uid: number,
    fingerprint: string,
    attempts: number,
    since: string,
    failed: UnfetchedMessage['failed'],
  ][];
  const left = list('left').map(leftOf);
  const [last] = list('last').map(leftOf);
  const waiting = list('waiting').map(Number);
  const uids = [Number(text(row, 'uid') || 'none'), ...waiting, ...left.map(({ uid }) => uid)];
  if (!uids.every(Number.isSafeInteger))
    throw new PostroomError('bad-row', `MailboxState/${row.rowKey} does not hold a cursor`);
  return {
    uidValidity: text(row, 'uidValidity'),
    folderKey: text(row, 'folderKey') || undefined,
    uid: Number(text(row, 'uid')),
    last,
    left,
    waiting,
    lastMailAt: text(row, 'lastMailAt') || undefined,
    backlog: typeof row['backlog'] === 'number' ? row['backlog'] : undefined,
    unfetched: unfetched.map(([uid, fingerprint, attempts, since, failed]) => ({
      uid,
      fingerprint,
      attempts,
      since,
      failed,
    })),
    refusal: refusal === '' ? undefined : (JSON.parse(refusal) as Refusal),
  };
}
