import { describe, expect, it } from 'vitest';
import {
  dispositionsOf,
  dispositionTable,
  isQuiet,
  type MailRows,
  ticketsOf,
} from '../../dev/bench/replay-dispositions.ts';
import type { StoredRow } from '../../dev/bench/storage-rows.ts';

const BEGAN = Date.parse('2026-11-24T08:00:00Z');
const row = (RowKey: string, columns: Record<string, unknown>): StoredRow => ({
  PartitionKey: 'box',
  RowKey,
  Timestamp: '2026-11-24T08:00:01.500Z',
  ...columns,
});
const at = (uid: number, key: string, copy = false): StoredRow =>
  row(`at|0123456789abcdef|0000000007|${String(uid).padStart(10, '0')}|fedcba9876543210`, { key, copy });
const mail = (key: string, decision: unknown, state = 'done'): StoredRow =>
  row(`mail|${key}`, { state, decision: JSON.stringify(decision) });

const files = ['a.eml', 'b.eml', 'c.eml', 'd.txt'];
const rows: MailRows = {
  ledger: [
    at(1, 'k1'),
    at(2, 'k2'),
    at(3, 'k1', true),
    at(4, 'k4'),
    mail('k1', { disposition: 'ticket', ticketId: 't1', number: 12 }),
    mail('k2', { disposition: 'quarantine', reason: 'too deep' }),
    mail('k4', { disposition: 'skip', reason: 'not an email' }),
  ],
  quarantine: [
    row('0001|k2|at-0123456789abcdef-0000000007-0000000002-fedcba9876543210', {
      kind: 'quarantined',
      reason: 'too deep',
    }),
    row('0002|k1|at-0123456789abcdef-0000000007-0000000003-fedcba9876543210', {
      kind: 'skipped',
      reason: 'copy of an email in ticket #12',
    }),
    row('0003|k4|at-0123456789abcdef-0000000007-0000000004-fedcba9876543210', {
      kind: 'skipped',
      reason: 'not an email',
    }),
  ],
  messages: new Set(['k1']),
};

describe('the disposition of a file', () => {
  it('is found by its place in the order of delivery', () => {
    expect(dispositionsOf(files, rows, BEGAN)).toEqual([
      { file: 'a.eml', disposition: 'ticket', ticket: 12, text: 'Added to ticket #12 as a reply.', ms: 1500 },
      {
        file: 'b.eml',
        disposition: 'quarantine',
        reason: 'too deep',
        text: 'Not imported: too deep.',
        ms: 1500,
      },
      {
        file: 'c.eml',
        disposition: 'skipped',
        reason: 'copy of an email in ticket #12',
        text: 'Skipped: it is a copy of an email in ticket #12.',
        ms: 1500,
      },
      {
        file: 'd.txt',
        disposition: 'skipped',
        reason: 'not an email',
        text: 'Skipped: not an email.',
        ms: 1500,
      },
    ]);
  });

  it('is not read from the ledger alone: a decided email without its message, entry or row has none', () => {
    const named = (changed: Partial<MailRows>): string[] =>
      dispositionsOf(files, { ...rows, ...changed }, BEGAN).map(({ file }) => file);
    expect(named({ messages: new Set() })).toEqual(['b.eml', 'c.eml', 'd.txt']);
    expect(named({ quarantine: [] })).toEqual(['a.eml']);
    expect(named({ ledger: rows.ledger.filter(({ RowKey }) => !RowKey.endsWith('2')) })).not.toContain(
      'b.eml',
    );
    const underWay = rows.ledger.map((each) =>
      each.RowKey === 'mail|k2' ? { ...each, state: 'decided' } : each,
    );
    expect(named({ ledger: underWay })).not.toContain('b.eml');
  });

  it('is summed up, and a file without one is named as missing', () => {
    const dispositions = dispositionsOf(files, rows, BEGAN);
    expect(dispositionTable(dispositions, 4)).toContain(
      '4 files = 1 ticket messages (in 1 tickets) + 1 quarantined + 2 skipped',
    );
    expect(dispositionTable(dispositions, 4)).toContain('b.eml: Not imported: too deep.\n');
    expect(dispositionTable(dispositions, 4)).toContain('1  skipped: copy of an email in ticket #…');
    expect(dispositionTable(dispositions.slice(1), 4)).toContain('1 WITHOUT A DISPOSITION');
  });
});

describe('the ledger', () => {
  it('is quiet when it has every file and nothing is in progress', () => {
    expect(isQuiet(rows.ledger, 4)).toBe(true);
    expect(isQuiet(rows.ledger, 5)).toBe(false);
    expect(isQuiet([...rows.ledger, mail('k5', {}, 'received')], 4)).toBe(false);
  });

  it('names each ticket once', () => {
    expect(ticketsOf([...rows.ledger, mail('k6', { disposition: 'ticket', ticketId: 't1' })])).toEqual([
      't1',
    ]);
  });
});
