import {
  isKept,
  isUnattributed,
  readResult,
  resultAsText,
  type StoreResult,
} from '../../../shared/consent/consent-result.ts';
import { errorCodeIn, parametersOf } from '../../../shared/consent/explain-outcome.ts';
import type { ConsentOutcome } from '../../../shared/consent/finish-consent.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { PageContext, RouteContext } from '../../http/web-environment.ts';
import { choiceOf } from '../mailboxes/mailbox-accounts.ts';
import { mailboxOfAccount, previewOf } from '../mailboxes/preview-mailbox.ts';
import { consentCookieOf, holdsInvitation, keepResultCookie } from './consent-cookies.ts';
import { invitationDonePage } from './invitation-views.tsx';
import { explainedFor, outcomePage, outcomeView } from './outcome-view.tsx';

type Failed = Exclude<ConsentOutcome, { kind: 'connected' }>;

/**
 * The result of every sign-in that does not continue on another page. The redirect URI redirects to here, so that no code,
 * state or error stays in the address, and a reload shows the same result.
 */
export async function showConsentResult(c: RouteContext<'consentResult'>): Promise<Response> {
  const key = c.req.param('key');
  if (isUnattributed(key)) {
    const parameters = parametersOf(c.req.query('error') ?? '');
    return c.html(await outcomePage(c, { kind: key }, parameters), 400);
  }
  const principal: Principal | undefined = c.get('principal');
  const result = await readResult(c.get('services'), key, {
    cookieOf: (one) => consentCookieOf(c, one),
    principal: principal && { id: principal.id, isAdmin: principal.roles.includes('admin') },
    holdsInvitation: (one) => holdsInvitation(c, one),
  });
  switch (result.kind) {
    case 'open':
      return c.redirect(
        result.startedBy.kind === 'principal'
          ? paths.handover({ key })
          : paths.acceptInvitation({ key: result.startedBy.key }),
        303,
      );
    case 'done':
      return done(c, key, result);
    case 'failed': {
      const { outcome, explanation } = result;
      return c.html(outcomeView(c, outcome, explanation), statusOf(outcome));
    }
  }
}

/**
 * Handles the callback of a failed sign-in. If the vault was unavailable before the state was used up, the redirect URI
 * itself shows the page, and a reload completes the sign-in.
 */
export async function answerFailed(
  c: PageContext,
  outcome: Failed,
  at: { key: string; parameters: URLSearchParams },
): Promise<Response> {
  if (!('connectRequest' in outcome)) {
    const error = outcome.kind === 'unknown' ? errorCodeIn(at.parameters) : undefined;
    return c.redirect(paths.consentResult({ key: outcome.kind }, { error }), 303);
  }
  if (isKept(outcome)) {
    const explanation = await explainedFor(c, outcome, at.parameters);
    const isThere = await keep(c, at.key, { kind: 'failed', outcome, explanation });
    if (!isThere) return c.html(outcomeView(c, outcome, explanation), statusOf(outcome));
  }
  return c.redirect(paths.consentResult({ key: at.key }), 303);
}

/** Handles the callback of an invited owner whose mailbox is connected. */
export async function answerDone(c: PageContext, key: string, accountId: string): Promise<Response> {
  await keep(c, key, { kind: 'done', accountId });
  return c.redirect(paths.consentResult({ key }), 303);
}

const statusOf = ({ kind }: Failed): 400 | 503 => (kind === 'vault-away' ? 503 : 400);

async function keep(c: PageContext, key: string, result: StoreResult): Promise<boolean> {
  const isThere = await c.get('services').consents.keepResult(key, resultAsText(result));
  const cookie = consentCookieOf(c, key);
  if (isThere && cookie !== undefined) keepResultCookie(c, key, cookie);
  return isThere;
}

async function done(
  c: PageContext,
  key: string,
  { accountId }: Extract<StoreResult, { kind: 'done' }>,
): Promise<Response> {
  const services = c.get('services');
  const connectRequest = (await services.consents.get(key))?.consent.connectRequest;
  const account =
    connectRequest &&
    (await services.accounts.get({ providerId: connectRequest.providerId, accountId }))?.account;
  // Removed since: nothing is left to show.
  if (connectRequest === undefined || account === undefined)
    return c.html(await outcomePage(c, { kind: 'unknown' }, new URLSearchParams()), 400);
  const provider = await services.providers.get(connectRequest.providerId);
  // The existing mailbox, or one with the provider's defaults; undefined when the provider has no server for it.
  const mailbox =
    connectRequest.reconnect === undefined
      ? provider &&
        mailboxOfAccount(
          choiceOf(services.config, provider, account),
          connectRequest.address,
          services.seam.now(),
        )
      : await services.mailboxes.get(connectRequest.reconnect.mailboxId);
  const preview = mailbox && (await previewOf(services, mailbox));
  return c.html(invitationDonePage({ connectRequest, user: account.user, preview }));
}
