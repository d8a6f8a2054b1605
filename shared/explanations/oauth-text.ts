import type { Meaning } from './explanation.ts';
import { lookAtHealth, nothingToDo, report, resetScopes, signInAgain, startAgain } from './phrases.ts';

const signIn: Meaning = {
  title: 'The mailbox owner must sign in again',
  cause: 'The provider no longer accepts the stored sign-in.',
  who: 'mailbox-owner',
  retry: 'sign-in-again',
  steps: [signInAgain],
  links: [],
};
const settings: Meaning = {
  title: 'The provider’s settings are not correct',
  cause: 'The provider rejected the request: an ID, an endpoint or a scope is wrong.',
  who: 'you',
  retry: 'after-fix',
  steps: [
    'In Postroom, open the provider and compare its tenant, client ID and endpoints with the app registration.',
    resetScopes,
    'Test the provider.',
  ],
  links: ['app'],
};
const service: Meaning = {
  title: 'The sign-in service is having problems',
  cause: 'The provider reports a temporary error on its side.',
  who: 'nobody: wait',
  retry: 'by-itself',
  steps: [nothingToDo, lookAtHealth],
  links: ['service-health'],
};
const credential: Meaning = {
  title: 'The provider rejected the app’s credential',
  cause: 'The client ID, the client secret or the certificate is wrong or has expired.',
  who: 'you',
  retry: 'after-fix',
  steps: [
    'In Postroom, open the provider, compare the client ID with the app registration, and replace the secret.',
    'Test the provider.',
  ],
  links: ['secrets'],
};
const consent: Meaning = {
  title: 'A permission has not been granted',
  cause: 'The mailbox owner or an admin must consent to the permissions that the app requests.',
  who: 'mailbox-owner',
  retry: 'sign-in-again',
  steps: [signInAgain, 'If Microsoft requires an admin there, have an admin open the admin consent link.'],
  links: ['admin-consent'],
};

/**
 * `error` of RFC 6749 (sections 4.1.2.1 and 5.2) and of OpenID Connect, for errors without a number of
 * their own.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-codes-for-token-endpoint-errors
 */
export const errorWords: Readonly<Record<string, Meaning>> = {
  invalid_client: credential,
  invalid_grant: signIn,
  interaction_required: signIn,
  login_required: signIn,
  consent_required: consent,
  unauthorized_client: settings,
  invalid_resource: settings,
  invalid_scope: settings,
  invalid_request: settings,
  unsupported_response_type: settings,
  unsupported_grant_type: settings,
  temporarily_unavailable: service,
  server_error: service,
  access_denied: {
    title: 'The sign-in was declined',
    cause: 'Someone selected “Cancel” on the provider’s page, or a policy there forbids the sign-in.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [startAgain, 'Select “Accept” on the provider’s page.'],
    links: [],
  },
};

/**
 * Microsoft's `suberror`, which is more specific than `error`; the list is that of its own client library.
 */
export const suberrorWords: Readonly<Record<string, Meaning>> = {
  basic_action: signIn,
  additional_action: signIn,
  consent_required: consent,
  user_password_expired: {
    ...signIn,
    title: 'The password has expired',
    cause: 'The password of the account must be changed.',
    steps: ['Change the password.', signInAgain],
    links: ['password-change'],
  },
  message_only: {
    title: 'Microsoft refuses the sign-in',
    cause: 'Signing in again will not help. Microsoft’s message says what will.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: ['Show Microsoft’s message and the correlation ID {correlationId} to a tenant admin.'],
    links: ['sign-in-logs'],
  },
  bad_token: {
    ...signIn,
    title: 'The stored sign-in is damaged',
    cause: 'The token belongs to another app, or is damaged.',
    steps: ['Check that the provider’s client ID was not changed.', signInAgain],
    links: ['app'],
  },
};

/** For a Microsoft number that is not in the catalogue and has no known OAuth error. */
export const unknownNumber: Meaning = {
  title: 'A Microsoft error that Postroom does not know',
  cause: 'Microsoft’s message, and its page about the number, explain what it means.',
  who: 'you',
  retry: 'after-fix',
  steps: ['Open Microsoft’s page about the number.', 'Try once more.', report],
  links: ['sign-in-logs'],
};

/** For a text without a known error. */
export const notRecognised: Meaning = {
  title: 'This error is not known',
  cause: 'No known error was found in this text.',
  who: 'you',
  retry: 'after-fix',
  steps: [
    'From a Microsoft page: choose “Troubleshooting details” at the bottom, copy everything, and paste the whole page. The AADSTS number is the most important part.',
    'From a mail server: paste the whole line, including the numbers at the beginning, such as “535 5.7.139 …” or “A3 BAD …”.',
    'From the address bar after a sign-in: paste the whole address.',
    'From the function app’s log: paste the line with the word “error” and the lines after it.',
  ],
  links: [],
};
