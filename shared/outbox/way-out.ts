import type { AccountRef } from '../mailboxes/connect-inbox.ts';
import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import { clouds } from '../providers/clouds.ts';
import type { DeliveryOutcome } from './delivery.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import type { MailSender, SendingRoute, SendResult } from './send-mail.ts';
import { exchangeLimits, otherLimits, type SendingLimits } from './sending-limits.ts';
import { isOfWayOut } from './smtp-refusal.ts';

/** One way by which email leaves: SMTP as a mailbox, a relay, Microsoft Graph. */
export interface WayOut {
  /** For display: the account's ID and the sender address, or the relay. */
  about: { id: string; name: string };
  /** Whose limits count; undefined: the server sets none that Postroom knows. */
  account: AccountRef | undefined;
  limits: SendingLimits;
  /**
   * Hands over one email. Whatever happens is a value: only `refused` is a verdict of the server, and only
   * `unknown` leaves open whether it has the email.
   * @throws PostroomError of storage or vault only: nothing was handed over
   */
  deliver(mail: OutgoingMail): Promise<DeliveryOutcome>;
}

/** Problems of the world outside, before anything was handed over. The last two are an operator's mistake. */
const notStarted: ReadonlySet<ProblemCode> = new Set([
  'smtp-unreachable',
  'smtp-tls',
  'endpoint-refused',
  'endpoint-private',
  'endpoint-silent',
  'bad-relay',
]);
const isMistake = (code: ProblemCode): boolean =>
  code === 'bad-relay' || code === 'endpoint-refused' || code === 'endpoint-private';

/** The limits of a server for outgoing mail. */
export const limitsOf = (host: string): SendingLimits =>
  Object.values(clouds).some(({ smtpHost }) => smtpHost === host.toLowerCase())
    ? exchangeLimits
    : otherLimits;

/** Email over SMTP, as a mailbox or over a relay. Exchange saves a copy in the Sent folder by itself. */
export function smtpWayOut(
  sender: Pick<MailSender, 'send'>,
  route: SendingRoute,
  limits: SendingLimits = route.kind === 'mailbox' ? limitsOf(route.host) : otherLimits,
): WayOut {
  return {
    about:
      route.kind === 'mailbox'
        ? { id: route.account.accountId, name: route.user }
        : { id: 'relay', name: 'SMTP relay' },
    account: route.kind === 'mailbox' ? route.account : undefined,
    limits,
    async deliver(mail) {
      try {
        return outcomeOf(await sender.send(route, mail));
      } catch (error) {
        if (!(error instanceof PostroomError)) throw error;
        const { code, message } = error;
        const why = { code, reason: message, isVerdict: false };
        if (code === 'smtp-answer-lost') return { kind: 'unknown', why };
        if (notStarted.has(code)) return { kind: 'not-started', why, permanent: isMistake(code) };
        throw error;
      }
    },
  };
}

function outcomeOf(result: SendResult): DeliveryOutcome {
  if (result.kind === 'sent')
    return { kind: 'accepted', answer: result.answer, refused: result.refusedRecipients };
  const { code, reason, asked, permanent, retryAt } = result;
  const why = { code, reason, isVerdict: asked };
  return asked || code === 'bad-envelope'
    ? { kind: 'refused', why, permanent, retryAt, isOfWayOut: isOfWayOut(code) }
    : { kind: 'not-started', why, permanent, retryAt };
}
