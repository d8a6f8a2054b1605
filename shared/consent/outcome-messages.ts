import { codeOf } from '../accounts/token-failure.ts';
import { vaultInWords } from '../accounts/vault-failure.ts';
import type { Reader } from '../explanations/fixer-text.ts';
import { CONSENT_MINUTES } from './consent.ts';
import type { ConsentOutcome } from './finish-consent.ts';
import { MAX_OPEN_ATTEMPTS } from './limit-attempts.ts';

/** The text of the page for a consent that did not connect. */
export interface OutcomeMessage {
  title: string;
  happened: string;
  /** The provider's own message, verbatim. */
  said: string | undefined;
  next: string;
}

export type FailedOutcome = Exclude<ConsentOutcome, { kind: 'connected' }>;

const NOTHING_SAVED = 'Nothing was changed.';
const OVER = {
  title: 'Sign-in already processed',
  happened:
    'This sign-in has already been processed: in another tab, by reloading, or with the Back button. Nothing was changed.',
  said: undefined,
};

/** The message for each failed outcome of a consent. Pure. */
export function messageFor(outcome: FailedOutcome, reader: Reader = 'admin'): OutcomeMessage {
  const owner = reader === 'mailbox-owner';
  switch (outcome.kind) {
    case 'unknown':
      return {
        title: 'Unknown sign-in',
        happened:
          'The response does not belong to a sign-in that Postroom started, or it was started more than a day ago. Nothing was changed.',
        said: undefined,
        next: owner
          ? 'Open your invitation link again.'
          : 'Start the sign-in again from the provider’s page.',
      };
    case 'used':
    case 'used-elsewhere':
      return {
        ...OVER,
        next: owner
          ? 'Open your invitation link again to see whether the mailbox is connected.'
          : 'Check under Mailboxes whether the mailbox is connected. If not, start the sign-in again.',
      };
    case 'expired':
      return {
        title: 'This sign-in took too long',
        happened: `A sign-in must be completed within ten minutes. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Start again; the address is already filled in.',
      };
    case 'other-browser':
      return {
        title: 'This sign-in was started in another browser',
        happened:
          'A sign-in must be completed in the browser where it was started, with cookies allowed. This stops others from connecting their own account in your name. Nothing was changed.',
        said: undefined,
        next: 'Go back to the browser where you started, or start again in this one.',
      };
    case 'other-person':
      return {
        title: 'This sign-in was started by someone else',
        happened: 'Another Postroom user started it. Nothing was changed.',
        said: undefined,
        next: 'Let that person finish it, or start your own.',
      };
    case 'signed-out':
      return {
        title: 'You are signed out of Postroom',
        happened: `Your Postroom session ended while you were at the provider, and only the person who started the sign-in can complete it. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Sign in to Postroom, then start again.',
      };
    case 'role-lost':
      return {
        title: 'You can no longer connect mailboxes',
        happened: `Your admin role was removed while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Ask a Postroom admin to connect the mailbox or to give you the role again.',
      };
    case 'vault-away':
      return vaultAway(outcome, owner);
    case 'provider-missing':
      return {
        title: 'The provider was deleted',
        happened: `The provider was deleted while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Choose another provider, or register it again.',
      };
    case 'provider-changed':
      return {
        title: 'The provider was changed in the meantime',
        happened: `A different tenant, client ID or endpoint was saved for ${outcome.providerName} while you were signing in. ${NOTHING_SAVED}`,
        said: undefined,
        next: owner ? 'Open your invitation link again.' : 'Start the sign-in again.',
      };
    case 'invitation-over':
      return {
        title: 'This invitation is no longer valid',
        happened: `It was already used, was revoked or has expired. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'If the mailbox is not connected yet, ask the person who invited you for a new link.',
      };
    case 'too-many':
      return {
        title: 'Too many open sign-ins',
        happened: `${MAX_OPEN_ATTEMPTS} sign-ins with this invitation are still open. ${NOTHING_SAVED}`,
        said: undefined,
        next: `Finish one of them in its tab, or wait ${CONSENT_MINUTES} minutes and start again.`,
      };
    case 'declined':
      return declined(outcome);
    case 'untrusted':
      return {
        title: 'The response could not be trusted',
        happened: `Postroom checks where a response comes from and who it is for: ${outcome.reason}. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Check the provider’s tenant and client ID, then start again.',
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
        title: 'No refresh token',
        happened: `The provider returned no refresh token, so the mailbox would stop within an hour. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Allow the app to request offline access (offline_access), then start again.',
      };
    case 'no-mail-scope':
      return {
        title: 'Access to mail was not granted',
        happened: `You signed in, but no permission for email was granted. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Add IMAP, POP and SMTP to the permissions of the app registration, let an administrator grant them, then start again.',
      };
    case 'other-account':
      return {
        title: 'Wrong account',
        happened: `You signed in as ${outcome.signedIn}, but Postroom expected ${outcome.connectRequest.signIn}. ${NOTHING_SAVED}`,
        said: undefined,
        next: owner
          ? `Sign in as ${outcome.connectRequest.signIn}. If ${outcome.connectRequest.address} is a shared mailbox that ${outcome.signedIn} can open, ask the person who invited you for an invitation to a shared mailbox.`
          : `Sign in as ${outcome.connectRequest.signIn}, or confirm that ${outcome.connectRequest.address} is a shared mailbox that ${outcome.signedIn} can open.`,
      };
    case 'unnamed-account':
      return {
        title: 'Is this the right account?',
        happened: `The provider does not confirm which address signed in${outcome.claimed === undefined ? '' : `: it reports ${outcome.claimed} without having verified it`}. Postroom expected ${outcome.connectRequest.signIn}. ${NOTHING_SAVED}`,
        said: undefined,
        next: 'Compare the subject with the one that the provider shows for the account. If they match, confirm and sign in once more.',
      };
    case 'other-identity':
      return {
        title: 'Same name, different account',
        happened: `${outcome.signedIn} is a different account in the directory than the one that was connected under this name. This happens when an account is deleted and re-created, or when a name is given to someone else. ${NOTHING_SAVED}`,
        said: undefined,
        next: owner
          ? 'Try again with the account that was connected before. If it no longer exists, ask the person who invited you for a new invitation that allows a different account.'
          : 'Make sure that this is the right person, then replace the previous account with this one.',
      };
  }
}

