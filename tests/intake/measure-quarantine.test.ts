import { afterEach, expect, test } from 'vitest';
import { measureQuarantine } from '../../shared/intake/measure-quarantine.ts';
import { createQuarantineStore, type NewEntry } from '../../shared/intake/quarantine-store.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const MINUTE = 60_000;
const HOUR_START = Date.parse('2026-11-24T10:00:00.000Z');
const quarantine = createQuarantineStore({ tables: new MemoryTables(openSeam) });
const entry = (index: number, kind: NewEntry['kind']): NewEntry => ({
  kind,
  reason: 'too odd',
  at: '2026-11-24T10:00:00.000Z',
  from: undefined,
  subject: undefined,
  size: 100,
  rawBlob: undefined,
  contentKey: `key${index}`,
  place: `at|f|1|${index}|p`,
});
const boxes = (count: number): Mailbox[] =>
  Array.from({ length: count }, (_, index) => ({ ...mailboxOf({ kind: 'mark-seen' }), id: `box${index}` }));

afterEach(() => {
  sendTelemetryTo(undefined);
});

/** The metrics of that minute of the hour: mailbox → number. */
async function measuredAt(now: number, all: readonly Mailbox[]): Promise<Record<string, number>> {
  const measured: Record<string, number> = {};
  sendTelemetryTo({
    span: (_name, _options, run) => run({ add() {}, event() {}, discard() {} }),
    measure: (metric, value, { mailbox }) => {
      if (metric === 'quarantineSize') measured[String(mailbox)] = value;
    },
    traceparent: () => undefined,
    flush: async () => {},
  });
  await measureQuarantine({
    seam: { now: () => now },
    mailboxes: { list: async () => [...all] },
    quarantine,
  });
  return measured;
}

test('email in quarantine is counted, skipped email is not, and never more than 999 entries', async () => {
  await quarantine.put('box0', [entry(1, 'quarantined'), entry(2, 'skipped'), entry(3, 'quarantined')]);
  await quarantine.put(
    'box1',
    Array.from({ length: 1200 }, (_, index) => entry(index, 'quarantined')),
  );
  expect(await measuredAt(HOUR_START, boxes(1))).toEqual({ box0: 2 });
  expect(await measuredAt(HOUR_START + MINUTE, boxes(2))).toEqual({ box1: 999 });
});

test('each minute measures some of the mailboxes, and each hour all of them once', async () => {
  const all = boxes(130);
  expect(Object.keys(await measuredAt(HOUR_START, all))).toEqual(['box0', 'box60', 'box120']);
  expect(Object.keys(await measuredAt(HOUR_START + MINUTE - 1, all))).toEqual(['box0', 'box60', 'box120']);
  expect(Object.keys(await measuredAt(HOUR_START + 59 * MINUTE, all))).toEqual(['box59', 'box119']);
  const measured: string[] = [];
  for (let minute = 0; minute < 60; minute += 1)
    measured.push(...Object.keys(await measuredAt(HOUR_START + minute * MINUTE, all)));
  expect(measured.sort()).toEqual(all.map(({ id }) => id).sort());
});
