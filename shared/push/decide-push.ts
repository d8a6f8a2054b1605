import type { Account } from '../accounts/account.ts';
import { isSameFolder, type Mailbox } from '../mailboxes/mailbox.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { protocolsIn } from '../providers/permissions.ts';
import type { Push, PushTarget, Subscription, Wake } from './subscription.ts';

const MINUTE = 60_000;

/**
 * Graph lets subscriptions on messages live 10,080 minutes at most, less than 7 days:
 * https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime
 * An hour less, because Graph counts from the moment at which the request arrives.
 */
export const LIFE_MS = (10_080 - 60) * MINUTE;

/** Whether a mailbox can have push, and for what. */
export type WantedPush =
  | { kind: 'wanted'; target: PushTarget }
  /** `reason`: a sentence for a person. */
  | { kind: 'impossible'; reason: string };

/**
 * A subscription needs a permission that reads email, of the same kind as the account:
 * https://learn.microsoft.com/graph/api/subscription-post-subscriptions#permissions
 */
const mayRead = ({ scopes }: Pick<Account, 'scopes'>): boolean => protocolsIn(scopes).includes('graph-push');

const OF_APP = 'users/';

/** True for a subscription of the app itself, without a person. Pure. */
export const isOfApp = ({ resource }: Pick<PushTarget, 'resource'>): boolean => resource.startsWith(OF_APP);

/**
 * Whether this mailbox can have push. Pure.
 * @param account the account that fetches; undefined if it is gone
 * @param hasGraph whether its provider is a Microsoft cloud with Graph
 */
export function wantedPush(
  mailbox: Mailbox,
  account: Pick<Account, 'kind' | 'user' | 'scopes'> | undefined,
  hasGraph: boolean,
): WantedPush {
  const impossible = (reason: string): WantedPush => ({ kind: 'impossible', reason });
  const { providerId, accountId, address } = mailbox;
  if (!mailbox.enabled) return impossible('The mailbox is paused.');
  if (!hasGraph || account === undefined)
    return impossible('Only Microsoft 365 announces new email to Postroom.');
  if (!isSameFolder(mailbox.folder, 'INBOX'))
    return impossible('Postroom has new email announced for the inbox only, and this is another folder.');
  // What an app may do can also be granted in Exchange, which its token does not show. Graph will say.
  if (account.kind === 'app')
    return {
      kind: 'wanted',
      target: {
        providerId,
        accountId,
        resource: `${OF_APP}${encodeURIComponent(address)}/mailFolders('inbox')/messages`,
      },
    };
  // Graph accepts the subscription all the same, and never sends an event:
  // https://learn.microsoft.com/graph/api/subscription-post-subscriptions#outlook
  if (account.user.toLowerCase() !== address.toLowerCase())
    return impossible(
      'Microsoft Graph announces the email of a shared mailbox only to an app, and not to the person who signed in. Connect the mailbox with app-only access to get push.',
    );
  return mayRead(account)
    ? { kind: 'wanted', target: { providerId, accountId, resource: "me/mailFolders('inbox')/messages" } }
    : impossible('The account has not granted the permission Mail.ReadBasic of Microsoft Graph.');
}

/** The settings of a mailbox that its push depends on; a change makes the next decision due. Pure. */
export const settingsOf = (mailbox: Mailbox): string =>
  JSON.stringify([
    mailbox.enabled,
    mailbox.address,
    mailbox.folder,
    mailbox.protocol,
    mailbox.providerId,
    mailbox.accountId,
  ]);

/** At two thirds of its life, milliseconds since the epoch. Pure. */
export const renewalOf = ({ renewedAt, expiresAt }: Pick<Subscription, 'renewedAt' | 'expiresAt'>): number =>
  Date.parse(renewedAt) + ((Date.parse(expiresAt) - Date.parse(renewedAt)) * 2) / 3;

/** An event of a subscription's life, as Graph names it. */
export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved';

/** What to do with a subscription. */
export type PushStep =
  | { kind: 'keep' }
  | { kind: 'create'; target: PushTarget }
  | { kind: 'renew'; subscription: Subscription }
  | { kind: 'end'; reason: string };

/**
 * The next step for a mailbox. Pure.
 * @param event what Graph has just told about the subscription
 * @param now milliseconds since the epoch
 */
export function nextStep(
  push: Push | undefined,
  wanted: WantedPush,
  event: LifecycleEvent | undefined,
  now: number,
): PushStep {
  if (wanted.kind === 'impossible') return { kind: 'end', reason: wanted.reason };
  const { target } = wanted;
  const subscription = push?.subscription;
  if (subscription === undefined || event === 'subscriptionRemoved') return { kind: 'create', target };
  const isSame =
    subscription.resource === target.resource &&
    subscription.providerId === target.providerId &&
    subscription.accountId === target.accountId;
  const hasLapsed = Date.parse(subscription.expiresAt) <= now;
  // One that died silently would be renewed silently.
  const isDead = push?.code === 'push-silent' && subscription.createdAt < push.since;
  if (!isSame || hasLapsed || isDead || isFromFuture(subscription.renewedAt, now))
    return { kind: 'create', target };
  if (event === 'reauthorizationRequired' || renewalOf(subscription) <= now)
    return { kind: 'renew', subscription };
  return { kind: 'keep' };
}

/** Events are up to three minutes late: https://learn.microsoft.com/graph/change-notifications-overview#latency */
const LATE_MS = 5 * MINUTE;
/** An event may be recorded some seconds before the email that it announces: clocks differ, events are joined. */
const EARLY_MS = 30_000;
/** A new subscription may miss what arrives in the first moments. */
const SETTLING_MS = MINUTE;

/** What the events say about a push. */
export type PushEvidence =
  /** An email came without an event: the subscription exists, and says nothing. */
  | 'silent'
  /** An event came: it works. */
  | 'proven'
  | 'none';

/**
 * Judges a push by the latest email and the latest event. Pure.
 * @param lastMailAt ISO time at which the mail server received the latest imported email
 * @param now milliseconds since the epoch
 */
export function evidenceOf(
  push: Push,
  lastMailAt: string | undefined,
  wake: Pick<Wake, 'eventAt'> | undefined,
  now: number,
): PushEvidence {
  const { subscription, state, since, code } = push;
  if (subscription === undefined) return 'none';
  const event = wake === undefined || isFromFuture(wake.eventAt, now) ? 0 : Date.parse(wake.eventAt);
  if (state === 'in-doubt' && code === 'push-silent') return event > Date.parse(since) ? 'proven' : 'none';
  if (state !== 'living' || lastMailAt === undefined || isFromFuture(lastMailAt, now)) return 'none';
  const mail = Date.parse(lastMailAt);
  const isAwaited = mail > Date.parse(subscription.createdAt) + SETTLING_MS && now >= mail + LATE_MS;
  return isAwaited && event < mail - EARLY_MS ? 'silent' : 'none';
}

/** Wait before another request to Graph after `failures` failed ones, in milliseconds. Pure. */
export const backOff = (failures: number, asked = 0): number =>
  Math.max(asked, Math.min(2 ** (failures - 1), 30) * MINUTE - 5_000);
