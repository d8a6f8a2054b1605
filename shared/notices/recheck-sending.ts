import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import { type MailSender, routeOf } from '../outbox/send-mail.ts';
import type { Seam } from '../platform/seam.ts';
import { smtpRefused } from './desk-conditions.ts';
import type { Notices } from './keep-notices.ts';
import type { Condition } from './notice.ts';

const MINUTE = 60_000;
const EVERY_MINUTES = 10;

/**
 * Every tenth minute: asks the servers again that refused to take mail, by signing in and sending nothing, so that such
 * a notice closes without a mail to try it on. What only a mail would show, such as a sender that is not allowed, waits
 * for the next mail. Other minutes it does nothing.
 */
export async function recheckSending(deps: {
  seam: Seam;
  notices: Pick<Notices, 'open' | 'observe'>;
  mailboxes: Pick<MailboxStore, 'get'>;
  sender: Pick<MailSender, 'signIn'>;
}): Promise<void> {
  const now = deps.seam.now();
  if (Math.floor(now / MINUTE) % EVERY_MINUTES !== 0) return;
  const refused = (await deps.notices.open()).flatMap(({ held }) => held.sending ?? []);
  for (const { subject, code } of refused) {
    const mailbox = await deps.mailboxes.get(subject.id);
    const route = mailbox === undefined ? undefined : routeOf(mailbox);
    let conditions: Condition[] = [];
    if (mailbox !== undefined && route !== undefined) {
      if (code?.startsWith('smtp-send-as') === true) continue;
      const answer = await deps.sender.signIn(route);
      if (answer.kind === 'refused' && !answer.asked) continue;
      if (answer.kind === 'refused') conditions = [smtpRefused(mailbox, answer, now)];
    }
    await deps.notices.observe({ source: 'sending', conditions, about: [subject.id] });
  }
}
