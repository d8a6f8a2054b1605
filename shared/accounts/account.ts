import { createHash } from 'node:crypto';
import type { Code } from '../platform/problem.ts';
import { base32 } from '../providers/base32.ts';
import { type Registration, registrationOf } from '../providers/registration.ts';

/** Names an account; also what a mailbox keeps. */
export interface AccountRef {
  providerId: string;
  accountId: string;
}

/** Who signed in, as the id_token says. `user` is for people to read and for XOAUTH2; it may change over time. */
export interface Identity {
  issuer: string;
  subject: string;
  tenantId: string | undefined;
  objectId: string | undefined;
  /** `preferred_username`, or a verified `email`. */
  user: string | undefined;
  /** An `email` that the provider does not say is verified, where there is no `user`. Compared, and never believed. */
  claimed?: string | undefined;
  name: string | undefined;
}

export interface Problem {
  code: Code;
  /** One sentence or two for a person; never holds a token or a secret. */
  message: string;
}

/** Tokens as they rest in the table, sealed. */
export interface EncryptedTokens {
  access: string | undefined;
  /** ISO times. The token is replaced from `refreshAt` on. */
  receivedAt: string;
  accessExpiresAt: string;
  refreshAt: string;
  /** Undefined: an app has none, and a sign-in that has ended has none any more. */
  refresh: string | undefined;
  /** The refresh token before the present one, kept until that has worked. */
  previousRefresh: string | undefined;
}

/** Whether an account works, and what goes with that: an account that works has no problem, every other one has. */
export type AccountStatus =
  | {
      state: 'ok';
      /** ISO time since which the state holds. */
      stateSince: string;
      problem: undefined;
      retryAt: undefined;
      refusedAsOf: undefined;
    }
  | {
      /** Something failed in passing: Postroom tries again by itself. */
      state: 'retrying';
      stateSince: string;
      problem: Problem;
      /** ISO time before which the provider is not called again by itself. */
      retryAt: string;
      /** As below, of a refusal before: it is not over until the provider has answered. */
      refusedAsOf: string | undefined;
    }
  | {
      state: 'action-required';
      stateSince: string;
      problem: Problem;
      /** ISO time at which Postroom looks again whether it was mended; undefined where only a new sign-in helps. */
      retryAt: string | undefined;
      /** `changedAt` of the provider whose settings were refused; once they change, another try is worth it. */
      refusedAsOf: string | undefined;
    };

/** A signed-in identity at a provider. */
export type Account = SignedIn & AccountStatus;

interface SignedIn extends AccountRef {
  /** Set for the app itself, which signs in without a person; absent: somebody has signed in. */
  kind?: 'app' | undefined;
  identity: Omit<Identity, 'claimed'>;
  /** Name that signs in at the mail servers. */
  user: string;
  /** The mailbox address that the last consent was for. */
  address: string;
  scopes: readonly string[];
  tokens: EncryptedTokens;
  /** ISO time at which a refresh was begun whose answer is not stored yet. */
  refreshBegunAt: string | undefined;
  consentedAt: string;
  consentedBy: string;
}

/** The same person at the same provider always gets the same id: 130 bits of a hash, 26 characters. */
export function accountIdOf(providerId: string, identity: Identity): string {
  const who =
    identity.tenantId !== undefined && identity.objectId !== undefined
      ? ['entra', identity.tenantId, identity.objectId]
      : ['oidc', identity.issuer, identity.subject];
  const hash = createHash('sha256')
    .update(JSON.stringify([providerId, ...who]))
    .digest();
  return base32(hash).slice(0, 26);
}

/**
 * What a token is sealed for: this account, this purpose, and the registration that it was given to. A row that is moved
 * to another provider, or whose provider gets other endpoints or mail servers, opens nothing.
 */
export const tokenContext = (
  { providerId, accountId }: AccountRef,
  purpose: 'access' | 'refresh',
  provider: Registration,
): string => [providerId, accountId, purpose, registrationOf(provider)].join('|');

/** Without a token to ask with, only a new sign-in goes on; an app asks with its credential. */
export const hasEnded = ({ kind, tokens }: Account): boolean =>
  kind !== 'app' && tokens.refresh === undefined;
