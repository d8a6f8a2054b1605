import { randomUUID } from 'node:crypto';
import { readJson, writeAtomically } from '../process/state-file.ts';

// What the stand-in Graph remembers: the shapes of Microsoft Graph v1.0, as far as Postroom's own requests reach.

export interface PasswordCredential {
  keyId: string;
  displayName: string | null;
  hint: string;
  startDateTime: string;
  endDateTime: string;
  secretText: null;
  customKeyIdentifier: null;
}

export interface FederatedCredential {
  id: string;
  name: string;
  issuer: string;
  subject: string;
  audiences: string[];
  description: string | null;
}

export interface AppRole {
  id: string;
  value: string;
  displayName: string;
  description: string;
  isEnabled: boolean;
  allowedMemberTypes: string[];
  /** Shown, never taken: "Must not be included in any POST or PATCH requests." */
  origin?: string;
}

export interface Application {
  id: string;
  appId: string;
  uniqueName: string | null;
  displayName: string;
  signInAudience: string;
  createdDateTime: string;
  web: { redirectUris: string[]; implicitGrantSettings?: Record<string, boolean> };
  requiredResourceAccess: { resourceAppId: string; resourceAccess: { id: string; type: string }[] }[];
  appRoles: AppRole[];
  passwordCredentials: PasswordCredential[];
  [other: string]: unknown;
}

export interface Scope {
  id: string;
  value: string;
}

export interface ServicePrincipal {
  id: string;
  appId: string;
  displayName: string;
  servicePrincipalType: string;
  appRoles: AppRole[];
  oauth2PermissionScopes: Scope[];
  [other: string]: unknown;
}

export interface AppRoleAssignment {
  id: string;
  principalId: string;
  principalType: string;
  resourceId: string;
  appRoleId: string;
}

export interface PermissionGrant {
  id: string;
  clientId: string;
  consentType: string;
  principalId: string | null;
  resourceId: string;
  scope: string;
}

interface Kept {
  applications: Application[];
  /** Object id of an application → who owns it. */
  owners: Record<string, string[]>;
  /** Object id of an application → its federated credentials. */
  federated: Record<string, FederatedCredential[]>;
  servicePrincipals: ServicePrincipal[];
  assignments: AppRoleAssignment[];
  grants: PermissionGrant[];
  /** Object id of an app → application permissions that an admin granted it here. */
  permissions: Record<string, string[]>;
}

export interface Directory extends Kept {
  /** Writes what changed, when there is a file. */
  save(): void;
}

// Microsoft: "Microsoft Graph permissions reference"; Exchange Online's from a listing of its own service principal.
const BUILT_IN: readonly {
  appId: string;
  displayName: string;
  scopes: Record<string, string>;
  roles: Record<string, string>;
}[] = [
  {
    appId: '00000003-0000-0000-c000-000000000000',
    displayName: 'Microsoft Graph',
    scopes: {
      'IMAP.AccessAsUser.All': '652390e4-393a-48de-9484-05f9b1212954',
      'POP.AccessAsUser.All': 'd7b7f2d9-0f45-4ea1-9d42-e50810c06991',
      'SMTP.Send': '258f6531-6087-4cc4-bb90-092c5fb3ed3f',
      offline_access: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
      openid: '37f7f235-527c-4136-accd-4a02d197296e',
      profile: '14dad69e-099b-42c9-810b-d002981feec1',
      email: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0',
      'User.Read': 'e1fe6dd8-ba31-4d61-89e7-88639da4683d',
    },
    roles: { 'Application.ReadWrite.OwnedBy': '18a4783c-866b-4cc7-a460-3d5e5662c884' },
  },
  {
    appId: '00000002-0000-0ff1-ce00-000000000000',
    displayName: 'Office 365 Exchange Online',
    scopes: {
      'IMAP.AccessAsUser.All': '195adc35-e27b-454b-a7ed-1ecdffa1c09f',
      'POP.AccessAsUser.All': 'fb698133-92fa-453e-a9ed-688e10f2e5ac',
      'SMTP.Send': '76faac2a-0f20-42f1-928a-50de5b9dbe52',
    },
    roles: {},
  },
];

/** Opens the directory of a file, or an empty one; Microsoft's own service principals are always there. */
export function openDirectory(file: string | undefined): Directory {
  const kept: Kept = (file === undefined ? undefined : readJson<Kept>(file)) ?? {
    applications: [],
    owners: {},
    federated: {},
    servicePrincipals: BUILT_IN.map(({ appId, displayName, scopes, roles }) => ({
      id: randomUUID(),
      appId,
      displayName,
      servicePrincipalType: 'Application',
      appRoles: Object.entries(roles).map(([value, id]) => ({
        id,
        value,
        displayName: value,
        description: value,
        isEnabled: true,
        allowedMemberTypes: ['Application'],
      })),
      oauth2PermissionScopes: Object.entries(scopes).map(([value, id]) => ({ id, value })),
    })),
    assignments: [],
    grants: [],
    permissions: {},
  };
  return {
    ...kept,
    save: () => {
      if (file !== undefined) writeAtomically(file, JSON.stringify(kept, undefined, 2));
    },
  };
}
