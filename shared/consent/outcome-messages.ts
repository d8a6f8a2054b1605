import { codeOf } from '../accounts/token-failure.ts';
import { vaultInWords } from '../accounts/vault-trouble.ts';
import type { Reader } from '../explanations/fixer-text.ts';
import { CONSENT_MINUTES } from './consent.ts';
import type { ConsentOutcome } from './finish-consent.ts';
import { MAX_OPEN_ATTEMPTS } from './limit-attempts.ts';

/** What a page says about a consent that did not connect. */
export interface OutcomeMessage {
  title: string;
  happened: string;
  /** What the provider itself said, word for word. */
  said: string | undefined;
  next: string;
}

export type FailedOutcome = Exclude<ConsentOutcome, { kind: 'connected' }>;

const NOTHING_SAVED = 'Nothing was saved, and no mail is touched.';
const OVER = {
  title: 'This sign-in is already over',
  happened:
    'Its answer has been taken before: by another tab, by a reload, or because the back button led here. Nothing was changed now.',
  said: undefined,
};

/** Says in words how a consent ended. Pure. */
export function wordsFor(outcome: FailedOutcome, reader: Reader = 'admin'): OutcomeMessage {
  const owner = reader === 'mailbox-owner';
  switch (outcome.kind) {
    case 'unknown':
      return {
        title: 'This sign-in is not known',
        happened:
          'The answer carries no sign-in that Postroom has started, or it was started more than a day ago. Nothing was saved.',
        said: undefined,
        next: owner
          ? 'Open the link of your invitation again.'
          : 'Start the sign-in again from the page of the provider.',
      };
    case 'used':
    case 'used-elsewhere':
      return {
        ...OVER,
        next: owner
          ? 'Open the link of your invitation again to see whether the mailbox is connected.'
          : 'See under Mailboxes whether the mailbox is there. If not, start the sign-in again.',
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
    case 'signed-out':
      return {
        title: 'You are signed out of Postroom',
        happened: `You are back from the provider, but nobody is signed in to Postroom any more, and only the person who started the sign-in may finish it. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Sign in to Postroom, then start again.',
      };
    case 'role-lost':
      return {
        title: 'You may not connect mailboxes any more',
        happened: `The role of an admin was taken from you while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Let an admin of Postroom connect the mailbox, or ask for the role back.',
      };
    case 'vault-away':
      return vaultAway(outcome, owner);
    case 'provider-missing':
      return {
        title: 'The provider is gone',
        happened: `The provider was deleted while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Choose another provider, or register it again.',
      };
    case 'provider-changed':
      return {
        title: 'The provider was changed meanwhile',
        happened: `Another tenant, client ID or address was saved for ${outcome.providerName} while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: owner ? 'Open the link of your invitation again.' : 'Start the sign-in again.',
      };
    case 'invitation-over':
      return {
        title: 'This invitation is over',
        happened: `It was used already, it was taken back, or its time has passed. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'If the mailbox is not connected yet, ask whoever invited you for a new link.',
      };
    case 'too-many':
      return {
        title: 'Too many sign-ins are under way',
        happened: `${MAX_OPEN_ATTEMPTS} sign-ins with this invitation have begun and are not back yet. ${NOTHING_SAVED}`,
        said: undefined,
        next: `Finish one of them in its tab, or wait ${CONSENT_MINUTES} minutes and begin again.`,
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
        title: 'The credential is missing',
        happened: `You signed in, but the credential of ${outcome.providerName} is not in Key Vault. ${NOTHING_SAVED}`,
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
        next: owner
          ? `Sign in as ${outcome.wish.signIn}. If ${outcome.wish.address} is a shared mailbox that ${outcome.signedIn} may open, ask whoever invited you for an invitation that says so.`
          : `Sign in as ${outcome.wish.signIn}, or say that ${outcome.wish.address} is a shared mailbox that ${outcome.signedIn} may open.`,
      };
    case 'unnamed-account':
      return {
        title: 'Is this the right account?',
        happened: `The provider does not say which address has signed in${outcome.claimed === undefined ? '' : `: it names ${outcome.claimed}, and has not verified it`}. Postroom expected ${outcome.wish.signIn}. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Compare the subject with the one that the provider shows for the account. If it is the same, confirm it, and sign in once more.',
      };
    case 'other-identity':
      return {
        title: 'The name is the same, the account is not',
        happened: `${outcome.signedIn} is another account in the directory than the one that was connected before under this name. That happens when an account is deleted and made again, or when a name is given to somebody else. ${NOTHING_SAVED}`,
        said: undefined,
        next: owner
          ? 'Try again with the account that was connected before. If there is none any more, ask whoever invited you: they can invite you anew and allow another account.'
          : 'Make sure that this is the right person. Then let the new account take the place of the old one.',
      };
  }
}

/** Whoever has no role here learns nothing of what Postroom stands on. */
function vaultAway(outcome: Extract<FailedOutcome, { kind: 'vault-away' }>, owner: boolean): OutcomeMessage {
  if (owner)
    return {
      title: 'Postroom cannot go on just now',
      happened: `Something that Postroom needs for your sign-in is out of its reach. ${NOTHING_SAVED}`,
      said: undefined,
      next: 'Wait some minutes, then open the link of your invitation again. If it lasts, tell whoever invited you.',
    };
  const { happened, next } = vaultInWords(outcome);
  return {
    title: 'Postroom does not get at its keys',
    happened: `${happened}. ${NOTHING_SAVED}`,
    said: undefined,
    next: `${next} Then start again.`,
  };
}

function declined(outcome: Extract<FailedOutcome, { kind: 'declined' }>): OutcomeMessage {
  const said = outcome.sentence ?? outcome.error;
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

function failed({ failure, providerName }: Extract<FailedOutcome, { kind: 'failed' }>): OutcomeMessage {
  const said = failure.sentence === undefined ? failure.detail : `${codeOf(failure)}: ${failure.sentence}`;
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
