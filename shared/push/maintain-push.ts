import type { AccessTokens } from '../accounts/access-token.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import { queueTask } from '../intake/fetch-again.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Stored } from '../platform/open-records.ts';
import type { Queues } from '../platform/queues.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { hashOf, newClientState } from './client-state.ts';
import {
  backOff,
  isOfApp,
  LIFE_MS,
  type LifecycleEvent,
  nextStep,
  renewalOf,
  settingsOf,
  type WantedPush,
  wantedPush,
} from './decide-push.ts';
import type { GraphFailure, GraphSubscriptions } from './graph-subscriptions.ts';
import type { PushStore } from './push-records.ts';
import type { Push, PushTarget, Subscription } from './subscription.ts';

export interface MaintainDeps {
  push: PushStore;
  mailboxes: Pick<MailboxStore, 'get' | 'saveAnnounced'>;
  accounts: Pick<AccountStore, 'get'>;
  accessTokens: Pick<AccessTokens, 'get'>;
  queues: Pick<Queues, 'send'>;
  seam: Seam;
  /** Where Graph sends the events: https in Azure. */
  notificationUrl: string;
  /** Microsoft Graph of a provider: its origin, and the host that a token must be for. Undefined: it has none. */
  graphOf(providerId: string): Promise<{ origin: string; host: string } | undefined>;
  /** The subscriptions of an account. */
  subscriptions(origin: string, token: Secret): GraphSubscriptions;
}

const MINUTE = 60_000;
/** A permission may have been granted since. */
const IMPOSSIBLE_AGAIN_MS = 15 * MINUTE;
const DENIED_AGAIN_MS = 60 * MINUTE;
const REFUSED_AGAIN_MS = 30 * MINUTE;

/**
 * Takes the next step for the push of one mailbox: subscribe, renew, replace, end, or nothing. Safe to repeat and
 * to run twice at once: whoever claims the row first works on it.
 *
 * “The server announces new email” is stored last and revoked first, so that after a crash in between the
 * mailbox is looked at more often than necessary, and never less.
 * @param mailbox undefined if it was deleted
 * @param event what Graph has just told about the subscription
 * @throws PostroomError if storage is unavailable. Graph's failures are stored in the row.
 */
export async function maintainPush(
  deps: MaintainDeps,
  mailboxId: string,
  mailbox: Mailbox | undefined,
  event?: LifecycleEvent,
): Promise<void> {
  const now = deps.seam.now();
  const stored = await readable(deps.push, mailboxId);
  const before = stored?.record;
  if (mailbox === undefined) return endOf(deps, mailboxId, before);
  const wanted = await wantedOf(deps, mailbox);
  const step = nextStep(before, wanted, event, now);
  const settings = settingsOf(mailbox);
  const next: Push = {
    ...(before ?? emptyPush(mailboxId, now)),
    settings,
    // Another run that reads the row now waits this long for the result of this one.
    nextAt: iso(now + 2 * MINUTE),
  };
  switch (step.kind) {
    case 'keep':
      return keep(deps, next, stored?.etag, now);
    case 'end': {
      if (before?.state !== 'off') await deps.mailboxes.saveAnnounced(mailboxId, undefined);
      if (before?.subscription !== undefined) await unsubscribe(deps, before.subscription);
      const { subscription: _ended, code: _code, ...rest } = next;
      return deps.push.save({
        ...rest,
        ...since(before, 'off', now),
        reason: step.reason,
        clientStates: [],
        failures: 0,
        nextAt: iso(now + IMPOSSIBLE_AGAIN_MS),
      });
    }
    case 'renew':
      if (!(await deps.push.claim(next, stored?.etag))) return;
      return renew(deps, next, step.subscription, now);
    case 'create':
      return create(deps, next, stored?.etag, step.target, now);
  }
}

/** A row that can't be read is removed: a subscription costs less than a person who repairs the row. */
async function readable(push: PushStore, mailboxId: string): Promise<Stored<Push> | undefined> {
  try {
    return await push.get(mailboxId);
  } catch (error) {
    if (!(error instanceof PostroomError) || error.code !== 'bad-row') throw error;
    await push.remove(mailboxId);
    return undefined;
  }
}

