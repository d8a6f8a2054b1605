import { createHash } from 'node:crypto';
import { type Mailbox, sendingLoginOf } from '../mailboxes/mailbox.ts';
import type { OutgoingMail } from '../outbox/outgoing-mail.ts';
import { type MailSender, routeOf, type SendingRoute } from '../outbox/send-mail.ts';
import type { SendingRefusal } from '../outbox/sending-refusal.ts';
import type { Config } from '../platform/config.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Finding } from './alert.ts';
import type { Tell } from './alert-service.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { Notification } from './notification.ts';
import { notificationText, titleOf } from './notification-text.ts';

/** An attempt to send an alert through a mailbox; without `refusal`, the server accepted it. */
export interface SendingSeen {
  mailbox: Mailbox;
  refusal: SendingRefusal | undefined;
}

export interface EmailDeps {
  config: Pick<Config, 'publicUrl' | 'alerts'>;
  /** Whether there is a relay. Its URL is a secret, which the sender reads itself. */
  channelSecrets: ChannelSecrets;
  sender: Pick<MailSender, 'send'>;
  mailboxes: () => Promise<readonly Mailbox[]>;
  /** Called with the results, so that a server that refuses email becomes an alert itself. */
  seen: (sendings: readonly SendingSeen[]) => Promise<void>;
}

/** At most this many servers are tried for one notification. */
const MAX_ASKED = 5;
/** At most this many mailboxes are tried; for an account without a token, no server is contacted. */
const MAX_TRIED = 30;

/**
 * Sends notifications by email: through the SMTP relay if there is one, since it depends on nothing else of the
 * installation; otherwise through mailboxes that can send, one after the other, those affected by the alert last.
 * @throws PostroomError, from the returned function: `alert-not-mailed` when no route worked.
 */
export function emailChannel(deps: EmailDeps): Tell {
  const { config, sender } = deps;
  const to = config.alerts.emails;

  async function overRelay(notification: Notification): Promise<string | undefined> {
    const [first = ''] = to;
    return problemOf(() => sender.send({ kind: 'relay' }, mailOf(notification, first, to, config.publicUrl)));
  }

  /** Whether the last attempt of this process to send as a mailbox succeeded. */
  const worked = new Map<string, boolean>();

  /** Tries one mailbox. */
  async function overMailbox(notification: Notification, { mailbox, route }: Way): Promise<CheckedAccess> {
    const mail = mailOf(notification, mailbox.address, to, config.publicUrl);
    let refusal: SendingRefusal | undefined;
    const problem = await problemOf(async () => {
      const result = await sender.send(route, mail);
      if (result.kind === 'refused') refusal = result;
      return result;
    });
    worked.set(mailbox.id, problem === undefined);
    return { problem, refusal };
  }

  async function overMailboxes(notification: Notification, ways: readonly Way[]): Promise<string[]> {
    const problems: string[] = [];
    const sendings: SendingSeen[] = [];
    let asked = 0;
    for (const way of ways.slice(0, MAX_TRIED)) {
      if (asked >= MAX_ASKED) break;
      const { problem, refusal } = await overMailbox(notification, way);
      if (refusal?.asked !== false) asked += 1;
      if (problem === undefined || refusal !== undefined) sendings.push({ mailbox: way.mailbox, refusal });
      if (problem === undefined) {
        await note(sendings);
        return [];
      }
      problems.push(problem);
    }
    await note(sendings);
    return problems.length === 0 ? ['no mailbox can send'] : problems;
  }

  /** A sent email counts as delivered even if recording the result fails: otherwise it would be sent again. */
  async function note(sendings: readonly SendingSeen[]): Promise<void> {
    try {
      await deps.seen(sendings);
    } catch (error) {
      log.warn('how mail was sent is not noted', { error: describeError(error) });
    }
  }

  /** Some refusals can only be disproved by a real email. Then the reminder itself is sent as that email. */
  async function isProven(notification: Notification): Promise<boolean> {
    const { what, finding } = notification;
    if (what !== 'repeated' || !isShownByMailAlone(finding)) return false;
    const mailbox = (await deps.mailboxes()).find(({ id }) => id === finding.subject.id);
    const route = mailbox && routeOf(mailbox);
    if (mailbox === undefined || route === undefined) return false;
    return (await overMailboxes(notification, [{ mailbox, route }])).length === 0;
  }

  return async (notification) => {
    if (await isProven(notification)) return;
    const { relay } = await deps.channelSecrets.read();
    const relayProblem = relay.kind === 'ready' ? await overRelay(notification) : withoutRelay[relay.kind];
    if (relayProblem === undefined) return;
    const ways = routesFor(await deps.mailboxes(), { about: notification.finding, worked });
    const problems = await overMailboxes(notification, ways);
    if (problems.length > 0)
      throw new PostroomError('alert-not-mailed', [relayProblem, ...problems].join('; '));
  };
}

