/** Which refreshes create a row of activity, and which metrics they record. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordRefresh, refreshActivity } from '../../shared/accounts/record-refresh.ts';
import type { RefreshOutcome } from '../../shared/accounts/refresh-store.ts';
import type { Activity } from '../../shared/activity/activity.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');
const busy = { code: 'http-503', message: 'The provider is busy.' } as const;
const works = sampleAccount();
const retrying = sampleAccount({ state: 'retrying', problem: busy });
const stopped = sampleAccount({ state: 'action-required', problem: busy });
const refreshed = {
  kind: 'refreshed',
  account: works,
  token: new Secret('t'),
  provider: sampleProvider(),
} as const;
const entry = {
  kind: 'refresh',
  at: '2026-11-24T12:00:00.000Z',
  aboutId: works.accountId,
  about: works.user,
  ms: 70,
};

describe('a row of activity', () => {
  test('is written by each refresh', () => {
    const row = { ...entry, result: 'done', what: 'Token refreshed.' };
    for (const before of [works, retrying, stopped])
      expect(refreshActivity(before, refreshed, NOW, 70)).toEqual(row);
  });

  test('is written by a new failure', () => {
    expect(refreshActivity(works, { kind: 'retrying', account: retrying }, NOW, 70)).toEqual({
      ...entry,
      result: 'retrying',
      what: busy.message,
    });
    expect(refreshActivity(retrying, { kind: 'action-required', account: stopped }, NOW, 70)).toEqual({
      ...entry,
      result: 'action-required',
      what: busy.message,
    });
    const other = sampleAccount({ state: 'retrying', problem: { code: 'no-answer', message: 'Silence.' } });
    expect(refreshActivity(retrying, { kind: 'retrying', account: other }, NOW, 70)?.what).toBe('Silence.');
  });

  test('has a general text if the account has no problem text', () => {
    const mute = sampleAccount({ state: 'retrying' });
    expect(refreshActivity(works, { kind: 'retrying', account: mute }, NOW, 70)?.what).toBe(
      'The token could not be refreshed.',
    );
    expect(refreshActivity(mute, { kind: 'retrying', account: mute }, NOW, 70)).toBeUndefined();
  });

  test('is not written by a continuing failure, so that an outage of a night is one row', () => {
    expect(refreshActivity(retrying, { kind: 'retrying', account: retrying }, NOW, 70)).toBeUndefined();
    expect(refreshActivity(stopped, { kind: 'action-required', account: stopped }, NOW, 70)).toBeUndefined();
  });
});

describe('a refresh', () => {
  let measured: unknown[];
  let noted: Activity[];
  beforeEach(() => {
    measured = [];
    noted = [];
    sendTelemetryTo({
      span: (name, { fields }, run) => {
        measured.push([name, fields]);
        return run({ add: (more) => measured.push(more), event() {}, discard() {} });
      },
      measure: (...measurement) => measured.push(measurement),
      traceparent: () => undefined,
      flush: async () => {},
    });
  });
  afterEach(() => sendTelemetryTo(undefined));

  const run = (outcome: RefreshOutcome, before = works): Promise<RefreshOutcome> => {
    let now = NOW - 140;
    const seam = { now: () => (now += 70) };
    const activity = { note: async (rows: readonly Activity[]) => void noted.push(...rows) };
    return recordRefresh({ seam, activity }, before, async () => outcome);
  };
  const span = ['refresh token', { provider: works.providerId, account: works.accountId }];

  test('is measured and recorded with its duration, and its outcome is returned', async () => {
    expect(await run(refreshed)).toBe(refreshed);
    expect(noted).toEqual([{ ...entry, result: 'done', what: 'Token refreshed.' }]);
    expect(measured).toEqual([span, { result: 'refreshed' }, ['refreshes', 1, { result: 'refreshed' }]]);
  });

  test('that fails as before is measured but not recorded', async () => {
    const outcome = { kind: 'retrying', account: retrying } as const;
    expect(await run(outcome, retrying)).toBe(outcome);
    expect(noted).toEqual([]);
    expect(measured).toEqual([span, { result: 'retrying' }, ['refreshes', 1, { result: 'retrying' }]]);
  });

  test.each(['changed', 'taken'] as const)('that ends as %s counts as none', async (kind) => {
    expect(await run({ kind })).toEqual({ kind });
    expect(noted).toEqual([]);
    expect(measured).toEqual([span, { result: kind }]);
  });
});
