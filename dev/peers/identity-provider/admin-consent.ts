import type { ServerResponse } from 'node:http';
import { authorizeTrouble } from './authorize.ts';
import type { Directory, KnownTenant } from './directory.ts';
import { type Asked, engineScope } from './engine-request.ts';
import { aadstsBody } from './error-bodies.ts';
import { sendPage, shownScopes } from './interactions.ts';
import { adminConsentPage, troublePage } from './sign-in-pages.ts';

/**
 * `/{tenant}/v2.0/adminconsent`: a page that accepts for everybody or cancels, then the way back with
 * `admin_consent=True&tenant=…&scope=…&state=…` or an error (Microsoft: "Admin consent protocols"). Whoever opens it
 * counts as an admin.
 * @param query what the address carries, also when the form is posted to it
 */
export function handleAdminConsent(
  asked: Asked,
  query: URLSearchParams,
  response: ServerResponse,
  tenant: KnownTenant,
  directory: Directory,
): void {
  const trouble = authorizeTrouble(query, tenant);
  const client = tenant.clients.find(({ id }) => id === query.get('client_id'));
  if (trouble !== undefined || client === undefined) {
    sendPage(response, troublePage(trouble ?? 'This app is not known here.'), 400);
    return;
  }
  const scope = query.get('scope') ?? '';
  if (asked.request.method !== 'POST') {
    const shown = shownScopes(engineScope(scope));
    sendPage(
      response,
      adminConsentPage(asked.request.url ?? '/', client.name ?? client.id, tenant.domain, shown),
    );
    return;
  }
  const accepted = asked.params.get('action') === 'accept';
  if (accepted) {
    client.adminConsented = true;
    directory.save();
  }
  response.writeHead(302, {
    location: wayBack(query, accepted ? approval(tenant, scope) : refusal()),
    'cache-control': 'no-store',
  });
  response.end();
}

function wayBack(query: URLSearchParams, answer: Record<string, string>): string {
  const target = new URL(query.get('redirect_uri') ?? '');
  for (const [name, value] of Object.entries(answer)) target.searchParams.set(name, value);
  const state = query.get('state');
  if (state !== null) target.searchParams.set('state', state);
  return target.href;
}

const approval = (tenant: KnownTenant, scope: string): Record<string, string> => ({
  admin_consent: 'True',
  tenant: tenant.id,
  ...(scope !== '' && { scope }),
});

function refusal(): Record<string, string> {
  const { error, error_description } = aadstsBody(
    65004,
    'access_denied',
    'User declined to consent to access the app.',
  );
  return { error, error_description, error_subcode: 'cancel' };
}
