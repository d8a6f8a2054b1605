import { explainProblem } from '../explanations/explain.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { isRelayMistake } from '../outbox/relay.ts';
import type { SendingRefusal } from '../outbox/sending-refusal.ts';
import { paths } from '../paths/paths.ts';
import type { Finding } from './alert.ts';

const isSilent = (code: string): boolean =>
  ['smtp-unreachable', 'smtp-tls', 'graph-unavailable'].includes(code);

/** Why a mailbox cannot send, after its address. */
function sendingFault(code: string): string {
  if (code === 'no-relay') return 'there is no SMTP relay';
  if (code === 'bad-relay') return 'the URL of the SMTP relay is not valid';
  if (code === 'relay-refused') return 'the SMTP relay refuses the sign-in';
  return `the mail server ${isSilent(code) ? 'does not respond' : 'refuses it'}`;
}

/**
 * A server that refuses a mailbox's email until someone changes something, or does not respond. Pure.
 * @param now in milliseconds
 * @param severity `warning` when the check sent no email, so nothing is waiting
 */
export function smtpRefused(
  mailbox: Mailbox,
  { code, reason }: SendingRefusal,
  now: number,
  severity: Finding['severity'] = 'error',
): Finding {
  const explanation = explainProblem(
    isSilent(code) || isRelayMistake(code) ? { code } : { code, said: reason },
  );
  const known = explanation.code !== 'not-recognised';
  return {
    kind: 'smtp-refused',
    subject: { kind: 'mailbox', id: mailbox.id, name: mailbox.address },
    severity,
    headline: `Cannot send as ${mailbox.address}: ${sendingFault(code)}.`,
    cause: known ? explanation.cause : `Server message: ${reason}`,
    code: known ? explanation.code : code,
    since: new Date(now).toISOString(),
    affected: `Receiving is not affected. ${severity === 'warning' ? 'No email is waiting to be sent.' : 'Outgoing email is waiting.'}`,
    who: known ? explanation.who : 'you',
    fix: {
      label: `Test the connection of ${mailbox.address}`,
      href: paths.connectionTest(mailbox),
    },
  };
}