/** Also repairs what a crash between two writes left. */
async function keep(deps: MaintainDeps, push: Push, etag: string | undefined, now: number): Promise<void> {
  if (push.subscription === undefined) return;
  const { expiresAt } = push.subscription;
  const nextAt = iso(Math.max(renewalOf(push.subscription), now + MINUTE));
  if (!(await deps.push.claim({ ...push, nextAt }, etag))) return;
  await deps.mailboxes.saveAnnounced(push.mailboxId, push.state === 'living' ? expiresAt : undefined);
}

async function renew(deps: MaintainDeps, push: Push, subscription: Subscription, now: number): Promise<void> {
  const graph = await openGraph(deps, subscription);
  const answer =
    graph.kind === 'graph'
      ? await graph.subscriptions.renew(subscription.subscriptionId, iso(now + LIFE_MS))
      : graph;
  if (answer.kind === 'gone') {
    // Graph has removed it: a new one, with the next decision at once.
    await deps.mailboxes.saveAnnounced(push.mailboxId, undefined);
    const { subscription: _gone, ...rest } = push;
    await deps.push.save({ ...rest, ...since(push, 'in-doubt', now), nextAt: iso(now) });
    return;
  }
  if (answer.kind !== 'made') return failed(deps, push, subscription, answer, now);
  const { expiresAt } = answer;
  await living(deps, push, { ...subscription, renewedAt: iso(now), expiresAt }, now);
}

async function create(
  deps: MaintainDeps,
  push: Push,
  etag: string | undefined,
  target: PushTarget,
  now: number,
): Promise<void> {
  const clientState = newClientState(push.mailboxId);
  const hash = hashOf(clientState.expose());
  // Stored before Graph knows it: the first event may come before the response. Of the subscriptions that a
  // crash orphaned, the last one's events stay valid until it expires.
  const claimed = { ...push, clientStates: [hash, ...push.clientStates].slice(0, 2) };
  if (push.state === 'living') await deps.mailboxes.saveAnnounced(push.mailboxId, undefined);
  if (!(await deps.push.claim(claimed, etag))) return;
  const graph = await openGraph(deps, target);
  const answer =
    graph.kind === 'graph'
      ? await graph.subscriptions.create({
          resource: target.resource,
          notificationUrl: deps.notificationUrl,
          clientState,
          expiresAt: iso(now + LIFE_MS),
        })
      : graph;
  if (answer.kind !== 'made') return failed(deps, claimed, target, answer, now);
  if (push.subscription !== undefined) await unsubscribe(deps, push.subscription);
  const { subscriptionId, expiresAt } = answer;
  // Graph announces what arrives from now on. What arrived since the last look would wait for the next one, which is rare
  // from now on; queued first, because after a crash here the mailbox is still looked at each minute.
  await queueTask(deps.queues, push.mailboxId, { kind: 'new-mail' });
  const at = iso(now);
  const subscription = { ...target, subscriptionId, createdAt: at, renewedAt: at, expiresAt };
  await living(deps, { ...claimed, clientStates: [hash] }, subscription, now);
}

/** After a silent death, only an event proves that the new subscription works. */
async function living(
  deps: MaintainDeps,
  push: Push,
  subscription: Subscription,
  now: number,
): Promise<void> {
  const isUnproven = push.code === 'push-silent';
  const { reason, code, ...rest } = push;
  await deps.push.save({
    ...rest,
    ...(isUnproven ? { reason, code } : since(push, 'living', now)),
    subscription,
    failures: 0,
    nextAt: iso(renewalOf(subscription)),
  });
  if (!isUnproven) await deps.mailboxes.saveAnnounced(push.mailboxId, subscription.expiresAt);
  log.info('push subscribed', { mailbox: push.mailboxId, until: subscription.expiresAt });
}

