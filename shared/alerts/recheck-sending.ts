import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { HeldEmail } from '../outbox/outbox-records.ts';
import type { OutboxStore } from '../outbox/outbox-store.ts';
import { isRelayMistake } from '../outbox/relay.ts';
import type { SendDeps } from '../outbox/send-emails.ts';
import { type MailSender, routeOf, type SendingRoute, type SignInResult } from '../outbox/send-mail.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { Config } from '../platform/config.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { type Finding, keyHash } from './alert.ts';
import type { AlertService } from './alert-service.ts';
import { isStorageAway } from './collect-health.ts';
import { inWordsOf } from './demo-findings.ts';
import { isShownByMailAlone } from './email-channel.ts';
import { smtpRefused } from './sending-findings.ts';

interface RecheckDeps {
  seam: Seam;
  alerts: Pick<AlertService, 'open' | 'observe'>;
  mailboxes: Pick<MailboxStore, 'list'>;
  sender: Pick<MailSender, 'signIn'>;
  providers?: Pick<ProviderStore, 'get'> | undefined;
  config?: Pick<Config, 'demo'> | undefined;
  /** Sends what waits for a mailbox, once its server accepts the account again. */
  outbox: Pick<OutboxStore, 'get' | 'held' | 'forgetHeld' | 'releaseHeld'>;
  /** Hears of replies that waited for a week. */
  sending: Pick<SendDeps, 'replyNeedsPerson'>;
}

const MINUTE = 60_000;
const EVERY_MINUTES = 10;
const TURNS_A_DAY = (24 * 60) / EVERY_MINUTES;
const AT_ONCE = 4;

/**
 * Every tenth minute, signs in to SMTP servers without sending anything. It checks servers that refused
 * email, so that their alert can close without another email; mailboxes for which replies wait, whatever kept
 * them, such as an account that had to sign in again; and once a day every other sending mailbox, so that a
 * refusal is found before an important email. A reply that waited for a week is left to a person. What only a real email shows, such as a sender that is not
 * allowed, waits for the alert's reminder. An unreachable server changes nothing.
 * @throws PostroomError `table-storage` when storage is unavailable
 */
export async function recheckSending(deps: RecheckDeps): Promise<void> {
  const now = deps.seam.now();
  const turn = Math.floor(now / MINUTE / EVERY_MINUTES) % TURNS_A_DAY;
  if (Math.floor(now / MINUTE) % EVERY_MINUTES !== 0) return;
  const refused = new Map(
    (await deps.alerts.open()).flatMap(({ findings: { sending } }) =>
      sending === undefined ? [] : [[sending.subject.id, sending] as const],
    ),
  );
  const senders = (await deps.mailboxes.list()).filter((mailbox) => routeOf(mailbox) !== undefined);
  const gone = [...refused.keys()].filter((id) => !senders.some((mailbox) => mailbox.id === id));
  if (gone.length > 0) await deps.alerts.observe({ source: 'sending', findings: [], about: gone });
  const { mailboxIds: waiting, expired } = await deps.outbox.held();
  for (const email of expired) await giveUp(deps, email);
  const due = senders.filter(({ id, enabled }) => {
    const finding = refused.get(id);
    if (finding !== undefined) return !isShownByMailAlone(finding);
    return waiting.has(id) || (enabled && turnOf(id) === turn);
  });
  await mapLimited(due, AT_ONCE, (mailbox) => askAgain(deps, mailbox, refused.get(mailbox.id), now));
}

/** A reply that waited for a week is left to a person, unless it has left or was stopped meanwhile. */
async function giveUp({ outbox, sending }: RecheckDeps, email: HeldEmail): Promise<void> {
  const message = (await outbox.get(email))?.record;
  if (message?.delivery.status.state === 'failed') await sending.replyNeedsPerson(message);
  await outbox.forgetHeld(email);
}

/** A relay that an operator has to correct is a refusal as well: each of its mailboxes would meet it. */
async function signInOver(sender: RecheckDeps['sender'], route: SendingRoute): Promise<SignInResult> {
  try {
    return await sender.signIn(route);
  } catch (error) {
    if (!(error instanceof PostroomError) || !isRelayMistake(error.code)) throw error;
    const { code, message: reason } = error;
    return { kind: 'refused', asked: true, code, reason, permanent: true, retryAt: undefined };
  }
}

/** Spreads the mailboxes over the day, the same way every day. */
const turnOf = (id: string): number => Number.parseInt(keyHash(id).slice(0, 8), 16) % TURNS_A_DAY;

async function askAgain(
  { sender, alerts, providers, config, outbox }: RecheckDeps,
  mailbox: Mailbox,
  before: Finding | undefined,
  now: number,
): Promise<void> {
  const route = routeOf(mailbox);
  if (route === undefined) return;
  try {
    const answer = await signInOver(sender, route);
    // Without a token, no server was contacted: the account has its own alert.
    if (answer.kind === 'refused' && !answer.asked) return;
    if (answer.kind === 'accepted' && before === undefined) {
      await outbox.releaseHeld(mailbox.id);
      return;
    }
    const isRefused = answer.kind === 'refused' && (answer.permanent || before !== undefined);
    const findings = isRefused ? [smtpRefused(mailbox, answer, now, before?.severity ?? 'warning')] : [];
    const provider =
      config?.demo?.isShownAsDemo === true ? await providers?.get(mailbox.providerId) : undefined;
    const facts = { mailboxes: [mailbox], providers: provider === undefined ? [] : [provider] };
    await alerts.observe({
      source: 'sending',
      findings: inWordsOf(config, facts, findings),
      about: [mailbox.id],
    });
    if (!isRefused) await outbox.releaseHeld(mailbox.id);
  } catch (error) {
    if (isStorageAway(error)) throw error;
    log.warn('server of outgoing mail not asked', { mailbox: mailbox.id, error: describeError(error) });
  }
}
