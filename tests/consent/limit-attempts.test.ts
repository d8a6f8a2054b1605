/** How many sign-ins per invitation may be in progress, and when one stops counting. */
import { beforeEach, expect, test } from 'vitest';
import { type ConsentStore, createConsentStore } from '../../shared/consent/consent-store.ts';
import type { Invitation, OpenAttempt } from '../../shared/consent/invitation.ts';
import { createInvitationStore, type InvitationStore } from '../../shared/consent/invitation-store.ts';
import { MAX_OPEN_ATTEMPTS, takePlace } from '../../shared/consent/limit-attempts.ts';
import { openSeam, type SeamPoint } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { isoAt, keyOf, NOW, sampleConsent, sampleInvitation } from './sample-attempt.ts';

const KEY = keyOf('d');
const letters = [...'abcdefghijklmnopqrst'];
const tripOf = (letter: string, expiresAt = isoAt(1)): OpenAttempt => ({ key: keyOf(letter), expiresAt });

let points: SeamPoint[];
let before: (point: SeamPoint) => Promise<void>;
let consents: ConsentStore;
let invitations: InvitationStore;
beforeEach(() => {
  points = [];
  before = async () => {};
  const tables = new MemoryTables({
    ...openSeam,
    call: async (point, effect) => {
      points.push(point);
      await before(point);
      return effect();
    },
  });
  consents = createConsentStore(tables);
  invitations = createInvitationStore(tables);
});

const take = (letter: string, now = NOW) =>
  takePlace({ seam: { now: () => now }, consents, invitations }, KEY, tripOf(letter, isoAt(600_000)));
const attempts = async () =>
  (await invitations.get(KEY))?.invitation.attempts.map(({ key }) => key[0]).join('');

/** An invitation with these attempts in progress; those in capitals have returned. */
async function underWay(started: string, change: Partial<Invitation> = {}): Promise<void> {
  const all = [...started].map((letter) => tripOf(letter.toLowerCase()));
  await invitations.add(sampleInvitation({ attempts: all, ...change }));
  for (const letter of started) {
    const usedAt = letter === letter.toLowerCase() ? undefined : isoAt(0);
    await consents.add(sampleConsent({ key: keyOf(letter.toLowerCase()), usedAt }));
  }
}

test('an attempt may start while fewer than five are in progress, without reading their rows', async () => {
  await underWay('abcd');
  points = [];
  expect(await take('e')).toBe('taken');
  expect(await attempts()).toBe('abcde');
  expect(points).toEqual(['table.Consents.get', 'table.Consents.commit', 'table.Consents.get']);
});

test('the sixth one is rejected, and nothing is written', async () => {
  expect(MAX_OPEN_ATTEMPTS).toBe(5);
  await underWay('abcde');
  points = [];
  expect(await take('f')).toBe('too-many');
  expect(points).not.toContain('table.Consents.commit');
  expect(await attempts()).toBe('abcde');
});

test('an attempt that has returned, or whose row is gone, no longer counts', async () => {
  await underWay('aBcde');
  expect(await take('f')).toBe('taken');
  expect(await attempts()).toBe('acdef');
  await consents.purge(NOW + 2 * 86_400_000);
  expect(await take('g')).toBe('taken');
  expect(await attempts()).toBe('g');
});

test('an attempt stops counting when it expires, and not before', async () => {
  await underWay('abcde');
  expect(await take('f', NOW)).toBe('too-many');
  expect(await take('f', NOW + 1)).toBe('taken');
  expect(await attempts()).toBe('f');
});

test.each([
  ['that does not exist', undefined],
  ['that was used', { done: { at: isoAt(0), accountId: 'a', user: 'u' } }],
  ['that was revoked', { revokedAt: isoAt(0) }],
  ['that has ended', { expiresAt: isoAt(0) }],
])('an invitation %s allows no attempt', async (_what, change) => {
  if (change !== undefined) await underWay('', change);
  points = [];
  expect(await take('a')).toBe('invitation-over');
  expect(points).toEqual(['table.Consents.get']);
});

/** This many times, another browser starts an attempt between read and write. */
function othersTake(times: number): void {
  let done = 0;
  before = async (point) => {
    if (point !== 'table.Consents.commit' || done === times) return;
    const own = before;
    before = async () => {};
    const stored = await invitations.get(KEY);
    if (stored !== undefined)
      await invitations.replace(
        { ...stored.invitation, attempts: [tripOf(letters[done] ?? '')] },
        stored.etag,
      );
    done += 1;
    before = own;
  };
}

test('two concurrent starts are both counted', async () => {
  await underWay('');
  othersTake(3);
  expect(await take('x')).toBe('taken');
  expect(await attempts()).toBe('cx');
});

test('a start that conflicts four times in a row is rejected as too many', async () => {
  await underWay('');
  othersTake(4);
  expect(await take('x')).toBe('too-many');
  expect(await attempts()).toBe('d');
});
