import { explainText } from '../explanations/explain.ts';
import { actionOf } from '../mailboxes/cursor.ts';
import { remedyOfRefusal } from '../mailboxes/remedy.ts';
import type { Finding } from './alert.ts';
import type { HealthFacts } from './health-facts.ts';

/** Mailboxes whose server refuses to mark, move or delete imported email. Pure. */
export function refusalFindings({ mailboxes, state }: Pick<HealthFacts, 'mailboxes' | 'state'>): Finding[] {
  return mailboxes.flatMap((mailbox): Finding[] => {
    const refusal = state.cursors.get(mailbox.id)?.refusal;
    // A changed setting is first applied by the next fetch that finds email.
    if (!mailbox.enabled || refusal === undefined || refusal.action !== actionOf(mailbox)) return [];
    const { address, id, afterFetch } = mailbox;
    const done = {
      'mark-seen': 'marked as read',
      move: `moved to “${afterFetch.kind === 'move' ? afterFetch.folder : ''}”`,
      'delete-later': 'marked as read',
      leave: 'left as it is',
      delete: 'deleted',
    }[afterFetch.kind];
    const explained = explainText({ text: refusal.problem });
    const isKnown = explained.code !== 'not-recognised';
    const code = isKnown ? explained.code : 'imap-refused';
    return [
      {
        kind: 'marking-refused',
        subject: { kind: 'mailbox', id, name: address },
        severity: 'warning',
        headline: `Imported email of ${address} cannot be ${done}.`,
        cause: isKnown ? `${explained.cause} ${refusal.problem}` : refusal.problem,
        code,
        since: refusal.since,
        affected: 'New email still becomes tickets. Imported email stays unread in the mailbox.',
        who: isKnown ? explained.who : 'you',
        fix: remedyOfRefusal({ id, address }, code),
      },
    ];
  });
}
