import { type Context, Hono } from 'hono';
import type { Account } from '../../shared/accounts/account.ts';
import { isApprovalState, takesApproval } from '../../shared/consent/approval.ts';
import { askApproval } from '../../shared/consent/ask-approval.ts';
import type { Trip } from '../../shared/consent/consent.ts';
import { needsApproval } from '../../shared/consent/explain-outcome.ts';
import { type ApprovalOutcome, finishApproval } from '../../shared/consent/finish-approval.ts';
import { type ConsentOutcome, finishConsent } from '../../shared/consent/finish-consent.ts';
import { invitationKey } from '../../shared/consent/invitation.ts';
import { providerOfSetUpState } from '../../shared/consent/set-up-approval.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { noteRefusal } from '../note-refusal.ts';
import type { Services } from '../services.ts';
import type { WebEnvironment } from '../web-environment.ts';
import { approvalOutcomePage } from './approval-outcome.tsx';
import { consentCookieOf, invitationTokenOf } from './consent-cookies.ts';
import { invitationDonePage } from './invitation-views.tsx';
import { lookInto, mailboxOfPreset } from './look-into.ts';
import { explainedFor, outcomePage } from './outcome-view.tsx';

type CallbackContext = Context<WebEnvironment>;
type Connected = Extract<ConsentOutcome, { kind: 'connected' }>;

/**
 * The one way back from every provider. The state says of what kind the trip was: a sign-in, bound to this browser, or
 * an approval, which an admin of the tenant may bring from anywhere.
 */
export function callbackPages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();

  pages.get('/oauth/callback', async (c) => {
    const services = c.get('services');
    const parameters = new URL(c.req.url).searchParams;
    const state = parameters.get('state') ?? '';
    const asksApproval = isApprovalState(state) || providerOfSetUpState(state) !== undefined;
    if (asksApproval || parameters.has('admin_consent')) return finishApprovalTrip(c, parameters);
    // No role is asked for here, because invited people have none: whose trip it is decides.
    const principal: Principal | undefined = c.get('principal');
    const token = invitationTokenOf(c);
    const outcome = await finishConsent(services, {
      parameters,
      cookieOf: (key) => consentCookieOf(c, key),
      principal: principal && { id: principal.id, isAdmin: principal.roles.includes('admin') },
      invitationKey: token && invitationKey(token.expose()),
    });
    if (outcome.kind === 'connected') return connected(c, outcome);
    if (outcome.kind === 'unknown') noteRefusal(c, 'unknown-state');
    const waiting = await waitForApproval(c, outcome, parameters);
    return (
      waiting ?? c.html(await outcomePage(c, outcome, parameters), outcome.kind === 'vault-away' ? 503 : 400)
    );
  });

  return pages;
}

async function connected(c: CallbackContext, outcome: Connected): Promise<Response> {
  const services = c.get('services');
  const { account, wish, startedBy, missing } = outcome;
  services.accessTokens.forget(account);
  const { reconnect } = wish;
  // What stopped the mailbox is repaired: it is fetched at the next minute, not at its next turn.
  if (reconnect !== undefined) await services.mailboxes.saveTrouble(reconnect.mailboxId, undefined);
  await recordConnection(c, outcome);
  if (startedBy.kind === 'invitation') {
    const mailbox = await mailboxFor(services, outcome);
    const look = mailbox && (await lookInto(services, mailbox));
    return c.html(invitationDonePage({ wish, user: account.user, look }));
  }
  if (reconnect !== undefined) {
    const said = missing.length === 0 ? '' : '?said=partly';
    return c.redirect(`/mailboxes/${reconnect.mailboxId}/connected${said}`, 303);
  }
  const said = missing.length === 0 ? 'connected' : 'connected-partly';
  return c.redirect(`/mailboxes/new?account=${account.providerId}.${account.accountId}&said=${said}`, 303);
}

