import type { LineEntry } from './explanation.ts';
import { newSecret, nothingToDo, replaceSecret, signInAgain } from './phrases.ts';

/** What Postroom itself says of accounts and providers; the codes are those that it keeps with them. */
export const postroomEntries: readonly LineEntry[] = [
  {
    code: 'account-missing',
    pattern: /\bThe account that signs in was removed\b/,
    title: 'The account of this mailbox was removed',
    cause: 'Somebody removed the account that signs in for this mailbox.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  {
    code: 'provider-missing',
    pattern: /\bThe provider was deleted\b/,
    title: 'The provider of this mailbox was deleted',
    cause: 'Somebody deleted the provider over which this mailbox signs in.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [
      'In Postroom, choose another provider, or register it again with the same client ID.',
      signInAgain,
    ],
    links: [],
  },
  {
    code: 'refresh-busy',
    pattern: /\bAnother process is renewing the sign-in\b/,
    title: 'The sign-in is being renewed',
    cause: 'Another run of Postroom fetches a fresh token for the same account at this moment.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  {
    code: 'secret-missing',
    pattern: /\bThe (?:client secret|credential) of .{1,200} is not in Key Vault\b/,
    title: 'The credential is not in the key vault',
    cause: 'The secret was deleted in the vault, or the vault is another one than before.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, “Manage deleted secrets”, and recover it if it is there.',
      `If it is not: ${newSecret}`,
      replaceSecret,
    ],
    links: ['key-vaults', 'secrets'],
  },
  {
    code: 'secret-disabled',
    pattern: /\bThe credential of .{1,200} is switched off in Key Vault\b/,
    title: 'The credential is switched off in the key vault',
    cause: 'Somebody has disabled the entry of the provider’s credential.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, the entry of this provider, and set its newest version to “Enabled”.',
      'Postroom looks again after ten minutes at most.',
    ],
    links: ['key-vaults'],
  },
  {
    code: 'tokens-unreadable',
    pattern: /\bThe stored sign-in cannot be read\b/,
    title: 'The stored sign-in cannot be read',
    cause:
      'The encryption key in the key vault was replaced or removed, so the stored tokens cannot be decrypted.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'If the encryption key was deleted a short time ago: open the key vault, Secrets, “Manage deleted secrets”, and recover it. Then nothing else is needed.',
      signInAgain,
    ],
    links: ['key-vaults'],
  },
  {
    code: 'endpoint-private',
    pattern: /\bleads to a private address\b/,
    title: 'The host leads to a private address',
    cause: 'Postroom sends secrets to public servers only, and this name leads into a private network.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the host names of the provider and of the mailbox.',
      'Check what the name resolves to in the network of the function app.',
    ],
    links: ['function-apps'],
  },
  {
    code: 'endpoint-refused',
    pattern:
      /\bnames an address that may not be used\b|\bdoes not say where people sign in\b|\bDiscovery at \S{1,300} (?:names another issuer|finds nothing)\b/,
    title: 'An address of the provider may not be used',
    cause:
      'The issuer or an endpoint of the provider is not a public https address, or leads to another issuer.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open the provider and correct its tenant, its issuer or its endpoints.',
      'Test the provider.',
    ],
    links: [],
  },
  {
    code: 'no-identity',
    pattern: /\bThe managed identity gave no token\b/,
    title: 'There is no managed identity that could vouch for the app',
    cause:
      'The provider trusts the managed identity of Postroom, and the function app has none that gives tokens, or Postroom runs elsewhere than on Azure.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, Identity, “User assigned”, and check that the identity of the installation stands there.',
      'Elsewhere than on Azure: in Postroom, open the provider and enter a client secret or a certificate.',
    ],
    links: ['function-apps'],
  },
  {
    code: 'provider-changed',
    pattern: /\bThe tenant or the client ID of .{1,200} was changed\b/,
    title: 'The app registration of this mailbox is another one now',
    cause: 'Somebody gave the provider another tenant or client ID, and a sign-in belongs to one app.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  {
    code: 'no-answer',
    pattern:
      /\bNo answer came from\b|\bThe sign-in service of .{1,200} does not answer\b|\bendpoint-silent\b/,
    title: 'The sign-in service does not answer',
    cause:
      'No usable answer came: the service is away, or the network of Postroom does not let the request out.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it lasts: allow outgoing connections to port 443 of the login host, and check routes, DNS and proxy of the virtual network.',
    ],
    links: ['service-health', 'function-apps'],
  },
];
