import { PostroomError } from '../platform/errors.ts';
import type { Row, Tables } from '../platform/tables.ts';

// MailboxState: `state` / `loop|<mailboxId>`   automatic mail beyond the limits that came last; beside the rest of the
//                                              state, so that a look at the installation reads it with no request of its own
const STATE = 'state';

/** Automatic mail that was folded away, because more of it came than people send. */
export interface MailLoop {
  mailboxId: string;
  /** Address of who sent the last of it. */
  sender: string;
  /** ISO time the mail server received the last of it. */
  at: string;
  /** The conversation it is in. */
  ticketId: string;
  /** Of that hour, so far. */
  count: number;
}

/** One write for a batch in which mail was folded. @throws PostroomError where storage is away */
export async function recordMailLoop(
  tables: Tables,
  { mailboxId, sender, at, ticketId, count }: MailLoop,
): Promise<void> {
  const row = {
    partitionKey: STATE,
    rowKey: `loop|${mailboxId}`,
    sender: sender.slice(0, 320),
    at,
    ticketId,
    count,
  };
  await tables.open('MailboxState').commit(STATE, [{ kind: 'put', row }]);
}

/** The same read back. @throws PostroomError `bad-row` for what Postroom did not write */
export function mailLoopOf(row: Row): MailLoop {
  const { sender, at, ticketId, count } = row;
  if (
    typeof sender !== 'string' ||
    typeof at !== 'string' ||
    Number.isNaN(Date.parse(at)) ||
    typeof ticketId !== 'string' ||
    typeof count !== 'number'
  )
    throw new PostroomError('bad-row', `MailboxState/${row.rowKey} does not hold a mail loop`);
  return { mailboxId: row.rowKey.slice('loop|'.length), sender, at, ticketId, count };
}