/** Only an admin of the tenant can help: the trip waits, and the page it waits on has the link to send. */
async function waitForApproval(
  c: CallbackContext,
  outcome: ConsentOutcome,
  parameters: URLSearchParams,
): Promise<Response | undefined> {
  if (!needsApproval(outcome) || !('wish' in outcome) || outcome.kind === 'connected') return undefined;
  const services = c.get('services');
  const provider = await services.providers.get(outcome.wish.providerId);
  if (provider === undefined || !takesApproval(provider)) return undefined;
  const { wish, startedBy } = outcome;
  const explanation = await explainedFor(c, outcome, parameters);
  const approval = await askApproval(services, { wish, startedBy }, explanation);
  if (startedBy.kind === 'principal') return c.redirect(`/approvals/${approval.key}`, 303);
  const stored = await services.invitations.get(startedBy.key);
  if (stored === undefined) return undefined;
  await services.invitations.replace({ ...stored.invitation, approvalKey: approval.key }, stored.etag);
  return c.redirect(`/invite/${invitationTokenOf(c)?.expose() ?? ''}`, 303);
}

async function finishApprovalTrip(c: CallbackContext, parameters: URLSearchParams): Promise<Response> {
  const services = c.get('services');
  const outcome = await finishApproval(services, parameters);
  if (outcome.kind === 'unknown-approval') noteRefusal(c, 'unknown-approval');
  await recordApproval(services, outcome, parameters);
  const explanation = await explainedFor(c, outcome, parameters);
  return c.html(approvalOutcomePage(outcome, explanation), isGood(outcome) ? 200 : 400);
}

const isGood = ({ kind }: ApprovalOutcome): boolean =>
  kind === 'granted' || kind === 'set-up-granted' || kind === 'told';

async function recordApproval(
  { audit, seam }: Services,
  outcome: ApprovalOutcome,
  parameters: URLSearchParams,
): Promise<void> {
  const granted = grantOf(outcome);
  if (granted === undefined) return;
  await audit.record({
    at: seam.now(),
    principal: { id: 'tenant-admin', name: 'An admin of the tenant' },
    action: 'consent granted',
    subject: { kind: 'provider', id: granted.id, name: granted.name },
    after: { 'asked for': granted.askedFor, tenant: parameters.get('tenant') ?? undefined },
  });
}

function grantOf(outcome: ApprovalOutcome): { id: string; name: string; askedFor: string } | undefined {
  if (outcome.kind === 'granted') {
    const { wish } = outcome.approval;
    return { id: wish.providerId, name: outcome.providerName, askedFor: wish.address };
  }
  if (outcome.kind !== 'set-up-granted' || !outcome.first) return undefined;
  const { id, name } = outcome.provider;
  return { id, name, askedFor: 'everybody, in set-up' };
}

async function recordConnection(
  c: CallbackContext,
  { account, wish, startedBy, replaced }: Connected,
): Promise<void> {
  const { audit, seam } = c.get('services');
  const principal: Principal | undefined = c.get('principal');
  await audit.record({
    at: seam.now(),
    principal: travellerName(startedBy, principal, account.user),
    action: wish.reconnect === undefined ? 'connected' : 'connected again',
    subject: { kind: 'account', id: account.accountId, name: account.user },
    ...(replaced !== undefined && {
      before: { 'signs in': nameOf(replaced.account), 'at mailboxes': replaced.mailboxes },
    }),
    after: {
      mailbox: wish.address,
      scopes: account.scopes,
      ...(replaced !== undefined && { 'signs in': nameOf(account), 'at mailboxes': replaced.mailboxes }),
    },
  });
}

/** Two accounts of one name differ in their object id alone. */
const nameOf = ({ user, identity }: Account): string =>
  identity.objectId === undefined ? user : `${user} (${identity.objectId})`;

/** Who is named in the audit: an invitation's bearer is known by the account alone. */
function travellerName(
  startedBy: Trip['startedBy'],
  principal: Principal | undefined,
  user: string,
): { id: string; name: string } {
  if (startedBy.kind === 'invitation') return { id: 'invitation', name: `${user}, by invitation` };
  return { id: startedBy.id, name: principal?.name ?? startedBy.id };
}

/** The mailbox as it stands, or as it would be set up: undefined where the provider names no mail server. */
async function mailboxFor(
  { mailboxes, providers, config, seam }: Services,
  { account, wish }: Connected,
): Promise<Mailbox | undefined> {
  if (wish.reconnect !== undefined) return mailboxes.get(wish.reconnect.mailboxId);
  const provider = await providers.get(account.providerId);
  return provider && mailboxOfPreset(provider, config, account, wish.address, seam.now());
}
