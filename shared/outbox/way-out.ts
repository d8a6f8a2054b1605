import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import { clouds } from '../providers/clouds.ts';
import type { DeliveryOutcome } from './delivery.ts';
import { isOfGraphSender } from './graph-refusal.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import { isRelayMistake } from './relay.ts';
import type { MailSender, SendingRoute, SendResult } from './send-mail.ts';
import { exchangeLimits, otherLimits, type SendingLimits } from './sending-limits.ts';
import type { Sender } from './sending-usage.ts';
import { isOfWayOut } from './smtp-refusal.ts';

/** One way by which email leaves: SMTP as a mailbox, a relay, Microsoft Graph. */
export interface WayOut {
  /** For display: the account's ID and the sender address, or the relay. */
  about: { id: string; name: string };
  /** Whose limits count. */
  sender: Sender;
  limits: SendingLimits;
  /**
   * False: no server puts a copy of what is sent into the Sent folder of the mailbox (docs/decisions/0030).
   */
  keepsCopies: boolean;
  /**
   * Hands over one email. Whatever happens is a value: only `refused` is a verdict of the server, and only
   * `unknown` leaves open whether it has the email.
   * @throws PostroomError of storage or vault only: nothing was handed over
   */
  deliver(mail: OutgoingMail): Promise<DeliveryOutcome>;
}

/** Problems of the world outside, before anything was handed over. */
const notStarted: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'smtp-unreachable',
  'graph-unavailable',
  'smtp-tls',
  'endpoint-refused',
  'endpoint-private',
  'endpoint-silent',
  'bad-relay',
  'no-relay',
]);
/** An operator's mistake. */
const isMistake = (code: ProblemCode): boolean =>
  isRelayMistake(code) || code === 'endpoint-refused' || code === 'endpoint-private';

const answerLost: ReadonlySet<ProblemCode> = new Set(['smtp-answer-lost', 'graph-answer-lost']);
/** The email itself can't leave, and no server was asked. */
const ofEmail: ReadonlySet<string> = new Set(['bad-envelope', 'graph-too-large']);

/** The limits of a server for outgoing mail. */
export const limitsOf = (host: string): SendingLimits =>
  Object.values(clouds).some(({ smtpHost, graph }) =>
    [smtpHost, new URL(graph).hostname].includes(host.toLowerCase()),
  )
    ? exchangeLimits
    : otherLimits;

/**
 * Email over SMTP, as a mailbox or over the relay, or over Microsoft Graph. Exchange saves a copy in the Sent folder of
 * the mailbox by itself, over SMTP and Graph alike; the relay knows no mailbox.
 */
export function wayOutOver(
  sender: Pick<MailSender, 'send'>,
  route: SendingRoute,
  limits: SendingLimits = route.kind === 'mailbox' ? limitsOf(route.host) : otherLimits,
): WayOut {
  return {
    about:
      route.kind === 'mailbox'
        ? { id: route.account.accountId, name: route.user }
        : { id: 'relay', name: 'SMTP relay' },
    sender: route.kind === 'mailbox' ? route.account : 'relay',
    limits,
    keepsCopies: route.kind === 'mailbox',
    async deliver(mail) {
      try {
        return outcomeOf(await sender.send(route, mail));
      } catch (error) {
        if (!(error instanceof PostroomError)) throw error;
        const { code, message } = error;
        const why = { code, reason: message, isVerdict: false };
        if (answerLost.has(code)) return { kind: 'unknown', why };
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
  return asked || ofEmail.has(code)
    ? {
        kind: 'refused',
        why,
        permanent,
        retryAt,
        isOfWayOut: [isOfWayOut, isOfGraphSender, isRelayMistake].some((isClosed) => isClosed(code)),
      }
    : { kind: 'not-started', why, permanent, retryAt };
}
