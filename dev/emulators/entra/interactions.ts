import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionDetails, Provider } from 'oidc-provider';
import { readBody } from '../http-answers.ts';
import { grantScopes } from './consents.ts';
import { type KnownTenant, type KnownUser, userById, userByName } from './directory.ts';
import { aadstsBody } from './error-bodies.ts';
import { OIDC_SCOPES, SOFT_OFFLINE, words } from './scopes.ts';
import {
  approvalPage,
  consentPage,
  type Page,
  pickAccountPage,
  signInPage,
  troublePage,
} from './sign-in-pages.ts';

interface Interaction {
  request: IncomingMessage;
  response: ServerResponse;
  provider: Provider;
  tenant: KnownTenant;
  details: InteractionDetails;
  action: string;
}

export function sendPage(response: ServerResponse, page: Page, status = 200): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': page.policy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
  response.end(page.html);
}

/**
 * Sign-in, account selection and consent: shows the page that an authorization waits for, or processes its
 * form.
 */
export async function handleInteraction(
  request: IncomingMessage,
  response: ServerResponse,
  provider: Provider,
  tenant: KnownTenant,
): Promise<void> {
  let details: InteractionDetails;
  try {
    details = await provider.interactionDetails(request, response);
  } catch {
    sendPage(
      response,
      troublePage('This sign-in has expired or was already finished. Go back to the app and start again.'),
      400,
    );
    return;
  }
  const action = new URL(request.url ?? '/', 'http://localhost').pathname;
  const interaction = { request, response, provider, tenant, details, action };
  if (request.method !== 'POST') return sendPage(response, pageFor(interaction));
  const form = new URLSearchParams(await readBody(request));
  if (form.get('action') === 'cancel')
    return decline(interaction, 65004, 'User declined to consent to access the app.');
  if (form.get('action') === 'no-approval')
    return decline(
      interaction,
      90094,
      'Admin consent is required for the permissions requested by this application.',
    );
  return details.prompt.name === 'consent' ? accept(interaction) : signIn(interaction, form);
}

function pageFor(interaction: Interaction): Page {
  const { details, tenant, action } = interaction;
  const hint = details.params['login_hint'];
  if (details.prompt.name === 'consent') return consentOrApproval(interaction);
  if (details.prompt.name === 'select_account' || hint === undefined)
    return pickAccountPage(action, tenant.users);
  return oneAccountPage(interaction, hint);
}

function oneAccountPage({ tenant, action }: Interaction, username: string, error?: string): Page {
  const user = userByName(tenant, username);
  return signInPage(action, {
    username,
    askPassword: user?.password !== undefined,
    others: tenant.users.filter((other) => other !== user),
    error,
  });
}

function consentOrApproval({ tenant, details, action }: Interaction): Page {
  const client = tenant.clients.find(({ id }) => id === details.params['client_id']);
  const app = client?.name ?? details.params['client_id'] ?? '';
  if (tenant.userConsent === false) return approvalPage(action, app);
  const user = details.session === undefined ? undefined : userById(tenant, details.session.accountId);
  return consentPage(action, app, user?.upn ?? '', shownScopes(details.params['scope']));
}

/** The permissions as a person reads them. */
export const shownScopes = (scope: string | undefined): string[] =>
  words(scope)
    .map((name) => (name === SOFT_OFFLINE ? 'offline_access' : name))
    .sort((a, b) => Number(OIDC_SCOPES.includes(a)) - Number(OIDC_SCOPES.includes(b)));

async function signIn(interaction: Interaction, form: URLSearchParams): Promise<void> {
  const { provider, request, response, details, tenant } = interaction;
  const username = form.get('username') ?? '';
  const user = userByName(tenant, username);
  const password = form.get('password');
  if (user?.password !== undefined && password === null)
    return sendPage(response, oneAccountPage(interaction, username));
  const refusal = refusalOf(user, password, tenant);
  if (refusal !== undefined) return sendPage(response, oneAccountPage(interaction, username, refusal));
  const accountId = user?.oid ?? '';
  if (details.session !== undefined && details.session.accountId !== accountId)
    await forgetSession(provider, details);
  return provider.interactionFinished(
    request,
    response,
    {
      login: { accountId, amr: ['pwd'], ts: Math.floor(Date.now() / 1000) },
      ...(details.prompt.name === 'select_account' && { select_account: {} }),
    },
    { mergeWithLastSubmission: true },
  );
}

function refusalOf(
  user: KnownUser | undefined,
  password: string | null,
  tenant: KnownTenant,
): string | undefined {
  if (user === undefined)
    return `AADSTS50034: The user account does not exist in the ${tenant.domain} directory. To sign into this application, the account must be added to the directory.`;
  if (user.disabled === true) return 'AADSTS50057: The user account is disabled.';
  if (user.password !== undefined && user.password !== password)
    return 'AADSTS50126: Error validating credentials due to invalid username or password.';
  return undefined;
}

/**
 * A different account than the signed-in one: the engine would request a sign-out on a page that needs
 * scripts. Without the old session it starts a new one.
 */
async function forgetSession(provider: Provider, details: InteractionDetails): Promise<void> {
  const session =
    details.session?.uid === undefined ? undefined : await provider.Session.findByUid(details.session.uid);
  await session?.destroy();
  delete details.session;
  await details.persist();
}

async function accept(interaction: Interaction): Promise<void> {
  const { provider, request, response, details, tenant } = interaction;
  if (tenant.userConsent === false) return sendPage(response, consentOrApproval(interaction), 403);
  const found = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId);
  const grant =
    found ??
    new provider.Grant({
      accountId: details.session?.accountId ?? '',
      clientId: details.params['client_id'] ?? '',
    });
  grantScopes(grant, details.params['scope']);
  return provider.interactionFinished(
    request,
    response,
    { consent: { grantId: await grant.save() } },
    { mergeWithLastSubmission: true },
  );
}

async function decline(interaction: Interaction, code: number, sentence: string): Promise<void> {
  const { error_description } = aadstsBody(code, 'access_denied', sentence);
  return interaction.provider.interactionFinished(
    interaction.request,
    interaction.response,
    { error: 'access_denied', error_description },
    { mergeWithLastSubmission: false },
  );
}