const withoutRelay = {
  absent: 'there is no relay',
  unusable: 'the secret smtp-relay-url cannot be used',
} as const;

/** Why an email was not sent; undefined when it was, or may have been: it is not sent again by another route. */
async function problemOf(send: () => ReturnType<MailSender['send']>): Promise<string | undefined> {
  try {
    const result = await send();
    return result.kind === 'sent' ? undefined : `${result.code}`;
  } catch (error) {
    if (error instanceof PostroomError && /^(?:smtp|graph)-answer-lost$/.test(error.code)) return undefined;
    return describeError(error);
  }
}

/** True for a refusal that only sending shows: a sender that is not allowed, and all of Microsoft Graph. Pure. */
export const isShownByMailAlone = ({ kind, code }: Pick<Finding, 'kind' | 'code'>): boolean =>
  kind === 'smtp-refused' && /^(?:smtp-send-as|graph-)/.test(code ?? '');

/** A mailbox that can send. */
interface Way {
  mailbox: Mailbox;
  route: SendingRoute;
}
type MailboxWay = Way & { route: { kind: 'mailbox' } };

interface CheckedAccess {
  problem: string | undefined;
  refusal: SendingRefusal | undefined;
}

/**
 * Mailboxes that can send, best first: those whose last attempt succeeded (`worked`, by id), untried ones, those whose last
 * attempt failed. Mailboxes that send over the relay are left out: the relay was tried before. Mailboxes that the
 * alert is about come last: an alert must not depend on its own subject. Pure.
 */
export function routesFor(
  mailboxes: readonly Mailbox[],
  options: { about?: Finding; worked?: ReadonlyMap<string, boolean> } = {},
): MailboxWay[] {
  const { about, worked } = options;
  const isConcerned = (mailbox: Mailbox): boolean => {
    const sending = sendingLoginOf(mailbox);
    const blamed = [mailbox.id, sending?.accountId, sending?.providerId, sending?.host];
    return about !== undefined && blamed.includes(about.subject.id);
  };
  const place = (mailbox: Mailbox): number => {
    const last = worked?.get(mailbox.id);
    return (isConcerned(mailbox) ? 3 : 0) + (last === undefined ? 1 : last ? 0 : 2);
  };
  return mailboxes
    .flatMap((mailbox) => {
      const route = routeOf(mailbox);
      return route?.kind === 'mailbox' ? [{ mailbox, route }] : [];
    })
    .sort(
      (a, b) => place(a.mailbox) - place(b.mailbox) || a.mailbox.address.localeCompare(b.mailbox.address),
    );
}

/** The same event always makes the same Message-ID, and all events of an alert are one conversation. */
function mailOf(
  notification: Notification,
  from: string,
  to: readonly string[],
  publicUrl: string,
): OutgoingMail {
  const host = new URL(publicUrl).hostname;
  const idOf = (text: string): string =>
    `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${host}>`;
  return {
    from: { address: from, name: 'Postroom' },
    to,
    subject: `[Postroom] ${titleOf(notification)}`,
    text: notificationText(notification, publicUrl),
    messageId: idOf(notification.id),
    headers: {
      // Suppresses automatic replies (RFC 3834 section 5; the second header is Exchange's).
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      // By this, the intake of a mailbox that gets it knows that Postroom sent it itself.
      'X-Postroom': 'alert',
      References: idOf(notification.id.slice(0, notification.id.lastIndexOf('-'))),
    },
  };
}
