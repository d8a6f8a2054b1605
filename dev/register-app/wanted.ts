import { GRAPH_APP_ID, type Permission, permissionsFor } from '../../shared/providers/permissions.ts';
import { usualProtocols } from '../../shared/providers/provider.ts';
import type { GraphRow } from './graph-client.ts';

// The required settings of the two registrations, and what is missing in an existing one. Pure. Nothing is
// ever removed: manual additions stay.

export type Purpose = 'sign-in' | 'mail';

interface AppRole {
  id: string;
  value: string;
  displayName: string;
  description: string;
  isEnabled: boolean;
  allowedMemberTypes: readonly string[];
}
interface ResourceAccess {
  resourceAppId: string;
  resourceAccess: readonly { id: string; type: string }[];
}

const role = (id: string, value: string, displayName: string, description: string): AppRole => ({
  id,
  value,
  displayName,
  description,
  isEnabled: true,
  allowedMemberTypes: ['User'],
});

/**
 * The roles of the pages (shared/platform/principal.ts). The IDs are ours: they only have to be unique
 * within one application.
 */
export const ADMIN_ROLE = role(
  '8f3c1a52-6d0b-4c8e-9a57-2f0f4f6f3b01',
  'admin',
  'Admin',
  'Connects mailboxes, registers providers, sees everything.',
);
const AGENT_ROLE = role(
  '8f3c1a52-6d0b-4c8e-9a57-2f0f4f6f3b02',
  'agent',
  'Agent',
  'Reads and answers tickets.',
);

/** Sign-in requests no mail permissions, only the identity. */
const signInPermissions: readonly string[] = ['openid', 'profile', 'email'];
const permissions: Readonly<Record<Purpose, readonly Permission[]>> = {
  'sign-in': permissionsFor([]).filter(({ name }) => signInPermissions.includes(name)),
  mail: permissionsFor(usualProtocols),
};

const titles: Readonly<Record<Purpose, string>> = { 'sign-in': 'Postroom sign-in', mail: 'Postroom mail' };

const accessOf = (purpose: Purpose): ResourceAccess => ({
  resourceAppId: GRAPH_APP_ID,
  // Microsoft: "Microsoft Graph permissions reference". `Scope` is a delegated permission.
  resourceAccess: permissions[purpose].map(({ id }) => ({ id, type: 'Scope' })),
});

/** A new registration. `label` distinguishes installations in one tenant. */
export function newRegistration(purpose: Purpose, label: string): GraphRow {
  return {
    displayName: `${titles[purpose]} (${label})`,
    signInAudience: 'AzureADMyOrg',
    requiredResourceAccess: [accessOf(purpose)],
    ...(purpose === 'sign-in' && {
      appRoles: [ADMIN_ROLE, AGENT_ROLE],
      // The platform's sign-in requests an ID token with the code.
      web: { redirectUris: [], implicitGrantSettings: { enableIdTokenIssuance: true } },
    }),
  };
}

interface Found {
  requiredResourceAccess?: readonly ResourceAccess[];
  appRoles?: readonly AppRole[];
  web?: {
    redirectUris?: readonly string[];
    implicitGrantSettings?: { enableIdTokenIssuance?: boolean } & GraphRow;
  } & GraphRow;
}

/** What an existing registration lacks, as the body of a PATCH; undefined: nothing. */
export function lacking(found: GraphRow, purpose: Purpose, redirectUri?: string): GraphRow | undefined {
  const { requiredResourceAccess = [], appRoles = [], web = {} } = found as Found;
  const access = mergedAccess(requiredResourceAccess, accessOf(purpose));
  const roles =
    purpose === 'sign-in'
      ? [ADMIN_ROLE, AGENT_ROLE].filter(({ value }) => !appRoles.some((one) => one.value === value))
      : [];
  const { redirectUris = [], implicitGrantSettings = {} } = web;
  const address = redirectUri !== undefined && !redirectUris.includes(redirectUri) ? [redirectUri] : [];
  const tokens = purpose === 'sign-in' && implicitGrantSettings.enableIdTokenIssuance !== true;
  const changes = {
    ...(access !== undefined && { requiredResourceAccess: access }),
    ...(roles.length > 0 && { appRoles: [...appRoles.map(withoutOrigin), ...roles] }),
    ...((address.length > 0 || tokens) && {
      web: {
        redirectUris: [...redirectUris, ...address],
        ...(tokens && {
          implicitGrantSettings: { ...implicitGrantSettings, enableIdTokenIssuance: true },
        }),
      },
    }),
  };
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** Graph returns where a role was defined and rejects requests that include it. */
function withoutOrigin({ origin: _shown, ...role }: AppRole & { origin?: string }): AppRole {
  return role;
}

function mergedAccess(
  found: readonly ResourceAccess[],
  wanted: ResourceAccess,
): readonly ResourceAccess[] | undefined {
  const here = found.find(({ resourceAppId }) => resourceAppId === wanted.resourceAppId);
  const absent = wanted.resourceAccess.filter(
    ({ id }) => here?.resourceAccess.some((one) => one.id === id) !== true,
  );
  if (absent.length === 0) return undefined;
  const others = found.filter((one) => one !== here);
  return [
    ...others,
    { resourceAppId: wanted.resourceAppId, resourceAccess: [...(here?.resourceAccess ?? []), ...absent] },
  ];
}

/** The managed identity as a credential of a registration: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity */
export interface FederatedIdentity {
  name: string;
  issuer: string;
  subject: string;
  audiences: readonly string[];
}

/** What a federated credential of this name lacks; undefined: nothing. Entra's comparison is case-sensitive. */
export function lackingIdentity(found: GraphRow, wanted: FederatedIdentity): GraphRow | undefined {
  const { name: _immutable, ...values } = wanted;
  const differs = Object.entries(values).some(
    ([field, value]) => JSON.stringify(found[field]) !== JSON.stringify(value),
  );
  return differs ? values : undefined;
}
