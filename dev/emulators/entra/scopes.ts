const MAIL = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send', '.default'];

const RESOURCES: Record<string, readonly string[]> = {
  'https://outlook.office.com': MAIL,
  'https://outlook.office365.com': MAIL,
  'https://graph.microsoft.com': [
    ...MAIL,
    'User.Read',
    'Mail.ReadBasic',
    'Mail.ReadBasic.Shared',
    'Mail.Read',
    'Mail.Read.Shared',
    'Mail.ReadWrite',
    'Mail.ReadWrite.Shared',
    'Mail.Send',
    'Mail.Send.Shared',
  ],
};

/** What an app's own token may do (`roles`), by the resource it is for; all of it counts as granted. */
const APP_ROLES: Record<string, readonly string[]> = {
  'https://outlook.office.com': ['IMAP.AccessAsApp', 'POP.AccessAsApp', 'SMTP.SendAsApp'],
  'https://outlook.office365.com': ['IMAP.AccessAsApp', 'POP.AccessAsApp', 'SMTP.SendAsApp'],
  'https://graph.microsoft.com': ['Mail.ReadWrite', 'Mail.Send'],
};

/** The application permissions in a token for this resource. */
export const appRolesOf = (resource: string): readonly string[] => APP_ROLES[resource] ?? [];

export const OIDC_SCOPES: readonly string[] = ['openid', 'profile', 'email', 'offline_access'];

/**
 * oidc-provider drops `offline_access` without `prompt=consent` (OpenID Connect Core, section 11); Entra
 * always honors it. Under this name it passes.
 */
export const SOFT_OFFLINE = 'x_offline';

/** The scopes of mail protocols, as a consent names them. */
export const MAIL_SCOPES: readonly string[] = [
  'https://outlook.office.com/IMAP.AccessAsUser.All',
  'https://outlook.office.com/POP.AccessAsUser.All',
  'https://outlook.office.com/SMTP.Send',
];

export const words = (scope: string | undefined): string[] =>
  (scope ?? '').split(' ').filter((s) => s !== '');

/** The resources that a scope string names, in order: the first determines the audience. */
export function resourcesOf(scope: string | undefined): string[] {
  const found = words(scope).map((name) =>
    Object.keys(RESOURCES).find((resource) => name.startsWith(`${resource}/`)),
  );
  return [...new Set(found.filter((resource) => resource !== undefined))];
}

/** All permissions of a resource, as full names. */
export const permissionsOf = (resource: string): string =>
  (RESOURCES[resource] ?? []).map((name) => `${resource}/${name}`).join(' ');

export const isKnownScope = (name: string): boolean =>
  OIDC_SCOPES.includes(name) ||
  name === SOFT_OFFLINE ||
  Object.keys(RESOURCES).some((resource) => permissionsOf(resource).split(' ').includes(name));

/** The scopes in the token: `IMAP.AccessAsUser.All SMTP.Send`, without the resource. */
export const shortNames = (scope: string | undefined): string =>
  words(scope)
    .map((name) => name.slice(name.lastIndexOf('/') + 1))
    .join(' ');
