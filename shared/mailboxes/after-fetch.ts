import type { Mailbox } from './mailbox.ts';
import type { FetchProtocol } from './open-inbox.ts';

export type AfterFetchKind = Mailbox['afterFetch']['kind'];

/**
 * What can happen to stored email, by protocol. POP3 has neither folders nor unread messages, so that email can
 * only stay or be deleted.
 */
export const afterFetchKinds: Readonly<Record<FetchProtocol, readonly AfterFetchKind[]>> = {
  imap: ['mark-seen', 'move', 'delete', 'delete-later', 'leave'],
  graph: ['mark-seen', 'move', 'delete', 'delete-later', 'leave'],
  pop3: ['delete', 'delete-later', 'leave'],
};

/** Why a mailbox can't do this with stored email, in a sentence for its form; undefined: it can. Pure. */
export function afterFetchProblem({
  protocol,
  afterFetch,
}: Pick<Mailbox, 'protocol' | 'afterFetch'>): string | undefined {
  if (afterFetchKinds[protocol].includes(afterFetch.kind)) return undefined;
  return afterFetch.kind === 'move'
    ? 'Email cannot be moved over POP3, which knows one folder only. Choose to leave or to delete it.'
    : 'Email cannot be marked as read over POP3, which does not know what was read. Choose to leave or to delete it.';
}
