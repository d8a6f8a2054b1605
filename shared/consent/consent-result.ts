import type { Explanation } from '../explanations/explanation.ts';
import { redact } from '../explanations/redact.ts';
import type { Seam } from '../platform/seam.ts';
import { browserHash, type Initiator } from './consent.ts';
import type { ConsentStore } from './consent-store.ts';
import { type ConsentOutcome, type AuthorizationCallback, verifyInitiator } from './finish-consent.ts';
import type { FailedOutcome } from './outcome-messages.ts';

/** What became of a sign-in, as its row keeps it for the page that the browser is led to. */
export type StoreResult =
  | { kind: 'failed'; outcome: FailedOutcome; explanation: Explanation | undefined }
  /** Connected by an invitation, whose owner has no other page to go to. */
  | { kind: 'done'; accountId: string };

/** What others have written: it may repeat a secret that was sent to them. */
const FOREIGN = new Set(['sentence', 'detail', 'said']);

/** A result as a row keeps it in one column. */
export const resultAsText = (result: StoreResult): string =>
  JSON.stringify(result, (name, value: unknown) =>
    FOREIGN.has(name) && typeof value === 'string' ? redact(value) : value,
  );

const resultOf = (text: string): StoreResult => JSON.parse(text) as StoreResult;

export type ShownResult =
  | StoreResult
  /** Not back yet, and still good: the way to the provider is open. */
  | { kind: 'open'; startedBy: Initiator };

/**
 * What to show at the address of a sign-in, to the browser and the person that made it and to nobody else. Reads only,
 * so that a reload says the same again.
 */
export async function readResult(
  { seam, consents }: { seam: Pick<Seam, 'now'>; consents: Pick<ConsentStore, 'get'> },
  key: string,
  browser: Pick<AuthorizationCallback, 'cookieOf' | 'principal' | 'holdsInvitation'>,
): Promise<ShownResult> {
  const consent = (await consents.get(key))?.consent;
  if (consent === undefined) return failed({ kind: 'unknown' });
  const { wish, startedBy } = consent;
  const trip = { wish, startedBy };
  const cookie = browser.cookieOf(key);
  if (cookie === undefined || browserHash(cookie) !== consent.browserHash)
    return failed({ kind: consent.usedAt === undefined ? 'other-browser' : 'used-elsewhere' });
  const stranger = verifyInitiator(startedBy, browser);
  if (stranger === 'signed-out') return failed({ kind: stranger, ...trip });
  if (stranger !== undefined) return failed({ kind: stranger });
  if (consent.result !== undefined) return resultOf(consent.result);
  if (consent.usedAt !== undefined) return failed({ kind: 'used', ...trip });
  if (Date.parse(consent.expiresAt) <= seam.now()) return failed({ kind: 'expired', ...trip });
  return { kind: 'open', startedBy };
}

const failed = (outcome: FailedOutcome): StoreResult => ({
  kind: 'failed',
  outcome,
  explanation: undefined,
});

/** Outcomes without a trip, which an address may name: they hold nothing of anybody. */
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

/** Whether this outcome is kept with the sign-in; all others are told from its row, or by their kind alone. */
export const isKept = (outcome: Exclude<ConsentOutcome, { kind: 'connected' }>): boolean =>
  'wish' in outcome && !['used', 'expired', 'signed-out'].includes(outcome.kind);
