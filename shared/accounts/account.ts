import { createHash } from 'node:crypto';
import type { Code } from '../platform/problem.ts';
import { base32 } from '../providers/base32.ts';
import type { Resource } from '../providers/protocol-access.ts';
import { type Registration, registrationOf } from '../providers/registration.ts';

/** Identifies an account; mailboxes store it too. */
export interface AccountRef {
  providerId: string;
  accountId: string;
}

/**
 * Who signed in, according to the id_token. `user` is for display and for XOAUTH2; it may change over time.
 */
export interface Identity {
  issuer: string;
  subject: string;
  tenantId: string | undefined;
  objectId: string | undefined;
  /** `preferred_username`, or a verified `email`. */
  user: string | undefined;
  /**
   * An `email` that the provider does not mark as verified, when there is no `user`. Only compared, never
   * trusted.
   */
  claimed?: string | undefined;
  name: string | undefined;
}

export interface Problem {
  code: Code;
  /** One or two sentences for a person; never contains a token or a secret. */
  message: string;
}

/** An access token for one resource as stored in the table, encrypted. */
export interface EncryptedAccess {
  access: string | undefined;
  /** ISO times. The token is refreshed from `refreshAt` on. */
  receivedAt: string;
  accessExpiresAt: string;
  refreshAt: string;
}

/** The refresh token, which serves every resource, and the access token for mail servers. */
export interface EncryptedTokens extends EncryptedAccess {
  /** Undefined for an app, and once the sign-in has ended. */
  refresh: string | undefined;
  /** The previous refresh token, kept until the current one has worked. */
  previousRefresh: string | undefined;
}

/**
 * A lasting refusal that concerns one resource only, such as a missing consent. The account and its other
 * resource work.
 */
export interface ResourceRefusal {
  problem: Problem;
  /** ISO times: of the first refusal in a row, and from when Postroom tries again. */
  since: string;
  retryAt: string;
  /** `changedAt` of the provider at the refusal; once its settings change, Postroom tries again. */
  refusedAsOf?: string | undefined;
}

/** Whether an account works. Every state except `ok` carries a problem. */
export type AccountStatus =
  | {
      state: 'ok';
      /** ISO time of the last state change. */
      stateSince: string;
      problem: undefined;
      retryAt: undefined;
      refusedAsOf: undefined;
    }
  | {
      /** A temporary failure: Postroom retries automatically. */
      state: 'retrying';
      stateSince: string;
      problem: Problem;
      /** ISO time before which the provider is not called automatically. */
      retryAt: string;
      /** As below, from an earlier refusal: it lasts until the provider has answered. */
      refusedAsOf: string | undefined;
    }
  | {
      state: 'action-required';
      stateSince: string;
      problem: Problem;
      /** ISO time at which Postroom tries again; undefined when only a new sign-in helps. */
      retryAt: string | undefined;
      /**
       * `changedAt` of the provider whose settings were refused. Once the settings change, Postroom tries
       * again.
       */
      refusedAsOf: string | undefined;
    };

/** A signed-in identity at a provider. */
export type Account = SignedIn & AccountStatus;

export interface SignedIn extends AccountRef {
  /** Set for the app itself, which signs in without a person; absent when a person has signed in. */
  kind?: 'app' | undefined;
  identity: Omit<Identity, 'claimed'>;
  /** Username for the mail servers. */
  user: string;
  /** The mailbox address of the last consent. */
  address: string;
  scopes: readonly string[];
  tokens: EncryptedTokens;
  /** The access token for Microsoft Graph; absent until one is needed. */
  graph?: EncryptedAccess | undefined;
  /** The resources that refuse this account, while the others work. */
  refused?: Partial<Record<Resource, ResourceRefusal>> | undefined;
  /** ISO time at which a refresh started whose response is not stored yet. */
  refreshBegunAt: string | undefined;
  consentedAt: string;
  consentedBy: string;
}

/** The same person at the same provider always gets the same ID: 130 bits of a hash, 26 characters. */
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

/** `access`: for mail servers; `graph`: the access token for Microsoft Graph. */
export type TokenPurpose = 'access' | 'graph' | 'refresh';

export const purposeFor = (resource: Resource): TokenPurpose => (resource === 'graph' ? 'graph' : 'access');

/**
 * The encryption context of a token: this account, this purpose, and the registration that the token was
 * issued to. A row that is moved to another provider, or whose provider gets other endpoints or mail
 * servers, can't be decrypted.
 */
export const tokenContext = (
  { providerId, accountId }: AccountRef,
  purpose: TokenPurpose,
  provider: Registration,
): string => [providerId, accountId, purpose, registrationOf(provider)].join('|');

/** Without a refresh token only a new sign-in helps; an app authenticates with its credential. */
export const hasEnded = ({ kind, tokens }: Account): boolean =>
  kind !== 'app' && tokens.refresh === undefined;
