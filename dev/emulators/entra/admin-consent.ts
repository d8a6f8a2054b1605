import type { ServerResponse } from 'node:http';
import { authorizeTrouble } from './authorize.ts';
import type { Directory, KnownTenant } from './directory.ts';
import { type Asked, engineScope } from './engine-request.ts';
import { sendPage, shownScopes } from './interactions.ts';
import { adminConsentPage, troublePage } from './sign-in-pages.ts';
import { errorBack, sendBack } from './way-back.ts';

/**
 * `/{tenant}/v2.0/adminconsent`: a page that consents for the organization or cancels, then the redirect
 * with `admin_consent=True&tenant=…&scope=…&state=…` or an error. `admin_consent=True` is also sent with an
 * error: it names the page that redirected, not the decision. Everyone who opens it counts as an admin.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 *
 * `/{tenant}/adminconsent` is the older one, used by Microsoft's portal: it takes the permissions from the
 * registration, and without a redirect URI it redirects to the first one registered.
 * @param query parameters of the URL, also when the form is posted to it
 */
export function handleAdminConsent(
  asked: Asked,
  query: URLSearchParams,
  response: ServerResponse,
  tenant: KnownTenant,
  directory: Directory,
): void {
  const client = tenant.clients.find(({ id }) => id === query.get('client_id'));
  const [firstUri] = client?.redirectUris ?? [];
  if (asked.path === '/adminconsent' && !query.has('redirect_uri') && firstUri !== undefined)
    query.set('redirect_uri', firstUri);
  const trouble = authorizeTrouble(query, tenant);
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
  sendBack(response, query, { admin_consent: 'True', ...(accepted ? approval(tenant, scope) : refusal()) });
}

const approval = (tenant: KnownTenant, scope: string): Record<string, string> => ({
  tenant: tenant.id,
  ...(scope !== '' && { scope }),
});

const refusal = (): Record<string, string> =>
  errorBack(65004, 'consent_required', 'The resource owner or authorization server denied the request.');
