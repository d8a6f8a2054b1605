import type { Code } from '../platform/problem.ts';
import type { Secret } from '../platform/secret.ts';
import type { Protocol } from '../providers/presets.ts';
import { type Inbox, type InboxAddress, InboxError, type InboxFailure } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';
import type { FetchProtocol } from './open-inbox.ts';

export interface AccountRef {
  providerId: string;
  accountId: string;
}

/**
 * The source of access tokens, implemented by the accounts feature. `user` is the token's owner. `tryNow`:
 * also during the pause after a temporary refresh failure.
 */
export interface TokenSource {
  get(
    account: AccountRef,
    /**
     * `host`: the server that will receive it; `protocol`: for what, where one host serves several;
     * `rejected`: a token that it has just refused.
     */
    use: {
      host: string;
      protocol?: Protocol | undefined;
      rejected?: string | undefined;
      tryNow?: boolean | undefined;
    },
  ): Promise<{ kind: 'token'; token: Secret; user?: string | undefined } | ConnectFailure>;
}

/** Why a mailbox can't be fetched now, in a sentence for a person. */
export interface ConnectFailure {
  kind: 'retrying' | 'action-required';
  code: Code;
  message: string;
  /** The mail server's message, if the server is what fails. */
  said?: string | undefined;
  /** ISO time before which the next try is pointless, if the other side named one. */
  retryAt?: string | undefined;
  /** The same, in milliseconds from now. */
  retryAfterMs?: number | undefined;
}

export interface ConnectDeps {
  accessTokens: TokenSource;
  openInbox: (address: InboxAddress, protocol: FetchProtocol) => Promise<Inbox>;
}

/**
 * Opens a mailbox with its account's token. A refused token is refreshed once: the server may have revoked
 * it before it expired.
 */
export async function connectInbox(
  deps: ConnectDeps,
  mailbox: Mailbox,
): Promise<{ kind: 'connected'; inbox: Inbox } | ConnectFailure> {
  const account = { providerId: mailbox.providerId, accountId: mailbox.accountId };
  const { host, port, folder, address: user, protocol } = mailbox;
  let rejected: string | undefined;
  for (;;) {
    const token = await deps.accessTokens.get(account, { host, protocol, rejected });
    if (token.kind !== 'token') return token;
    try {
      return {
        kind: 'connected',
        inbox: await deps.openInbox(
          { host, port, folder, user, owner: token.user, accessToken: token.token },
          protocol,
        ),
      };
    } catch (error) {
      if (!(error instanceof InboxError)) throw error;
      if (error.failure !== 'token-refused' || rejected !== undefined)
        return connectFailureFrom(error, mailbox);
      rejected = token.token.expose();
    }
  }
}

/**
 * The meaning of a mail server's refusal for a mailbox, in a sentence for a person. Only an unavailable
 * server is temporary. Pure.
 */
export function connectFailureFrom(error: InboxError, mailbox: Mailbox): ConnectFailure {
  const protocol = mailbox.protocol.toUpperCase();
  const sentences: Record<InboxFailure, string> = {
    'token-refused': `The mail server refuses the sign-in of the account for ${mailbox.address}. Sign in again, or check that ${protocol} is switched on for this mailbox.`,
    'no-access': `The sign-in works, but this account cannot open ${mailbox.address}. Check the address, the rights on a shared mailbox, and that ${protocol} is switched on.`,
    'folder-missing': `The folder “${mailbox.folder}” is not in ${mailbox.address}. Edit the mailbox and enter the folder’s current name.`,
    refused: `The mail server does not let this account mark, move or delete mail in ${mailbox.address}.`,
    unavailable: `The mail server of ${mailbox.address} does not answer as it should. Postroom retries automatically.`,
  };
  const own = ownSentences(mailbox.address)[error.code];
  return {
    kind: error.failure === 'unavailable' ? 'retrying' : 'action-required',
    code: error.code,
    // The server's own message says why it is unavailable: throttled, moved, full.
    message:
      own ??
      (error.failure === 'unavailable'
        ? `${sentences.unavailable} ${error.message}`
        : sentences[error.failure]),
    ...(error.said !== undefined && { said: error.said }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}

/** Sentences for codes that say more than the failure. */
const ownSentences = (address: string): Partial<Record<Code, string>> => ({
  'graph-token-refused': `Microsoft Graph refuses the sign-in of the account for ${address}. Sign in again.`,
  'graph-no-access': `The sign-in works, but Microsoft Graph does not open ${address} for this account. Check the address, the rights on a shared mailbox, and the permissions of the app registration.`,
  'pop3-in-use': `Another program reads ${address} over POP3, which allows one at a time. Postroom retries automatically.`,
  'pop3-login-delay': `The mail server of ${address} allows no sign-in so soon after the last one. Postroom retries automatically; if this comes back often, fetch the mailbox less often.`,
  'pop3-no-uidl': `The mail server of ${address} does not support UIDL, without which Postroom cannot tell over POP3 which email is new. Choose IMAP for this mailbox.`,
});
