import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { reserveAcknowledgements } from '../../shared/acknowledgements/acknowledgement-window-store.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Tables } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const kinds: [string, () => Tables][] = [
  ['in memory', () => new MemoryTables(openSeam)],
  [
    'in Azurite',
    () => azureTables({ kind: 'connection-string', connectionString: azurite.connectionString }, openSeam),
  ],
];
const NOW = Date.parse('2026-11-28T12:00:00.000Z');
const keyOf = (index: number): string => index.toString(16).padStart(16, '0').padEnd(64, 'f');

describe.each(kinds)('acknowledgement windows %s', (_kind, makeTables) => {
  let tables: Tables;
  let mailboxId: string;
  beforeEach(() => {
    tables = makeTables();
    mailboxId = randomUUID();
  });
  const openOf = async (
    requests: readonly { key: string; to: string }[],
    now = NOW,
    from = tables,
  ): Promise<string[]> =>
    [...(await reserveAcknowledgements(from, mailboxId, requests, now))]
      .filter(([, { kind }]) => kind === 'open')
      .map(([key]) => key);

  test('are counted across runs, once for each message', async () => {
    const first = [
      { key: keyOf(1), to: 'Kim@customer.example' },
      { key: keyOf(2), to: 'kim@customer.example' },
    ];
    expect(await openOf(first)).toEqual([keyOf(1)]);
    expect(await openOf(first, NOW + 1000)).toEqual([keyOf(1)]);
    expect(await openOf([{ key: keyOf(3), to: 'kim@customer.example' }], NOW + 2000)).toEqual([]);
    expect(await openOf([{ key: keyOf(4), to: 'kim@customer.example' }], NOW + 3_600_000)).toEqual([
      keyOf(4),
    ]);
  });

  test('count the numbered addresses of a program as one sender', async () => {
    const numbered = [1, 2, 3].map((each) => ({ key: keyOf(each), to: `Bot+${each}@customer.example` }));
    expect(await openOf(numbered)).toEqual([keyOf(1)]);
    expect(await openOf([{ key: keyOf(4), to: 'bot@customer.example' }])).toEqual([]);
    expect(await openOf([{ key: keyOf(5), to: 'bot@other.example' }])).toEqual([keyOf(5)]);
  });

  test('hold when instances count at the same time', async () => {
    const runs = await Promise.all(
      Array.from({ length: 6 }, (_, index) => openOf([{ key: keyOf(index), to: 'kim@customer.example' }])),
    );
    expect(runs.flat()).toHaveLength(1);
    // The same with rows that exist.
    const later = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        openOf([{ key: keyOf(10 + index), to: 'kim@customer.example' }], NOW + 3_600_000),
      ),
    );
    expect(later.flat()).toHaveLength(1);
  });

  test('take more messages than a transaction has rows', async () => {
    const many = Array.from({ length: 230 }, (_, index) => ({
      key: keyOf(index),
      to: `${index}@customer.example`,
    }));
    expect(await openOf(many)).toHaveLength(200);
  });

  test('of another mailbox are separate, and nothing is written without requests', async () => {
    expect(await openOf([])).toEqual([]);
    expect(await tables.open('Ledger').list(mailboxId)).toEqual([]);
    await openOf([{ key: keyOf(1), to: 'kim@customer.example' }]);
    mailboxId = randomUUID();
    expect(await openOf([{ key: keyOf(2), to: 'kim@customer.example' }])).toEqual([keyOf(2)]);
  });

  test('count from zero where a row cannot be read, and report it', async () => {
    const rowKey = 'ack|all';
    await tables
      .open('Ledger')
      .commit(mailboxId, [{ kind: 'put', row: { partitionKey: mailboxId, rowKey, v: 9 } }]);
    expect(await openOf([{ key: keyOf(1), to: 'kim@customer.example' }])).toEqual([keyOf(1)]);
    expect(unreadableRows(tables, 'Ledger')).toMatchObject([{ partitionKey: mailboxId, rowKey }]);
  });
});
