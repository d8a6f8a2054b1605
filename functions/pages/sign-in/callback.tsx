import { isApprovalState } from '../../../shared/consent/approval.ts';
import { type CompletedConsent, completeConsent } from '../../../shared/consent/complete-consent.ts';
import { consentKey, type Initiator } from '../../../shared/consent/consent.ts';
import { providerOfSetUpState } from '../../../shared/consent/set-up-approval.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { recordRefusal } from '../../http/record-refusal.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { finishSwitch } from '../mailboxes/over-graph.ts';
import { answerApproval } from './approval-result.tsx';
import { consentCookieOf, holdsInvitation } from './consent-cookies.ts';
import { answerDone, answerFailed } from './consent-result.tsx';
import { explainedFor } from './outcome-view.tsx';

/**
 * The callback of every provider. The state says what it belongs to: a sign-in, which is bound to this browser, or an
 * approval, which a tenant admin may complete in any browser.
 */
export async function answerCallback(c: PageContext): Promise<Response> {
  // A HEAD request (a link preview, a proxy) must not use up the state.
  if (c.req.method === 'HEAD') return c.body(null, 405, { allow: 'GET' });
  const parameters = new URL(c.req.url).searchParams;
  const state = parameters.get('state') ?? '';
  const asksApproval = isApprovalState(state) || providerOfSetUpState(state) !== undefined;
  if (asksApproval || parameters.has('admin_consent')) return answerApproval(c, parameters);
  // No role is required here, because invited people have none. The initiator of the sign-in is checked instead.
  const principal: Principal | undefined = c.get('principal');
  const outcome = await completeConsent(
    { ...c.get('services'), explainOutcome: (failed) => explainedFor(c, failed, parameters) },
    {
      path: c.req.path,
      parameters,
      cookieOf: (key) => consentCookieOf(c, key),
      principal: principal && {
        id: principal.id,
        name: principal.name,
        isAdmin: principal.roles.includes('admin'),
      },
      holdsInvitation: (key) => holdsInvitation(c, key),
    },
  );
  const key = consentKey(state);
  switch (outcome.kind) {
    case 'connected':
      return answerConnected(c, outcome, key);
    case 'waiting-for-approval':
      return c.redirect(whereItWaits(outcome.approval), 303);
    case 'unknown':
      recordRefusal(c, 'unknown-state');
      return answerFailed(c, outcome, { key, parameters });
    default:
      return answerFailed(c, outcome, { key, parameters });
  }
}

async function answerConnected(
  c: PageContext,
  { account, connectRequest, startedBy, missing }: Extract<CompletedConsent, { kind: 'connected' }>,
  key: string,
): Promise<Response> {
  if (startedBy.kind === 'invitation') return answerDone(c, key, account.accountId);
  if (connectRequest.reconnect?.switchTo !== undefined) {
    const { mailboxId, switchTo } = connectRequest.reconnect;
    return c.redirect(await finishSwitch(c, mailboxId, switchTo), 303);
  }
  if (connectRequest.reconnect !== undefined) {
    const flash = missing.length === 0 ? undefined : 'partly';
    return c.redirect(paths.mailboxConnected({ id: connectRequest.reconnect.mailboxId }, { flash }), 303);
  }
  const flash = missing.length === 0 ? 'connected' : 'connected-partly';
  return c.redirect(paths.newMailbox({ account: `${account.providerId}.${account.accountId}`, flash }), 303);
}

/** The page with the link to send: the invitation itself for its bearer. */
const whereItWaits = (approval: { key: string; startedBy: Initiator }): string =>
  approval.startedBy.kind === 'principal'
    ? paths.approval(approval)
    : paths.acceptInvitation({ key: approval.startedBy.key });
