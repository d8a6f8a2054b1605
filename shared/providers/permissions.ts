import { type Protocol, protocols, serverProtocols } from './presets.ts';
import { microsoftProtocolsIn, protocolAccess } from './protocol-access.ts';

/** A delegated permission of Microsoft Graph, as an app registration lists it. */
export interface Permission {
  name: string;
  id: string;
  /** Its purpose, in a few words. */
  reason: string;
  /** Absent: required for every protocol. */
  protocol?: Protocol;
}

/** The application ID of Microsoft Graph, the same in every tenant. */
export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';

/** The application ID of Office 365 Exchange Online, the same in every tenant. */
export const EXCHANGE_APP_ID = '00000002-0000-0ff1-ce00-000000000000';

const identityPermissions: readonly Permission[] = [
  {
    name: 'offline_access',
    id: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
    reason: 'stay signed in',
  },
  { name: 'openid', id: '37f7f235-527c-4136-accd-4a02d197296e', reason: 'identify the account' },
  { name: 'profile', id: '14dad69e-099b-42c9-810b-d002981feec1', reason: 'read its name' },
  { name: 'email', id: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0', reason: 'read its address' },
];

/**
 * The delegated permissions of an app registration for mail, with Microsoft's IDs, for these protocols only:
 * https://learn.microsoft.com/graph/permissions-reference
 * @param shared also for mailboxes shared with the person who signs in
 */
export function permissionsFor(wanted: readonly Protocol[], { shared = false } = {}): readonly Permission[] {
  const mail = protocols
    .filter((protocol) => wanted.includes(protocol))
    .flatMap((protocol): Permission[] => {
      const { own, shared: others, reason } = protocolAccess[protocol];
      const more = shared && others !== undefined && others.id !== own.id;
      return [
        { ...own, reason, protocol },
        ...(more ? [{ ...others, reason: `${reason}, in shared mailboxes`, protocol }] : []),
      ];
    });
  return [...mail, ...identityPermissions];
}

/** An application permission: the app itself signs in, without a person. */
export interface AppPermission {
  name: string;
  /** Undefined: not known; it is looked up by its name. */
  id: string | undefined;
  /** The application that it is listed under. */
  resourceAppId: string;
  reason: string;
  protocol: Protocol;
}

/** The application permissions for these protocols only. */
export const appPermissionsFor = (wanted: readonly Protocol[]): readonly AppPermission[] =>
  protocols
    .filter((protocol) => wanted.includes(protocol))
    .map((protocol) => {
      const { role, resource, reason } = protocolAccess[protocol];
      const resourceAppId = resource === 'graph' ? GRAPH_APP_ID : EXCHANGE_APP_ID;
      return { ...role, resourceAppId, reason, protocol };
    });

/** The permissions of a registration for mail servers: what was asked before there was a choice. */
export const mailPermissions: readonly Permission[] = permissionsFor(serverProtocols);

/** The protocols whose scope was granted, however long the provider writes the scope names. Pure. */
export function protocolsIn(scopes: readonly string[]): readonly Protocol[] {
  // Google has one scope for all mail servers.
  if (scopes.includes('https://mail.google.com/')) return serverProtocols;
  return microsoftProtocolsIn(scopes);
}
