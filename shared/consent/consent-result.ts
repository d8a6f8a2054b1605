import type { Explanation } from '../explanations/explanation.ts';
import { redact } from '../explanations/redact.ts';
import type { Seam } from '../platform/seam.ts';
import { browserHash, type Initiator } from './consent.ts';
import type { ConsentStore } from './consent-store.ts';
import { type AuthorizationCallback, type ConsentOutcome, verifyInitiator } from './finish-consent.ts';
import type { FailedOutcome } from './outcome-messages.ts';

/** The outcome of a sign-in, as stored in its row for the page that shows it. */
export type StoreResult =
  | { kind: 'failed'; outcome: FailedOutcome; explanation: Explanation | undefined }
  /** Connected by an invitation, whose holder has no other page to go to. */
  | { kind: 'done'; accountId: string };

/** Fields with text of the provider or of an error, which may repeat a secret that was sent. */
const FOREIGN = new Set(['sentence', 'detail', 'said', 'message']);

/** A result as stored in one column. */
export const resultAsText = (result: StoreResult): string =>
  JSON.stringify(result, (name, value: unknown) =>
    FOREIGN.has(name) && typeof value === 'string' ? redact(value) : value,
  );

const resultOf = (text: string): StoreResult => JSON.parse(text) as StoreResult;

export type ShownResult =
  | StoreResult
  /** Not back yet and still valid: the sign-in may continue. */
  | { kind: 'open'; startedBy: Initiator };

/**
 * What to show for a sign-in, only to the browser and the person that started it. Only reads, so a reload
 * shows the same.
 */
export async function readResult(
  { seam, consents }: { seam: Pick<Seam, 'now'>; consents: Pick<ConsentStore, 'get'> },
  key: string,
  browser: Pick<AuthorizationCallback, 'cookieOf' | 'principal' | 'holdsInvitation'>,
): Promise<ShownResult> {
  const consent = (await consents.get(key))?.consent;
  if (consent === undefined) return failed({ kind: 'unknown' });
  const { connectRequest, startedBy } = consent;
  const attempt = { connectRequest, startedBy };
  const cookie = browser.cookieOf(key);
  if (cookie === undefined || browserHash(cookie) !== consent.browserHash)
    return failed({ kind: consent.usedAt === undefined ? 'other-browser' : 'used-elsewhere' });
  const mismatch = verifyInitiator(startedBy, browser);
  if (mismatch === 'signed-out') return failed({ kind: mismatch, ...attempt });
  if (mismatch !== undefined) return failed({ kind: mismatch });
  if (consent.result !== undefined) return resultOf(consent.result);
  if (consent.usedAt !== undefined) return failed({ kind: 'used', ...attempt });
  if (Date.parse(consent.expiresAt) <= seam.now()) return failed({ kind: 'expired', ...attempt });
  return { kind: 'open', startedBy };
}

const failed = (outcome: FailedOutcome): StoreResult => ({
  kind: 'failed',
  outcome,
  explanation: undefined,
});

/** Outcomes without a consent, which a URL may name: they contain no personal data. */
export const unattributed = [
  'unknown',
  'used-elsewhere',
  'other-browser',
  'other-person',
  'role-lost',
  'provider-missing',
] as const;
export type UnattributedOutcome = (typeof unattributed)[number];

export const isUnattributed = (kind: string): kind is UnattributedOutcome =>
  unattributed.some((one) => one === kind);

/**
 * True when this outcome is stored with the sign-in. The others follow from its row, or from their kind
 * alone.
 */
export const isKept = (outcome: Exclude<ConsentOutcome, { kind: 'connected' }>): boolean =>
  'connectRequest' in outcome && !['used', 'expired', 'signed-out'].includes(outcome.kind);
