/** What the result page of a sign-in shows, and to whom. */
import { describe, expect, test } from 'vitest';
import { silence } from '../../shared/accounts/token-failure.ts';
import { browserHash, type PendingConsent } from '../../shared/consent/consent.ts';
import {
  isKept,
  isUnattributed,
  readResult,
  resultAsText,
  unattributed,
} from '../../shared/consent/consent-result.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { memoryConsents } from './memory-consents.ts';
import { isoAt, keyOf, NOW, sampleConsent, sampleWish } from './sample-attempt.ts';

const cookie = new Secret('the cookie');
const guest = { kind: 'invitation', key: keyOf('d') } as const;
const ada = { kind: 'principal', id: 'ada' } as const;
const KEY = keyOf('c');

async function read(
  change: Partial<PendingConsent> = {},
  browser: Partial<Parameters<typeof readResult>[2]> = {},
  at = NOW,
) {
  const { deps, state } = await memoryConsents();
  state.now = at;
  await deps.consents.add(sampleConsent({ browserHash: browserHash(cookie), ...change }));
  return readResult(deps, KEY, {
    cookieOf: (key) => (key === KEY ? cookie : undefined),
    principal: { id: 'ada', isAdmin: true },
    holdsInvitation: (key) => key === guest.key,
    ...browser,
  });
}
const failed = (outcome: object) => ({ kind: 'failed', outcome, explanation: undefined });
const attempt = { connectRequest: sampleWish(), startedBy: ada };
const kept = { kind: 'done', accountId: 'a'.repeat(26) } as const;

describe('the result page of a sign-in', () => {
  test('in progress is open until the sign-in expires', async () => {
    expect(await read()).toEqual({ kind: 'open', startedBy: ada });
    expect(await read({}, {}, NOW + 599_999)).toEqual({ kind: 'open', startedBy: ada });
    expect(await read({}, {}, NOW + 600_000)).toEqual(failed({ kind: 'expired', ...attempt }));
  });

  test('that has finished shows the result, even after it expired', async () => {
    const done = { usedAt: isoAt(1), result: resultAsText(kept) };
    expect(await read(done)).toEqual(kept);
    expect(await read(done, {}, NOW + 700_000)).toEqual(kept);
    expect(await read({ usedAt: isoAt(1) })).toEqual(failed({ kind: 'used', ...attempt }));
    expect(await read({ usedAt: isoAt(1) }, {}, NOW + 700_000)).toEqual(failed({ kind: 'used', ...attempt }));
  });

  test('that does not exist is unknown', async () => {
    const { deps } = await memoryConsents();
    const browser = { cookieOf: () => cookie, principal: undefined, holdsInvitation: () => true };
    expect(await readResult(deps, KEY, browser)).toEqual(failed({ kind: 'unknown' }));
  });

  test.each([undefined, new Secret('another cookie')])('shows another browser nothing', async (other) => {
    const browser = { cookieOf: () => other };
    expect(await read({}, browser)).toEqual(failed({ kind: 'other-browser' }));
    expect(await read({ usedAt: isoAt(1), result: resultAsText(kept) }, browser)).toEqual(
      failed({ kind: 'used-elsewhere' }),
    );
  });

  test('shows another user nothing', async () => {
    const done = { usedAt: isoAt(1), result: resultAsText(kept) };
    expect(await read(done, { principal: { id: 'eve', isAdmin: true } })).toEqual(
      failed({ kind: 'other-person' }),
    );
    expect(await read(done, { principal: { id: 'ada', isAdmin: false } })).toEqual(
      failed({ kind: 'role-lost' }),
    );
    expect(await read(done, { principal: undefined })).toEqual(failed({ kind: 'signed-out', ...attempt }));
    expect(await read({ ...done, startedBy: guest }, { holdsInvitation: () => false })).toEqual(
      failed({ kind: 'other-browser' }),
    );
    expect(await read({ ...done, startedBy: guest }, { principal: undefined })).toEqual(kept);
  });
});

describe('a stored result', () => {
  const secret = 'client_secret=hunter2hunter2';

  test('has no secret that a provider repeats in its message', () => {
    const failure = { ...silence(`detail ${secret}`), sentence: `sentence ${secret}` };
    const text = resultAsText({
      kind: 'failed',
      outcome: { kind: 'failed', ...attempt, providerName: 'Contoso', failure },
      explanation: undefined,
    });
    expect(text).not.toContain('hunter2');
    expect(text).toContain('sentence client_secret=(hidden)');
    const away = resultAsText({
      kind: 'failed',
      outcome: { kind: 'vault-away', ...attempt, code: 'key-vault', message: `message ${secret}` },
      explanation: undefined,
    });
    expect(away).not.toContain('hunter2');
  });

  test('keeps our own texts and values unchanged', () => {
    const outcome = {
      kind: 'failed' as const,
      ...attempt,
      providerName: secret,
      failure: { ...silence('d'), codes: [1], retryAfterSeconds: 3 },
    };
    const result = { kind: 'failed' as const, outcome, explanation: undefined };
    expect(JSON.parse(resultAsText(result))).toEqual(JSON.parse(JSON.stringify(result)));
  });

  test('excludes outcomes that the row or the kind alone determines', () => {
    expect(isKept({ kind: 'no-refresh-token', ...attempt })).toBe(true);
    for (const kind of ['used', 'expired', 'signed-out'] as const)
      expect(isKept({ kind, ...attempt })).toBe(false);
    for (const kind of ['unknown', 'other-browser', 'role-lost'] as const)
      expect(isKept({ kind })).toBe(false);
  });
});

test('a URL may name only an outcome without personal data', () => {
  for (const kind of unattributed) expect(isUnattributed(kind)).toBe(true);
  for (const kind of ['connected', 'used', '', 'toString']) expect(isUnattributed(kind)).toBe(false);
});