/** A reader without a role learns nothing about Postroom's dependencies. */
function vaultAway(outcome: Extract<FailedOutcome, { kind: 'vault-away' }>, owner: boolean): OutcomeMessage {
  if (owner)
    return {
      title: 'Postroom cannot continue right now',
      happened: `Postroom cannot reach a service that it needs for your sign-in. ${NOTHING_SAVED}`,
      said: undefined,
      next: 'Wait a few minutes, then open your invitation link again. If the problem persists, tell the person who invited you.',
    };
  const { happened, next } = vaultInWords(outcome);
  return {
    title: 'Postroom can’t access its keys',
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
    next: 'Fix the problem it names, then start again.',
  };
}

function failed({ failure, providerName }: Extract<FailedOutcome, { kind: 'failed' }>): OutcomeMessage {
  const said = failure.sentence === undefined ? failure.detail : `${codeOf(failure)}: ${failure.sentence}`;
  if (failure.status === undefined || failure.status === 429 || failure.status >= 500)
    return {
      title: 'The provider did not respond',
      happened: `${providerName} could not be reached. ${NOTHING_SAVED}`,
      said,
      next: 'Wait a minute, then start again.',
    };
  return {
    title: 'The sign-in could not be completed',
    happened: `You signed in, but ${providerName} returned no tokens. ${NOTHING_SAVED}`,
    said,
    next: 'Fix the problem it names, then start again.',
  };
}
