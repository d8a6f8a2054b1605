import { createHash } from 'node:crypto';
import type { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import type { Protocol } from '../providers/presets.ts';

/** How long a person may take at the provider. */
export const CONSENT_MINUTES = 10;

/** Reading or sending over Microsoft Graph. */
export type GraphWay = 'graph' | 'graph-send';

/** What the person wants to connect. */
export interface ConnectRequest {
  providerId: string;
  /** The mailbox's address. */
  address: string;
  /** Who is expected to sign in: the address itself, or for a shared mailbox a user with access to it. */
  signIn: string;
  /** The mailbox is not the signed-in user's own. */
  shared: boolean;
  /** Shows the provider's account picker instead of a login hint. */
  chooseAccount: boolean;
  protocols: readonly Protocol[];
  /**
   * Set when a mailbox is reconnected: only its own account is accepted. `switchTo`: the mailbox is read,
   * or sends, over Microsoft Graph as soon as that was granted.
   */
  reconnect: { mailboxId: string; accountId: string; switchTo?: GraphWay | undefined } | undefined;
  /**
   * An account that may replace the current one, as a person has agreed: this one, or any with the expected
   * username.
   */
  replacement: { kind: 'this'; accountId: string } | { kind: 'any' } | undefined;
  /**
   * An account that a person has confirmed by its subject, because the provider gives it no verified name.
   */
  confirmed?: string | undefined;
}

/** Who started the consent: a signed-in person, or the holder of an invitation. */
export type Initiator = { kind: 'principal'; id: string } | { kind: 'invitation'; key: string };

/** A connect request and its initiator. */
export interface ConsentAttempt {
  connectRequest: ConnectRequest;
  startedBy: Initiator;
}

export const isSameInitiator = (a: Initiator, b: Initiator): boolean =>
  a.kind === 'principal' ? b.kind === a.kind && a.id === b.id : b.kind === a.kind && a.key === b.key;

/** A consent that has started but not finished. Its secrets are encrypted. */
export interface PendingConsent {
  /** Hash of the state: the row key, safe in URLs. */
  key: string;
  connectRequest: ConnectRequest;
  startedBy: Initiator;
  /** The provider's registrationOf at the start; the callback is only accepted for this registration. */
  registration: string;
  /** Hash of the cookie that binds the consent to one browser. */
  browserHash: string;
  sealedState: string;
  sealedVerifier: string;
  sealedNonce: string;
  startedAt: string;
  expiresAt: string;
  /** Set once the callback has been accepted; a consent is used once. */
  usedAt: string | undefined;
  /** Its outcome, once it is used; see consent-result.ts. */
  result?: string | undefined;
}

/** The row key of a state: a hash, so that no text from outside is part of a key. */
export const consentKey = (state: string): string =>
  base32(createHash('sha256').update(`state|${state}`).digest());

export const browserHash = (cookie: Secret): string =>
  createHash('sha256').update(`browser|${cookie.expose()}`).digest('base64url');

export const consentContext = (key: string, purpose: 'state' | 'verifier' | 'nonce'): string =>
  `consent|${key}|${purpose}`;

/**
 * One cookie per consent, so that two tabs do not interfere. `__Host-` binds it to this host and to https.
 */
export const consentCookie = (key: string): string => `__Host-postroom-consent-${key.slice(0, 12)}`;
