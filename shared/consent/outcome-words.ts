import { codeOf } from '../accounts/token-failure.ts';
import type { ConsentOutcome } from './finish-consent.ts';

/** What a page says about a consent that did not connect. */
export interface OutcomeWords {
  title: string;
  happened: string;
  /** What the provider itself said, word for word. */
  said: string | undefined;
  next: string;
}

export type FailedOutcome = Exclude<ConsentOutcome, { kind: 'connected' }>;

const NOTHING_SAVED = 'Nothing was saved, and no mail is touched.';

/** Says in words how a consent ended. Pure. */
export function wordsFor(outcome: FailedOutcome): OutcomeWords {
  switch (outcome.kind) {
    case 'unknown':
      return {
        title: 'This sign-in is not known',
        happened:
          'The answer carries no sign-in that Postroom has started, or it was started more than a day ago. Nothing was saved.',
        said: undefined,
        next: 'Start the sign-in again from the page of the provider.',
      };
    case 'used':
      return {
        title: 'This sign-in is already over',
        happened:
          'Its answer has been taken before: by another tab, by a reload, or because the back button led here. Nothing was changed now.',
        said: undefined,
        next: 'See under Mailboxes whether the mailbox is there. If not, start the sign-in again.',
      };
    case 'expired':
      return {
        title: 'This sign-in took too long',
        happened: `A sign-in must come back within ten minutes. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Start it again; the address is filled in.',
      };
    case 'other-browser':
      return {
        title: 'This sign-in began in another browser',
        happened:
          'A sign-in must end in the browser in which it was started, with cookies allowed, so that nobody can slip an account of their own to you. Nothing was saved.',
        said: undefined,
        next: 'Go back to the browser where you started, or start again in this one.',
      };
    case 'other-person':
      return {
        title: 'This sign-in was started by somebody else',
        happened: 'Another person who is signed in to Postroom has started it. Nothing was saved.',
        said: undefined,
        next: 'Let that person finish it, or start your own.',
      };
    case 'provider-missing':
      return {
        title: 'The provider is gone',
        happened: `The provider was deleted while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Choose another provider, or register it again.',
      };
    case 'declined':
      return declined(outcome);
    case 'untrusted':
      return {
        title: 'The answer could not be trusted',
        happened: `Postroom checks where an answer comes from and for whom it is: ${outcome.reason}. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Check the tenant and the client ID of the provider, then start again.',
      };
    case 'failed':
      return failed(outcome);
    case 'secret-missing':
      return {
        title: 'The client secret is missing',
        happened: `The client secret of ${outcome.providerName} is not in Key Vault. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Edit the provider, enter a new secret, then start again.',
      };
    case 'no-refresh-token':
      return {
        title: 'The sign-in would not last',
        happened: `The provider gave no refresh token, so the mailbox would stop within an hour. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Check that the app may ask for offline access, then start again.',
      };
    case 'no-mail-scope':
      return {
        title: 'Access to mail was not granted',
        happened: `You are signed in, but none of the permissions for mail was granted. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Add IMAP, POP and SMTP to the permissions of the app registration, let an administrator grant them, then start again.',
      };
    case 'other-account':
      return {
        title: 'Another account is signed in',
        happened: `You wanted to connect ${outcome.wish.signIn}, but ${outcome.signedIn} signed in. ${NOTHING_SAVED}`,
        said: undefined,
        next: `Sign in as ${outcome.wish.signIn}, or say that ${outcome.wish.address} is a shared mailbox that ${outcome.signedIn} may open.`,
      };
  }
}

function declined(outcome: Extract<FailedOutcome, { kind: 'declined' }>): OutcomeWords {
  const said = outcome.sentence ?? outcome.error;
  const [number] = outcome.codes;
  // Microsoft's numbers for "only an administrator may consent":
  // https://learn.microsoft.com/entra/identity-platform/reference-error-codes
  if (number !== undefined && [65001, 90094, 90095, 90093].includes(number))
    return {
      title: 'An administrator has to agree first',
      happened: `Your organization lets only administrators grant an app access to mail. ${NOTHING_SAVED}`,
      said,
      next: 'Ask an administrator to grant consent: Microsoft Entra admin center, App registrations, API permissions, Grant admin consent. Then start again.',
    };
  if (outcome.cancelled)
    return {
      title: 'The sign-in was cancelled',
      happened: `Access was declined or the sign-in was cancelled on the provider’s page. ${NOTHING_SAVED}`,
      said,
      next: 'Start again when you want to grant access.',
    };
  return {
    title: 'The provider refused the sign-in',
    happened: `The provider sent you back with an error. ${NOTHING_SAVED}`,
    said,
    next: 'Correct what it names, then start again.',
  };
}

function failed(outcome: Extract<FailedOutcome, { kind: 'failed' }>): OutcomeWords {
  const { failure, providerName } = outcome;
  const said = failure.sentence === undefined ? failure.detail : `${codeOf(failure)}: ${failure.sentence}`;
  if (failure.error === 'invalid_client' || failure.error === 'unauthorized_client')
    return {
      title: 'The client ID or the client secret is wrong',
      happened: `You signed in, but ${providerName} refuses the app itself. ${NOTHING_SAVED}`,
      said,
      next: 'Edit the provider: check the client ID and replace the secret. Then start again.',
    };
  if (failure.status === undefined || failure.status === 429 || failure.status >= 500)
    return {
      title: 'The provider did not answer',
      happened: `${providerName} could not be reached just now. ${NOTHING_SAVED}`,
      said,
      next: 'Wait a minute, then start again.',
    };
  return {
    title: 'The sign-in could not be completed',
    happened: `You signed in, but ${providerName} gave no tokens. ${NOTHING_SAVED}`,
    said,
    next: 'Correct what it names, then start again.',
  };
}

/** The provider's number or word for what went wrong, to look up or to hand to support. */
export function outcomeCode(outcome: FailedOutcome): string | undefined {
  if (outcome.kind === 'failed') return codeOf(outcome.failure);
  if (outcome.kind !== 'declined') return undefined;
  const [number] = outcome.codes;
  return number === undefined ? outcome.error : `AADSTS${number}`;
}
