import { createHash } from 'node:crypto';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { OutgoingMail } from '../outbox/outgoing-mail.ts';
import { type MailSender, routeOf, type SendingRoute } from '../outbox/send-mail.ts';
import type { SmtpRefusal } from '../outbox/smtp-refusal.ts';
import type { Config } from '../platform/config.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import type { Tell } from './keep-notices.ts';
import type { Condition } from './notice.ts';
import type { Telling } from './telling.ts';
import { textOf, titleOf } from './telling-words.ts';

/** A mailbox over which a notice was to leave, and what its server said; without a refusal it took the mail. */
export interface SendingSeen {
  mailbox: Mailbox;
  refusal: SmtpRefusal | undefined;
}

export interface EmailDeps {
  config: Pick<Config, 'publicUrl' | 'notices' | 'smtpRelay'>;
  sender: Pick<MailSender, 'send'>;
  mailboxes: () => Promise<readonly Mailbox[]>;
  /** Hears how sending went, so that a server that refuses mail becomes a notice itself. */
  seen: (sendings: readonly SendingSeen[]) => Promise<void>;
}

const MOST_TRIED = 5;

/**
 * Mails tellings: over the relay of the settings where there is one, which depends on nothing of the desk, else over
 * mailboxes that may send, one after the other until one works, those last that the notice itself is about.
 * @throws PostroomError, from the function it gives: `notice-not-mailed` when no way worked.
 */
export function emailTeller(deps: EmailDeps): Tell {
  const { config, sender } = deps;
  const to = config.notices.emails;

  async function overRelay(
    telling: Telling,
    url: NonNullable<Config['smtpRelay']>,
  ): Promise<string | undefined> {
    const [first = ''] = to;
    return problemOf(() => sender.send({ kind: 'relay', url }, mailOf(telling, first, to, config.publicUrl)));
  }

  async function overMailboxes(telling: Telling): Promise<string[]> {
    const problems: string[] = [];
    const seen: SendingSeen[] = [];
    for (const { mailbox, route } of routesFor(telling.condition, await deps.mailboxes()).slice(
      0,
      MOST_TRIED,
    )) {
      const mail = mailOf(telling, mailbox.address, to, config.publicUrl);
      let refusal: SmtpRefusal | undefined;
      const problem = await problemOf(async () => {
        const result = await sender.send(route, mail);
        if (result.kind === 'refused') refusal = result;
        return result;
      });
      if (problem === undefined || refusal !== undefined) seen.push({ mailbox, refusal });
      if (problem === undefined) {
        await deps.seen(seen);
        return [];
      }
      problems.push(problem);
    }
    await deps.seen(seen);
    return problems.length === 0 ? ['no mailbox may send and SMTP_RELAY_URL is not set'] : problems;
  }

  return async (telling) => {
    const relay = config.smtpRelay;
    const relayProblem = relay === undefined ? undefined : await overRelay(telling, relay);
    if (relay !== undefined && relayProblem === undefined) return;
    const problems = await overMailboxes(telling);
    if (problems.length > 0)
      throw new PostroomError(
        'notice-not-mailed',
        [relayProblem, ...problems].filter((problem) => problem !== undefined).join('; '),
      );
  };
}

/** What kept a mail from leaving; undefined when it left. What may have left is not sent again over another way. */
async function problemOf(send: () => ReturnType<MailSender['send']>): Promise<string | undefined> {
  try {
    const result = await send();
    return result.kind === 'sent' ? undefined : `${result.code}`;
  } catch (error) {
    if (error instanceof PostroomError && error.code === 'smtp-answer-lost') return undefined;
    return describeError(error);
  }
}

/** Mailboxes that may send, those last that the notice is about: an alarm must not hang on what it is about. */
export function routesFor(
  condition: Condition,
  mailboxes: readonly Mailbox[],
): { mailbox: Mailbox; route: SendingRoute }[] {
  const { subject } = condition;
  const concerned = (mailbox: Mailbox): boolean =>
    [mailbox.id, mailbox.sending?.accountId, mailbox.sending?.providerId, mailbox.sending?.host].includes(
      subject.id,
    );
  return mailboxes
    .flatMap((mailbox) => {
      const route = routeOf(mailbox);
      return route === undefined ? [] : [{ mailbox, route }];
    })
    .sort(
      (a, b) =>
        Number(concerned(a.mailbox)) - Number(concerned(b.mailbox)) ||
        a.mailbox.address.localeCompare(b.mailbox.address),
    );
}

/** The same event always makes the same Message-ID, and all events of a notice are one conversation. */
function mailOf(telling: Telling, from: string, to: readonly string[], publicUrl: string): OutgoingMail {
  const host = new URL(publicUrl).hostname;
  const idOf = (text: string): string =>
    `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${host}>`;
  return {
    from: { address: from, name: 'Postroom' },
    to,
    subject: `[Postroom] ${titleOf(telling)}`,
    text: textOf(telling, publicUrl),
    messageId: idOf(telling.id),
    headers: {
      // No automatic answer comes to an automatic mail (RFC 3834 section 5), nor from Exchange.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      References: idOf(`${telling.key} ${telling.openedAt}`),
    },
  };
}
