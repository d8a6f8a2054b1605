import type { Protocol } from './presets.ts';

/**
 * What an access token of Microsoft is for: Exchange's mail servers, or Microsoft Graph. Entra issues each
 * token for one of them. Other providers issue one token for all their servers; it counts as `outlook`.
 */
export type Resource = 'outlook' | 'graph';
export const resources: readonly Resource[] = ['outlook', 'graph'];

/** A permission as an app registration lists it. */
export interface NamedPermission {
  name: string;
  /** Microsoft's ID, the same in every tenant; undefined: not known, so that scripts look it up by name. */
  id: string | undefined;
}

/** What a protocol needs at Microsoft. */
export interface ProtocolAccess {
  resource: Resource;
  /** Delegated permission for the own mailbox of the person who signs in. */
  own: NamedPermission & { id: string };
  /** The same for a mailbox shared with that person; undefined: only an application permission works. */
  shared: (NamedPermission & { id: string }) | undefined;
  /** Application permission, for the app without a person. */
  role: NamedPermission;
  /** The management role with which Exchange grants the same for single mailboxes; undefined: none. */
  exchangeRole: string | undefined;
  /** Its purpose, in a few words. */
  reason: string;
}

const imap = { name: 'IMAP.AccessAsUser.All', id: '652390e4-393a-48de-9484-05f9b1212954' };
const pop3 = { name: 'POP.AccessAsUser.All', id: 'd7b7f2d9-0f45-4ea1-9d42-e50810c06991' };
const smtp = { name: 'SMTP.Send', id: '258f6531-6087-4cc4-bb90-092c5fb3ed3f' };

/**
 * Every protocol with its permissions. Delegated ones are all listed under Microsoft Graph in a registration,
 * also those of Exchange's mail servers; application permissions are listed under their resource.
 * Scopes of the mail servers:
 * https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
 * IDs: https://learn.microsoft.com/graph/permissions-reference
 * Shared mailboxes take no subscription with a delegated permission:
 * https://learn.microsoft.com/graph/outlook-share-messages-folders
 * Management roles: https://learn.microsoft.com/exchange/permissions-exo/application-rbac
 */
export const protocolAccess: Readonly<Record<Protocol, ProtocolAccess>> = {
  imap: {
    resource: 'outlook',
    own: imap,
    shared: imap,
    role: { name: 'IMAP.AccessAsApp', id: '5e5addcd-3e8d-4e90-baf5-964efab2b20a' },
    exchangeRole: undefined,
    reason: 'read mail over IMAP',
  },
  pop3: {
    resource: 'outlook',
    own: pop3,
    shared: pop3,
    role: { name: 'POP.AccessAsApp', id: 'cb842b43-da6e-4506-86fe-bb12199c656d' },
    exchangeRole: undefined,
    reason: 'read mail over POP3',
  },
  smtp: {
    resource: 'outlook',
    own: smtp,
    shared: smtp,
    role: { name: 'SMTP.SendAsApp', id: undefined },
    exchangeRole: 'Application SMTP.SendAsApp',
    reason: 'send mail over SMTP',
  },
  graph: {
    resource: 'graph',
    own: { name: 'Mail.ReadWrite', id: '024d486e-b451-40bb-833d-3e66d98c5c73' },
    shared: { name: 'Mail.ReadWrite.Shared', id: '5df07973-7d5d-46ed-9847-1271055cbd51' },
    role: { name: 'Mail.ReadWrite', id: 'e2a3a72e-5f79-4c64-b1b1-878b674786c9' },
    exchangeRole: 'Application Mail.ReadWrite',
    reason: 'read and change mail over Microsoft Graph',
  },
  'graph-send': {
    resource: 'graph',
    own: { name: 'Mail.Send', id: 'e383f46e-2787-4529-855e-0e479a3ffac0' },
    shared: { name: 'Mail.Send.Shared', id: 'a367ab51-6b49-43bf-a716-a1fb06d2a174' },
    role: { name: 'Mail.Send', id: 'b633e1c5-b582-4048-a93e-9f11b44c7e96' },
    exchangeRole: 'Application Mail.Send',
    reason: 'send mail over Microsoft Graph',
  },
  'graph-push': {
    resource: 'graph',
    own: { name: 'Mail.ReadBasic', id: 'a4b8392a-d8d1-4954-a029-8e668a39a170' },
    shared: undefined,
    role: { name: 'Mail.ReadBasic', id: '6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a' },
    exchangeRole: 'Application Mail.ReadBasic',
    reason: 'learn of new mail at once',
  },
};

const nameOf = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1).toLowerCase();

/** The protocols that one granted scope or role allows, however long the provider writes its name. */
function protocolsOfScope(scope: string): Protocol[] {
  const name = nameOf(scope);
  return protocolNames.filter((protocol) => {
    const { own, shared, role } = protocolAccess[protocol];
    return [own, shared, role].some((permission) => permission?.name.toLowerCase() === name);
  });
}

const protocolNames = Object.keys(protocolAccess) as Protocol[];

/**
 * The protocols that Microsoft's scopes or roles allow. Whoever may read and change mail also learns of new
 * mail (`graph-push`). Pure.
 */
export function microsoftProtocolsIn(scopes: readonly string[]): readonly Protocol[] {
  const granted = new Set(scopes.flatMap(protocolsOfScope));
  const readsOwn = scopes.some((scope) => nameOf(scope) === protocolAccess.graph.own.name.toLowerCase());
  if (readsOwn) granted.add('graph-push');
  return protocolNames.filter((protocol) => granted.has(protocol));
}

/** The resource whose token carries this scope; undefined for `openid` and other scopes of no resource. */
export function resourceOfScope(scope: string): Resource | undefined {
  const [protocol] = protocolsOfScope(scope);
  return protocol && protocolAccess[protocol].resource;
}

export const resourcesOf = (wanted: readonly Protocol[]): readonly Resource[] =>
  resources.filter((resource) => wanted.some((protocol) => protocolAccess[protocol].resource === resource));
