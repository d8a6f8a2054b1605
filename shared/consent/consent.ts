import { createHash } from 'node:crypto';
import type { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import type { Protocol } from '../providers/presets.ts';

/** How long a person has between leaving for the provider and coming back. */
export const CONSENT_MINUTES = 10;

/** What the person wants to connect. */
export interface ConnectRequest {
  providerId: string;
  /** The mailbox's address. */
  address: string;
  /** Who is to sign in: the address itself, or for a shared mailbox somebody with access to it. */
  signIn: string;
  /** The mailbox belongs to nobody, or to somebody else than the one who signs in. */
  shared: boolean;
  /** Shows the provider's account picker in place of a hint. */
  chooseAccount: boolean;
  protocols: readonly Protocol[];
  /** A mailbox that is connected again: only its own account will do. */
  reconnect: { mailboxId: string; accountId: string } | undefined;
  /** An account that a person has agreed may take the place of the one before, or anyone of the expected name. */
  replacement: { kind: 'this'; accountId: string } | { kind: 'any' } | undefined;
  /** An account that a person has recognised by its subject, because the provider gives it no verified name. */
  confirmed?: string | undefined;
}

/** Who makes the trip: a signed-in person, or whoever holds an invitation. */
export type Initiator = { kind: 'principal'; id: string } | { kind: 'invitation'; key: string };

/** What is wanted, and by whom. */
export interface ConsentAttempt {
  wish: ConnectRequest;
  startedBy: Initiator;
}

export const isSameInitiator = (a: Initiator, b: Initiator): boolean =>
  a.kind === 'principal' ? b.kind === a.kind && a.id === b.id : b.kind === a.kind && a.key === b.key;

/** A consent that has been started and not finished. Its secrets rest sealed. */
export interface PendingConsent {
  /** Hash of the state: the row key, safe in addresses. */
  key: string;
  wish: ConnectRequest;
  startedBy: Initiator;
  /** The provider's registrationOf when the consent was started: its answer is good for this one alone. */
  registration: string;
  /** Hash of the cookie that binds it to one browser. */
  browserHash: string;
  sealedState: string;
  sealedVerifier: string;
  sealedNonce: string;
  startedAt: string;
  expiresAt: string;
  /** Set once the answer of the provider has been taken; a consent is good for one. */
  usedAt: string | undefined;
  /** What became of it, once it is used; see consent-result.ts. */
  result?: string | undefined;
}

/** The row key of a state, so that no text from outside is ever part of a key. */
export const consentKey = (state: string): string =>
  base32(createHash('sha256').update(`state|${state}`).digest());

export const browserHash = (cookie: Secret): string =>
  createHash('sha256').update(`browser|${cookie.expose()}`).digest('base64url');

export const consentContext = (key: string, purpose: 'state' | 'verifier' | 'nonce'): string =>
  `consent|${key}|${purpose}`;

/** One cookie a consent, so that two tabs do not spoil each other. `__Host-` binds it to this host and to https. */
export const consentCookie = (key: string): string => `__Host-postroom-consent-${key.slice(0, 12)}`;
