import { explainProblem } from '../explanations/explain.ts';
import { paths } from '../paths/paths.ts';
import type { Finding } from './alert.ts';
import type { HealthFacts } from './health-facts.ts';

/** Graph is often unavailable for some minutes: about half an hour of failed attempts. */
const FAILED_OFTEN = 6;

/** Mailboxes whose new email should be announced by the mail server, and is not. Pure. */
export function pushFindings({
  mailboxes,
  pushes = [],
}: Pick<HealthFacts, 'mailboxes' | 'pushes'>): Finding[] {
  return pushes.flatMap(({ mailboxId, code, since, reason = '', failures }): Finding[] => {
    const mailbox = mailboxes.find(({ id }) => id === mailboxId);
    if (mailbox === undefined || !mailbox.enabled || code === undefined) return [];
    if (code === 'push-unconfirmed' && failures < FAILED_OFTEN) return [];
    const { id, address } = mailbox;
    return [
      {
        kind: 'push-failing',
        subject: { kind: 'mailbox', id, name: address },
        severity: 'warning',
        headline: `New email of ${address} is not announced to Postroom.`,
        cause: reason,
        code,
        since,
        affected:
          'No mail is lost or late by more than a minute: Postroom looks at the mailbox every minute.',
        who: explainProblem({ code }).who,
        fix: { label: `Open ${address}`, href: paths.editMailbox({ id }) },
      },
    ];
  });
}
