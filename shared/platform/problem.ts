/** What code depends on, beyond the meaning that a person reads. */
interface ProblemTraits {
  /**
   * The dependency at fault: a part of Azure that is unavailable or refuses, or (`keys`) the managed
   * identity or the encryption key, without which Key Vault is useless.
   */
  part?: 'storage' | 'key-vault' | 'keys';
  /** The content, or a bug in handling it, is at fault: a retry would fail again. */
  isOfContent?: true;
}

/** Every code that Postroom itself raises. shared/explanations has the meaning of each. */
const problems = {
  // Storage
  'table-storage': { part: 'storage' },
  'blob-storage': { part: 'storage' },
  'queue-storage': { part: 'storage' },
  'row-too-large': { isOfContent: true },
  'row-refused': { isOfContent: true },
  'blob-refused': { isOfContent: true },
  'bad-key': { isOfContent: true },
  'bad-row': { isOfContent: true },
  // Key Vault, the managed identity, the encryption key
  'key-vault': { part: 'key-vault' },
  'key-vault-denied': { part: 'key-vault' },
  'key-vault-throttled': { part: 'key-vault' },
  'no-identity': { part: 'keys' },
  'secret-disabled': { part: 'keys' },
  'sealed-unreadable': { part: 'keys' },
  'bad-encryption-key': { part: 'keys' },
  'no-graph': {},
  // Accounts and providers
  'account-missing': {},
  'refresh-busy': {},
  'lease-taken': {},
  'tokens-unreadable': {},
  'mail-host-refused': {},
  'permission-not-granted': {},
  unknown: {},
  'provider-missing': {},
  'provider-changed': {},
  'provider-without-endpoints': {},
  'demo-gone': {},
  'secret-missing': {},
  'endpoint-private': {},
  'endpoint-refused': {},
  'endpoint-silent': {},
  'no-answer': {},
  'consent-exists': {},
  'approval-exists': {},
  'invitation-exists': {},
  // Mail servers
  'imap-token-refused': {},
  'imap-no-access': {},
  'imap-folder-missing': {},
  'imap-refused': {},
  'imap-unavailable': {},
  'pop3-token-refused': {},
  'pop3-no-access': {},
  'pop3-in-use': {},
  'pop3-login-delay': {},
  'pop3-no-uidl': {},
  'pop3-refused': {},
  'pop3-unavailable': {},
  'graph-token-refused': {},
  'graph-no-access': {},
  'graph-folder-missing': {},
  'graph-refused': {},
  'graph-unavailable': {},
  'smtp-unreachable': {},
  'smtp-tls': {},
  'smtp-answer-lost': {},
  'graph-answer-lost': {},
  'graph-draft-denied': {},
  'graph-send-refused': {},
  'smtp-no-answer': {},
  'bad-envelope': {},
  'email-incomplete': {},
  'bad-relay': {},
  'no-relay': {},
  'relay-refused': {},
  'sending-ended': {},
  'no-way-out': {},
  'socket-broken': {},
  'certificate-not-trusted': {},
  'step-refused': {},
  'mail-not-arrived': {},
  // Fetching and tickets
  'fetch-too-slow': {},
  'fetches-do-not-end': {},
  unexpected: {},
  'not-recognised': {},
  'ledger-busy': {},
  'ticket-busy': {},
  'ticket-missing': { isOfContent: true },
  'number-counter': {},
  'mail-loop': {},
  'email-missing': {},
  'push-silent': {},
  'push-refused': {},
  'push-unconfirmed': {},
  'quarantine-grown': {},
  // Alerts
  'alerts-busy': {},
  'alert-not-mailed': {},
  'channel-malformed': {},
  'channel-unusable': {},
  'webhook-refused': {},
  'webhook-unsigned': {},
  // The app
  'bad-settings': {},
  'bad-message': {},
  'poison-queue': {},
  'timer-late': {},
  'too-slow': {},
  'not-ready': {},
  'page-not-ready': {},
  'readiness-timeout': {},
} as const satisfies Readonly<Record<string, ProblemTraits>>;

export type ProblemCode = keyof typeof problems;

export const problemCodes = Object.keys(problems) as readonly ProblemCode[];

/** Codes that blame Key Vault, the identity used to reach it, or the encryption key in it. */
export type VaultCode = {
  [Code in ProblemCode]: (typeof problems)[Code] extends { part: 'key-vault' | 'keys' } ? Code : never;
}[ProblemCode];

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problems, code);

/**
 * The part of Azure, or the keys, that a code blames; undefined for all others, including foreign codes.
 * Pure.
 */
export function partBlamed(code: string): ProblemTraits['part'] {
  return isProblemCode(code) ? traitsOf(code).part : undefined;
}

export const isVaultCode = (code: string): code is VaultCode =>
  partBlamed(code) === 'key-vault' || partBlamed(code) === 'keys';

/** True when a retry can't help. Pure. */
export const isOfContent = (code: ProblemCode): boolean => traitsOf(code).isOfContent === true;

const traitsOf = (code: ProblemCode): ProblemTraits => problems[code];

declare const foreign: unique symbol;
/** A code known only to a provider, a server or the error catalogue: a word of OAuth, Graph or Node. */
type ForeignWord = string & { readonly [foreign]: true };

/**
 * A code of somebody else, or derived from their response: Microsoft's number, a status, an OAuth error.
 */
export type ForeignCode = `AADSTS${number}` | `http-${number}` | `smtp-${number}` | ForeignWord;

/** Any code that a failure may have. */
export type Code = ProblemCode | ForeignCode;

/** Marks a foreign word as a code. Pure. */
export const foreignCode = (word: string): ForeignCode => word as ForeignWord;

/** Reads a code from a response or a row; any code that is not ours is foreign. Pure. */
export const codeFrom = (text: string): Code => (isProblemCode(text) ? text : foreignCode(text));