async function failed(
  deps: MaintainDeps,
  push: Push,
  target: PushTarget,
  failure: GraphFailure,
  now: number,
): Promise<void> {
  await deps.mailboxes.saveAnnounced(push.mailboxId, undefined);
  const failures = push.failures + 1;
  const outcome = outcomeOf(failure, target, failures);
  const { state, reason, code, pauseMs } = outcome;
  log.warn('push not subscribed', { mailbox: push.mailboxId, code: codeOf(failure), failures });
  await deps.push.save({
    ...push,
    ...since(push, state, now),
    reason,
    code,
    failures,
    nextAt: iso(now + pauseMs),
  });
}

const codeOf = (failure: GraphFailure): string => (failure.kind === 'gone' ? 'http-404' : failure.code);

function outcomeOf(
  failure: GraphFailure,
  target: PushTarget,
  failures: number,
): Pick<Push, 'state' | 'reason' | 'code'> & { pauseMs: number } {
  if (failure.kind === 'unavailable')
    return {
      state: 'in-doubt',
      reason: `Microsoft Graph did not confirm that it announces new email. ${failure.said}`,
      code: 'push-unconfirmed',
      pauseMs: backOff(failures, failure.afterMs),
    };
  // Not a fault: nobody has granted it, and nobody has to.
  if (failure.kind === 'refused' && failure.isDenied && isOfApp(target))
    return {
      state: 'off',
      reason: 'The app needs the application permission Mail.ReadBasic of Microsoft Graph.',
      code: undefined,
      pauseMs: DENIED_AGAIN_MS,
    };
  const said = failure.kind === 'gone' ? 'The mailbox was not found.' : failure.said;
  return {
    state: 'refused',
    reason: `Microsoft Graph refuses to announce new email. It said: ${said}`,
    code: 'push-refused',
    pauseMs: REFUSED_AGAIN_MS,
  };
}

/** The subscription of a deleted mailbox; its account may be gone too, then it expires by itself. */
async function endOf(deps: MaintainDeps, mailboxId: string, push: Push | undefined): Promise<void> {
  await deps.mailboxes.saveAnnounced(mailboxId, undefined);
  if (push?.subscription !== undefined) await unsubscribe(deps, push.subscription);
  await deps.push.remove(mailboxId);
}

async function wantedOf(deps: MaintainDeps, mailbox: Mailbox): Promise<WantedPush> {
  const [stored, graph] = await Promise.all([deps.accounts.get(mailbox), deps.graphOf(mailbox.providerId)]);
  return wantedPush(mailbox, stored?.account, graph !== undefined);
}

type OpenedGraph = { kind: 'graph'; subscriptions: GraphSubscriptions } | GraphFailure;

async function openGraph(
  deps: MaintainDeps,
  { providerId, accountId }: Pick<PushTarget, 'providerId' | 'accountId'>,
): Promise<OpenedGraph> {
  const graph = await deps.graphOf(providerId);
  if (graph === undefined) return { kind: 'gone' };
  const token = await deps.accessTokens.get(
    { providerId, accountId },
    { host: graph.host, protocol: 'graph-push' },
  );
  if (token.kind === 'token')
    return { kind: 'graph', subscriptions: deps.subscriptions(graph.origin, token.token) };
  // Whatever is wrong with the account has its own alert.
  return { kind: 'unavailable', code: token.code, said: token.message, afterMs: 0 };
}

/** A subscription that can't be removed now expires by itself, and its events are refused. */
async function unsubscribe(deps: MaintainDeps, subscription: Subscription): Promise<void> {
  try {
    const graph = await openGraph(deps, subscription);
    if (graph.kind === 'graph') await graph.subscriptions.remove(subscription.subscriptionId);
  } catch (error) {
    log.warn('subscription not removed', { error: describeError(error) });
  }
}

const emptyPush = (mailboxId: string, now: number): Push => ({
  mailboxId,
  state: 'in-doubt',
  since: iso(now),
  clientStates: [],
  settings: '',
  failures: 0,
  nextAt: iso(now),
});

/** A state keeps the time at which it began. */
const since = (
  before: Push | undefined,
  state: Push['state'],
  now: number,
): Pick<Push, 'state' | 'since'> => ({
  state,
  since: before?.state === state ? before.since : iso(now),
});

const iso = (ms: number): string => new Date(ms).toISOString();
