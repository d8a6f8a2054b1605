import type { Code } from '../platform/problem.ts';
import type { Secret } from '../platform/secret.ts';
import type { Protocol } from '../providers/presets.ts';
import type { Resource } from '../providers/protocol-access.ts';
import type { AccountRef } from './account.ts';

export type AccessToken =
  | { kind: 'token'; token: Secret; expiresAt: string; user: string }
  /** A temporary failure; no person has to act. */
  | { kind: 'retrying'; code: Code; message: string; retryAt?: string }
  /** A person has to act; the message says how. */
  | { kind: 'action-required'; code: Code; message: string };

/** What the caller needs the token for. */
export interface TokenUse {
  /** Host name of the server that will receive the token; it decides for which resource the token is. */
  host: string;
  /** The protocol, where one host serves several resources, as the demo's does. */
  protocol?: Protocol | undefined;
  /** The token that the mail server has just refused; it is not returned again. */
  rejected?: string | undefined;
  /** Also tries during the pause after a temporary failure, whose cause may be gone. */
  tryNow?: boolean | undefined;
}

export interface AccessTokens {
  /**
   * Returns a valid token for one mail server of its provider, or for Microsoft Graph. Other hosts get none,
   * whoever asks (RFC 9700 section 4.9). An unavailable vault is `retrying`, like a temporary failure of the provider.
   * @throws PostroomError when storage is unavailable
   */
  get(account: AccountRef, use: TokenUse): Promise<AccessToken>;
  /**
   * Refreshes although the current token is still valid: to keep an idle grant alive, or because a person
   * asked. `again`: also after a refusal that only a person can fix, and during the pause after a failure.
   * A sign-in that has ended is never refreshed: it has no token left. `resource`: absent, the usual one of
   * the account, whose refresh keeps the whole grant alive.
   */
  renew(account: AccountRef, options?: { again?: boolean; resource?: Resource }): Promise<AccessToken>;
  /** Clears this process's cache for the account, after a new consent. */
  forget(account: AccountRef): void;
}

/** A token with the mail servers that may receive it, and what the caller sees. */
export type UsableToken = Extract<AccessToken, { kind: 'token' }> & {
  hosts: readonly string[];
  resource: Resource;
};
export type NoToken = Exclude<AccessToken, { kind: 'token' }>;
/** Why there is no token; `resource`: absent where nothing is known of the account. */
export type ObtainedToken =
  | UsableToken
  | (NoToken & { resource?: Resource | undefined; hosts?: readonly string[] });

/** Removes what callers outside this feature must not see. Pure. */
export function withoutHosts(answer: ObtainedToken): AccessToken {
  const { hosts: _hosts, resource: _resource, ...token } = answer;
  return token;
}

/** The last check before a token is returned: only the provider's own servers get one, each for its
 * resource. */
export function releaseTo(host: string, answer: ObtainedToken): AccessToken {
  if (answer.kind !== 'token' || answer.hosts.includes(host.toLowerCase())) return withoutHosts(answer);
  const { hosts, user } = answer;
  const use =
    hosts.length === 0
      ? 'cannot be used at any mail server'
      : `can be used only at ${[...new Set(hosts)].join(', ')}, not at ${host}`;
  return {
    kind: 'action-required',
    code: 'mail-host-refused',
    message: `The sign-in of ${user} ${use}. Correct the mailbox’s server, or the mail servers of its provider.`,
  };
}
