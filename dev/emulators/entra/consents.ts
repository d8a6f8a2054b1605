import { interactionPolicy, type OidcContext, type Provider } from 'oidc-provider';
import { type KnownTenant, userByName } from './directory.ts';
import { OIDC_SCOPES, resourcesOf, SOFT_OFFLINE, words } from './scopes.ts';
import type { TokenStore } from './token-store.ts';

/** `select_account` is not a built-in prompt; a `login_hint` for another user must end a silent sign-in. */
export function promptPolicy(tenant: KnownTenant): interactionPolicy.Policy {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }, () => ({})), 0);
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('login_hint', 'another account is signed in', 'login_required', (context) => {
      const { params, session, result } = context.oidc;
      const hint = params?.['login_hint'];
      const hinted = hint === undefined ? undefined : userByName(tenant, hint);
      return (
        hinted !== undefined &&
        session.accountId !== undefined &&
        session.accountId !== hinted.oid &&
        result?.login === undefined
      );
    }),
  );
  policy
    .get('consent')
    ?.checks.add(
      new interactionPolicy.Check(
        'other_resource',
        'scopes of another resource were not consented to',
        'consent_required',
        needsConsent,
      ),
    );
  return policy;
}

/**
 * True when a scope of any resource was not consented to. oidc-provider compares the scopes of one resource only;
 * Entra asks for all that a request names.
 */
function needsConsent({ oidc }: OidcContext): boolean {
  const wanted = words(oidc.params?.['scope']);
  return resourcesOf(wanted.join(' ')).some((resource) => {
    const granted = words(oidc.grant?.getResourceScopeEncountered(resource));
    return wanted.some((name) => name.startsWith(`${resource}/`) && !granted.includes(name));
  });
}

/** A consent applies in every browser, an admin's to everyone; `prompt=consent` asks regardless. */
export async function existingGrant(
  context: OidcContext & { oidc: { provider: Provider } },
  { tenant, store }: { tenant: KnownTenant; store: TokenStore },
): Promise<unknown> {
  const { oidc } = context;
  const { accountId } = oidc.session;
  const { clientId } = oidc.client;
  const id =
    oidc.result?.consent?.grantId ??
    oidc.session.grantIdFor(clientId) ??
    (accountId === undefined ? undefined : store.grantOf(tenant.id, accountId, clientId));
  const found = id === undefined ? undefined : await oidc.provider.Grant.find(id);
  const client = tenant.clients.find((candidate) => candidate.id === clientId);
  if (client?.adminConsented !== true || accountId === undefined) return found;
  const grant = found ?? new oidc.provider.Grant({ accountId, clientId });
  grantScopes(grant, oidc.params?.['scope']);
  await grant.save();
  return grant;
}

/** Adds every scope of a request to a consent. */
export function grantScopes(
  grant: { addOIDCScope(scope: string): void; addResourceScope(resource: string, scope: string): void },
  scope: string | undefined,
): void {
  const wanted = words(scope);
  grant.addOIDCScope(wanted.filter((name) => OIDC_SCOPES.includes(name) || name === SOFT_OFFLINE).join(' '));
  for (const resource of resourcesOf(scope))
    grant.addResourceScope(resource, wanted.filter((name) => name.startsWith(`${resource}/`)).join(' '));
}
