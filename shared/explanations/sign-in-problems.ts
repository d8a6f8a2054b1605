import type { Meanings } from './explanation.ts';
import { newSecret, nothingToDo, replaceSecret, signInAgain, startAgain } from './phrases.ts';

/** Accounts, and the providers over which they sign in. */
export const signInProblems = {
  'account-missing': {
    title: 'The account of this mailbox was removed',
    cause: 'Someone removed the account that signs in for this mailbox.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  unknown: {
    title: 'The account does not work, and the reason is unknown',
    cause: 'The account is marked as failing, but its row does not say why.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  'refresh-busy': {
    title: 'The sign-in is being renewed',
    cause: 'Another run of Postroom is currently requesting a new token for the same account.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'lease-taken': {
    title: 'Another run is renewing this account',
    cause: 'This run waited too long, so another run of Postroom took over the account.',
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
      'If the encryption key was deleted recently, open the key vault, Secrets, “Manage deleted secrets”, and recover it. Nothing else is needed.',
      signInAgain,
    ],
    links: ['key-vaults'],
  },
  'permission-not-granted': {
    title: 'The sign-in does not include this protocol',
    cause: 'The account was connected for other protocols, so it has no permission for this one.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  'mail-host-refused': {
    title: 'The sign-in cannot be used with this mail server',
    cause: 'Tokens are sent only to the provider’s mail servers, but the mailbox has another server.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and correct its server.',
      'If the server is correct, edit the provider and correct its mail servers.',
    ],
    links: [],
  },
  'provider-missing': {
    title: 'The provider of this mailbox was deleted',
    cause: 'Someone deleted the provider that this mailbox signs in with.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [
      'In Postroom, choose another provider, or register it again with the same client ID.',
      signInAgain,
    ],
    links: [],
  },
  'provider-changed': {
    title: 'The app registration of this mailbox has changed',
    cause: 'Someone changed the provider’s tenant or client ID, and a sign-in belongs to one app.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: [],
  },
  'provider-without-endpoints': {
    title: 'The provider has no endpoints',
    cause: 'Postroom has no preset for this provider, and no issuer or endpoints were entered.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, edit the provider and enter its issuer or endpoints.', 'Test the provider.'],
    links: [],
  },
  'demo-gone': {
    title: 'The demo provider works only on a developer’s machine',
    cause: 'The provider was created by the demo of npm start, and no demo is running here.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, register your own provider and delete the demo provider.'],
    links: [],
  },
  'secret-missing': {
    title: 'The credential is not in the key vault',
    cause: 'The secret was deleted in the vault, or Postroom uses a different vault than before.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, “Manage deleted secrets”, and recover it if it is listed.',
      `If it is not listed: ${newSecret}`,
      replaceSecret,
    ],
    links: ['key-vaults', 'secrets'],
  },
  'endpoint-private': {
    title: 'The host resolves to a private address',
    cause:
      'Postroom sends secrets only to public servers, and this name resolves to an address in a private network.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the host names of the provider and the mailbox.',
      'Check what the name resolves to in the function app’s network.',
    ],
    links: ['function-apps'],
  },
  'endpoint-refused': {
    title: 'A URL of the provider cannot be used',
    cause:
      'The provider’s issuer or one of its endpoints is not a public https URL, or leads to another issuer.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open the provider and correct its tenant, issuer or endpoints.',
      'Test the provider.',
    ],
    links: [],
  },
  'endpoint-silent': {
    title: 'An external service does not respond',
    cause:
      'A provider, Microsoft Graph or a webhook did not send a usable response: it is down, or Postroom’s network blocks the request.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it continues, allow outgoing connections to port 443, and check the virtual network’s routes, DNS and proxy.',
    ],
    links: ['function-apps'],
  },
  'no-answer': {
    title: 'The sign-in service does not respond',
    cause: 'There was no usable response: the service is down, or Postroom’s network blocks the request.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it continues, allow outgoing connections to port 443 of the login host, and check the virtual network’s routes, DNS and proxy.',
    ],
    links: ['service-health', 'function-apps'],
  },
  'consent-exists': {
    title: 'Two sign-ins got the same ID by chance',
    cause: 'A new sign-in got the random ID of an older one. The older one was not changed.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [startAgain],
    links: [],
  },
  'approval-exists': {
    title: 'Two approval requests got the same ID by chance',
    cause: 'A new request got the random ID of an older one. The older one was not changed.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Request the approval again.'],
    links: [],
  },
  'invitation-exists': {
    title: 'Two invitations got the same ID by chance',
    cause: 'A new invitation got the random ID of an older one. The older one was not changed.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Create the invitation again.'],
    links: [],
  },
} satisfies Meanings;
