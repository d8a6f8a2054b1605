import { type Protocol, protocols } from './presets.ts';

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

/**
 * All permissions of an app registration for mail, with Microsoft's IDs:
 * https://learn.microsoft.com/graph/permissions-reference
 */
export const mailPermissions: readonly Permission[] = [
  {
    name: 'IMAP.AccessAsUser.All',
    id: '652390e4-393a-48de-9484-05f9b1212954',
    reason: 'read mail over IMAP',
    protocol: 'imap',
  },
  {
    name: 'POP.AccessAsUser.All',
    id: 'd7b7f2d9-0f45-4ea1-9d42-e50810c06991',
    reason: 'read mail over POP3',
    protocol: 'pop3',
  },
  {
    name: 'SMTP.Send',
    id: '258f6531-6087-4cc4-bb90-092c5fb3ed3f',
    reason: 'send mail over SMTP',
    protocol: 'smtp',
  },
  {
    name: 'offline_access',
    id: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
    reason: 'stay signed in',
  },
  { name: 'openid', id: '37f7f235-527c-4136-accd-4a02d197296e', reason: 'identify the account' },
  { name: 'profile', id: '14dad69e-099b-42c9-810b-d002981feec1', reason: 'read its name' },
  { name: 'email', id: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0', reason: 'read its address' },
];

/** The protocols whose scope was granted, however long the provider writes the scope names. Pure. */
export function protocolsIn(scopes: readonly string[]): readonly Protocol[] {
  const names = new Set(scopes.map((scope) => scope.split('/').at(-1)?.toLowerCase()));
  // Google has one scope for all three.
  if (scopes.includes('https://mail.google.com/')) return protocols;
  return mailPermissions.flatMap(({ name, protocol }) =>
    protocol !== undefined && names.has(name.toLowerCase()) ? [protocol] : [],
  );
}
