import { inCloud } from '../providers/clouds.ts';
import type { ExplainContext, ExplanationLink } from './explanation.ts';

interface LinkTemplate {
  label: string;
  /** The page of this app or mailbox: the first one with values for all its placeholders. */
  own?: readonly string[];
  /** The page to use without these values. */
  generic: string;
}

const ENTRA = 'https://entra.microsoft.com/#view';
const APP_LIST = `${ENTRA}/Microsoft_AAD_RegisteredApps/ApplicationsListBlade`;
const ENTERPRISE_LIST = `${ENTRA}/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview`;
const appPage = (blade: string): string =>
  `${ENTRA}/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/${blade}/appId/{clientId}`;
const enterprisePage = (blade: string): string =>
  `${ENTRA}/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/${blade}/objectId/{objectId}/appId/{clientId}`;

// Without a redirect URI the admin returns to the first registered one, which may be another app's.
const ADMIN_CONSENT = 'https://login.microsoftonline.com/{tenant}/adminconsent?client_id={clientId}';

const templates = {
  app: { label: 'The app registration: overview', own: [appPage('Overview')], generic: APP_LIST },
  authentication: {
    label: 'The app registration: authentication',
    own: [appPage('Authentication')],
    generic: APP_LIST,
  },
  secrets: {
    label: 'The app registration: certificates and secrets',
    own: [appPage('Credentials')],
    generic: APP_LIST,
  },
  permissions: {
    label: 'The app registration: API permissions',
    own: [appPage('CallAnAPI')],
    generic: APP_LIST,
  },
  'enterprise-properties': {
    label: 'The enterprise application: properties',
    own: [enterprisePage('Properties')],
    generic: ENTERPRISE_LIST,
  },
  'enterprise-users': {
    label: 'The enterprise application: users and groups',
    own: [enterprisePage('Users')],
    generic: ENTERPRISE_LIST,
  },
  'enterprise-apps': { label: 'Enterprise applications', generic: ENTERPRISE_LIST },
  'consent-requests': {
    label: 'Admin consent requests',
    generic: `${ENTRA}/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AccessRequests`,
  },
  // https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent#construct-the-url-for-granting-tenant-wide-admin-consent
  'admin-consent': {
    label: 'Grant admin consent',
    own: [`${ADMIN_CONSENT}&redirect_uri={redirectUri}`, ADMIN_CONSENT],
    generic: APP_LIST,
  },
  'sign-in-logs': {
    label: 'Sign-in logs',
    generic: `${ENTRA}/Microsoft_AAD_IAM/SignInEventsV3Blade`,
  },
  'conditional-access': {
    label: 'Conditional Access policies',
    generic: `${ENTRA}/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies`,
  },
  'risky-users': { label: 'Risky users', generic: `${ENTRA}/Microsoft_AAD_IAM/RiskyUsersBlade` },
  users: {
    label: 'Users in the Microsoft 365 admin center',
    own: ['https://admin.microsoft.com/#/users/:/UserDetails/{userId}/Account'],
    generic: 'https://admin.microsoft.com/#/users',
  },
  mailboxes: {
    label: 'Mailboxes in the Exchange admin center',
    own: ['https://admin.exchange.microsoft.com/#/mailboxes/:/MailboxDetails/{mailboxId}'],
    generic: 'https://admin.exchange.microsoft.com/#/mailboxes',
  },
  'mail-flow': {
    label: 'Mail flow settings in the Exchange admin center',
    generic: 'https://admin.exchange.microsoft.com/#/settings',
  },
  'smtp-auth': {
    label: 'Microsoft: switch authenticated SMTP on or off',
    generic: 'https://aka.ms/smtp_auth_disabled',
  },
  'service-health': {
    label: 'Service health of Microsoft 365',
    generic: 'https://admin.microsoft.com/#/servicehealth',
  },
  'restricted-entities': {
    label: 'Restricted entities in Microsoft Defender',
    generic: 'https://security.microsoft.com/restrictedentities',
  },
  'mfa-setup': { label: 'Set up multi-factor authentication', generic: 'https://aka.ms/mfasetup' },
  'password-change': {
    label: 'Change the password',
    generic: 'https://mysignins.microsoft.com/security-info/password/change',
  },
  'key-vaults': {
    label: 'Key vaults in the Azure portal',
    generic: 'https://portal.azure.com/#browse/Microsoft.KeyVault%2Fvaults',
  },
  'storage-accounts': {
    label: 'Storage accounts in the Azure portal',
    generic: 'https://portal.azure.com/#browse/Microsoft.Storage%2FStorageAccounts',
  },
  'function-apps': {
    label: 'Function apps in the Azure portal',
    generic: 'https://portal.azure.com/#browse/Microsoft.Web%2Fsites/kind/functionapp',
  },
  support: {
    label: 'Ask Microsoft’s support',
    generic: 'https://admin.microsoft.com/#/support',
  },
} as const satisfies Record<string, LinkTemplate>;

export type LinkName = keyof typeof templates;

/**
 * The page for this installation if its IDs are known, otherwise the page that lists such pages; in its
 * cloud. Pure.
 */
export function linkTo(name: LinkName, context: ExplainContext): ExplanationLink {
  const { label, own, generic }: LinkTemplate = templates[name];
  const known = own?.map((template) => filledUrl(template, context)).find((url) => url !== undefined);
  return { label, href: inCloud(known ?? generic, context.cloud ?? 'worldwide') };
}

/** Microsoft's own page about an error number. */
export const lookUp = (number: number, { cloud = 'worldwide' }: ExplainContext): ExplanationLink => ({
  label: `Microsoft’s page on error ${number}`,
  href: inCloud(`https://login.microsoftonline.com/error?code=${number}`, cloud),
});

/** Undefined when a placeholder has no value. */
function filledUrl(template: string, context: ExplainContext): string | undefined {
  let complete = true;
  const url = template.replaceAll(
    /\{(clientId|tenant|objectId|redirectUri|userId|mailboxId)\}/g,
    (_, name: keyof ExplainContext) => {
      const value = context[name];
      if (value === undefined) complete = false;
      return encodeURIComponent(value ?? '');
    },
  );
  return complete ? url : undefined;
}
