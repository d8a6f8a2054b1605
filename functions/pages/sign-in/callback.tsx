import type { Account } from '../../../shared/accounts/account.ts';
import { isApprovalState, takesApproval } from '../../../shared/consent/approval.ts';
import { askApproval } from '../../../shared/consent/ask-approval.ts';
import { consentKey, type ConsentAttempt } from '../../../shared/consent/consent.ts';
import { needsApproval } from '../../../shared/consent/explain-outcome.ts';
import { type ConsentOutcome, finishConsent } from '../../../shared/consent/finish-consent.ts';
import { providerOfSetUpState } from '../../../shared/consent/set-up-approval.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { recordRefusal } from '../../http/record-refusal.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { answerApproval } from './approval-result.tsx';
import { consentCookieOf, holdsInvitation } from './consent-cookies.ts';
import { answerDone, answerFailed } from './consent-result.tsx';
import { explainedFor } from './outcome-view.tsx';

type Connected = Extract<ConsentOutcome, { kind: 'connected' }>;

/**
 * The callback of every provider. The state says what it belongs to: a sign-in, which is bound to this browser, or an
 * approval, which a tenant admin may complete in any browser.
 */
export async function answerCallback(c: PageContext): Promise<Response> {
  // A HEAD request (a link preview, a proxy) must not use up the state.
  if (c.req.method === 'HEAD') return c.body(null, 405, { allow: 'GET' });
  const services = c.get('services');
  const parameters = new URL(c.req.url).searchParams;
  const state = parameters.get('state') ?? '';
  const asksApproval = isApprovalState(state) || providerOfSetUpState(state) !== undefined;
  if (asksApproval || parameters.has('admin_consent')) return answerApproval(c, parameters);
  // No role is required here, because invited people have none. The initiator of the sign-in is checked instead.
  const principal: Principal | undefined = c.get('principal');
  const outcome = await finishConsent(services, {
    path: c.req.path,
    parameters,
    cookieOf: (key) => consentCookieOf(c, key),
    principal: principal && { id: principal.id, isAdmin: principal.roles.includes('admin') },
    holdsInvitation: (key) => holdsInvitation(c, key),
  });
  const key = consentKey(state);
  if (outcome.kind === 'connected') return connected(c, outcome, key);
  if (outcome.kind === 'unknown') recordRefusal(c, 'unknown-state');
  const waiting = await waitForApproval(c, outcome, parameters);
  return waiting ?? answerFailed(c, outcome, { key, parameters });
}

async function connected(c: PageContext, outcome: Connected, key: string): Promise<Response> {
  const services = c.get('services');
  const { account, wish, startedBy, missing } = outcome;
  services.accessTokens.forget(account);
  const { reconnect } = wish;
  // The cause is fixed, so the mailbox is due within a minute instead of after its backoff.
  if (reconnect !== undefined) await services.mailboxes.saveTrouble(reconnect.mailboxId, undefined);
  await recordConnection(c, outcome);
  if (startedBy.kind === 'invitation') return answerDone(c, key, account.accountId);
  if (reconnect !== undefined) {
    const said = missing.length === 0 ? undefined : 'partly';
    return c.redirect(paths.mailboxConnected({ id: reconnect.mailboxId }, { said }), 303);
  }
  const said = missing.length === 0 ? 'connected' : 'connected-partly';
  return c.redirect(paths.newMailbox({ account: `${account.providerId}.${account.accountId}`, said }), 303);
}

/** When only a tenant admin can consent, the sign-in waits on a page with the link to send. */
async function waitForApproval(
  c: PageContext,
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
  if (startedBy.kind === 'principal') return c.redirect(paths.approval(approval), 303);
  const waiting = await services.invitations.change(startedBy.key, (invitation) => ({
    ...invitation,
    approvalKey: approval.key,
  }));
  if (waiting === undefined) return undefined;
  return c.redirect(paths.acceptInvitation({ key: startedBy.key }), 303);
}

async function recordConnection(
  c: PageContext,
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
      ...(wish.confirmed === account.accountId && { 'subject confirmed by hand': account.identity.subject }),
      ...(replaced !== undefined && { 'signs in': nameOf(account), 'at mailboxes': replaced.mailboxes }),
    },
  });
}

/** Two accounts of one name differ only in their object id. */
const nameOf = ({ user, identity }: Account): string =>
  identity.objectId === undefined ? user : `${user} (${identity.objectId})`;

/** The actor in the audit log. The holder of an invitation is known only by the account. */
function travellerName(
  startedBy: ConsentAttempt['startedBy'],
  principal: Principal | undefined,
  user: string,
): { id: string; name: string } {
  if (startedBy.kind === 'invitation') return { id: 'invitation', name: `${user}, by invitation` };
  return { id: startedBy.id, name: principal?.name ?? startedBy.id };
}
