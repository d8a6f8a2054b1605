import type { Meaning } from './explanation.ts';
import { lookAtHealth, nothingToDo, report, resetScopes, signInAgain, startAgain } from './phrases.ts';

const signIn: Meaning = {
  title: 'The mailbox’s owner has to sign in again',
  cause: 'The provider does not accept the stored sign-in any more.',
  who: 'mailbox-owner',
  retry: 'sign-in-again',
  steps: [signInAgain],
  links: [],
};
const settings: Meaning = {
  title: 'The provider’s settings do not fit',
  cause: 'The provider does not accept the request as it is: an id, an endpoint or a scope is not right.',
  who: 'you',
  retry: 'after-fix',
  steps: [
    'In Postroom, open the provider and compare tenant, client ID and endpoints with the app registration.',
    resetScopes,
    'Test the provider.',
  ],
  links: ['app'],
};
const service: Meaning = {
  title: 'The sign-in service is having problems',
  cause: 'The provider says that the error is a passing one of its own.',
  who: 'nobody: wait',
  retry: 'by-itself',
  steps: [nothingToDo, lookAtHealth],
  links: ['service-health'],
};
const credential: Meaning = {
  title: 'The provider does not accept the app’s credential',
  cause: 'The client ID, the client secret or the certificate is wrong or has expired.',
  who: 'you',
  retry: 'after-fix',
  steps: [
    'In Postroom, open the provider, compare the client ID with the registration and replace the secret.',
    'Test the provider.',
  ],
  links: ['secrets'],
};
const consent: Meaning = {
  title: 'A permission has not been granted',
  cause: 'The owner of the mailbox or an admin has to consent to what the app asks for.',
  who: 'mailbox-owner',
  retry: 'sign-in-again',
  steps: [signInAgain, 'If Microsoft asks for an admin there: let an admin open the admin consent link.'],
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
    cause: '“Cancel” was pressed on the provider’s page, or a rule there forbids the sign-in.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [startAgain, 'Press “Accept” on the provider’s page.'],
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
    cause: 'Another sign-in will not help; Microsoft’s own sentence says what will.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: ['Show Microsoft’s sentence and the correlation ID {correlationId} to an admin of the tenant.'],
    links: ['sign-in-logs'],
  },
  bad_token: {
    ...signIn,
    title: 'The stored sign-in is damaged',
    cause: 'The token belongs to another app, or is damaged.',
    steps: ['Check that the client ID of the provider was not changed.', signInAgain],
    links: ['app'],
  },
};

/** For a Microsoft number that is not in the catalogue and has no known OAuth error. */
export const unknownNumber: Meaning = {
  title: 'An error of Microsoft that Postroom does not know',
  cause: 'Microsoft’s own sentence, and its page about the number, say what it means.',
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
    'From a page of Microsoft: choose “Troubleshooting details” at its end, copy everything, and paste the whole page. The number that begins with AADSTS is needed most.',
    'From a mail server: paste the whole line, with the numbers at its beginning, such as “535 5.7.139 …” or “A3 BAD …”.',
    'From the address bar after a sign-in: paste the whole address.',
    'From the log of the function app: paste the line with the word “error” and those after it.',
  ],
  links: [],
};
