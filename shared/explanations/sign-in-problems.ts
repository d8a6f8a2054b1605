import type { Meanings } from './explanation.ts';
import { newSecret, nothingToDo, replaceSecret, signInAgain, startAgain } from './phrases.ts';

/** Accounts, and the providers over which they sign in. */
export const signInProblems = {
  'account-missing': {
    title: 'The account of this mailbox was removed',
    cause: 'Somebody removed the account that signs in for this mailbox.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  unknown: {
    title: 'The account does not work, and the reason was not kept',
    cause: 'The account is marked as failing, and its row does not say why.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  'refresh-busy': {
    title: 'The sign-in is being renewed',
    cause: 'Another run of Postroom fetches a fresh token for the same account at this moment.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'lease-taken': {
    title: 'Another run renews this account',
    cause: 'This run waited too long, and another run of Postroom took over the account.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'tokens-unreadable': {
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
  'permission-not-granted': {
    title: 'The sign-in does not include this way',
    cause:
      'The account was connected for other ways of reading or sending mail, so it has no permission for this one.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  'mail-host-refused': {
    title: 'The sign-in may not be used at this mail server',
    cause: 'A token goes to the mail servers of its provider only, and the mailbox names another server.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and correct its server.',
      'If the server is right: edit the provider and correct its mail servers.',
    ],
    links: [],
  },
  'provider-missing': {
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
  'provider-changed': {
    title: 'The app registration of this mailbox is another one now',
    cause: 'Somebody gave the provider another tenant or client ID, and a sign-in belongs to one app.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  'provider-without-endpoints': {
    title: 'The provider has no endpoints',
    cause: 'The provider is not one that Postroom knows, and nobody entered its issuer or its endpoints.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, edit the provider and enter its issuer or its endpoints.', 'Test the provider.'],
    links: [],
  },
  'demo-gone': {
    title: 'The demo provider works on a developer’s machine only',
    cause: 'The provider was made by the demo of npm start, and no demo runs here.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, register a provider of your own, and delete the demo provider.'],
    links: [],
  },
  'secret-missing': {
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
  'endpoint-private': {
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
  'endpoint-refused': {
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
  'endpoint-silent': {
    title: 'An address outside does not answer',
    cause:
      'No usable answer came from a provider, Microsoft Graph or a webhook: it is away, or the network of Postroom does not let the request out.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it lasts: allow outgoing connections to port 443, and check routes, DNS and proxy of the virtual network.',
    ],
    links: ['function-apps'],
  },
  'no-answer': {
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
  'consent-exists': {
    title: 'Two sign-ins got the same name by chance',
    cause: 'A new sign-in drew the random name of an older one. Nothing of the older one was changed.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [startAgain],
    links: [],
  },
  'approval-exists': {
    title: 'Two requests for an approval got the same name by chance',
    cause: 'A new request drew the random name of an older one. Nothing of the older one was changed.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Ask for the approval again.'],
    links: [],
  },
  'invitation-exists': {
    title: 'Two invitations got the same name by chance',
    cause: 'A new invitation drew the random name of an older one. Nothing of the older one was changed.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Make the invitation again.'],
    links: [],
  },
} satisfies Meanings;
