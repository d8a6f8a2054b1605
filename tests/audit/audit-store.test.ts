import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type AuditChange, changesBetween, type Settings } from '../../shared/audit/audit.ts';
import { type AuditStore, createAuditStore } from '../../shared/audit/audit-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const principal = { id: '11111111-1111-4111-8111-111111111111', name: 'Alex Admin' };
const provider = { kind: 'provider', id: 'p1', name: 'Contoso' } as const;
const change = (at: string, connectRequest: Partial<AuditChange> = {}): AuditChange => ({
  at: Date.parse(at),
  principal,
  action: 'changed',
  subject: provider,
  before: { name: 'Contoso' },
  after: { name: 'Contoso Ltd' },
  ...connectRequest,
});

let tables: MemoryTables;
let audit: AuditStore;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
  audit = createAuditStore(tables);
});

/** All pages of a query, by the second in which each entry was made. */
async function pagesOf(limit: number, filter: Parameters<AuditStore['all']>[0] = {}): Promise<string[][]> {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const page = await audit.page({ ...filter, after, limit });
    pages.push(page.entries.map(({ at }) => at.slice(0, 19)));
    after = page.next;
  } while (after !== undefined);
  return pages;
}

test('changes in the same millisecond are listed in the order in which they were made, newest first', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `step ${index}`);
  await Promise.all(names.map((action) => audit.record(change('2026-11-24T10:00:00.000Z', { action }))));
  const { entries } = await audit.page({ limit: 20 });
  expect(entries.map(({ action }) => action)).toEqual(names.toReversed());
});

describe('changes', () => {
  test('are stored only for what differs, in readable words', () => {
    const before: Settings = { name: 'A', port: 993, paused: false, scopes: ['IMAP'], folder: undefined };
    const after: Settings = { name: 'A', port: 143, paused: true, scopes: ['IMAP', 'SMTP'], folder: 'INBOX' };
    expect(changesBetween(before, after)).toEqual([
      { name: 'port', before: '993', after: '143' },
      { name: 'paused', before: 'no', after: 'yes' },
      { name: 'scopes', before: 'IMAP', after: 'IMAP, SMTP' },
      { name: 'folder', before: undefined, after: 'INBOX' },
    ]);
  });

  test('have no value before a creation, and none after a deletion', () => {
    expect(changesBetween(undefined, { name: 'A' })).toEqual([
      { name: 'name', before: undefined, after: 'A' },
    ]);
    expect(changesBetween({ name: 'A' })).toEqual([{ name: 'name', before: 'A', after: undefined }]);
  });

  test('of long texts are compared before the texts are cut, and lose their control characters', () => {
    const [shown] = changesBetween({ note: 'x'.repeat(900) }, { note: `${'x'.repeat(900)}y` });
    expect(shown?.before).toHaveLength(250);
    expect(changesBetween({}, { note: 'a\r\n\u0000b' })[0]?.after).toBe('a b');
  });

  test('are stored up to the size of a row, and the rest is mentioned', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`${index} ${'"'.repeat(90)}`, '"'.repeat(400)]),
    );
    const other = Object.fromEntries(Object.keys(many).map((name) => [name, '\\'.repeat(400)]));
    await audit.record(change('2026-11-24T10:00:00Z', { before: many, after: other }));
    const [entry] = (await audit.page({ limit: 1 })).entries;
    expect(entry?.changes).toHaveLength(25);
    expect(entry?.changes.at(-1)).toEqual({
      name: 'further settings',
      before: undefined,
      after: '36 changed',
    });
  });

  test('never include a secret: the compiler rejects it', () => {
    // @ts-expect-error a Secret is not allowed
    const refused: Settings = { secret: new Secret('s3cret') };
    expect(JSON.stringify(refused)).not.toContain('s3cret');
  });
});

describe('pages', () => {
  test('go back through the months, newest first, each change once', async () => {
    for (const at of ['2026-09-30T23:59:59Z', '2026-11-02T08:00:00Z', '2026-11-01T00:00:00Z'])
      await audit.record(change(at));
    await audit.record(change('2025-12-31T12:00:00Z'));
    expect(await pagesOf(2)).toEqual([
      ['2026-11-02T08:00:00', '2026-11-01T00:00:00'],
      ['2026-09-30T23:59:59', '2025-12-31T12:00:00'],
    ]);
    expect(await pagesOf(1)).toHaveLength(4);
  });

  test('include both of two changes in the same millisecond', async () => {
    await Promise.all([
      audit.record(change('2026-11-24T10:00:00Z')),
      audit.record(change('2026-11-24T10:00:00Z')),
    ]);
    expect((await pagesOf(10)).flat()).toHaveLength(2);
  });

  test('of one object contain only that object, by its ID and not by its name', async () => {
    await audit.record(change('2026-11-24T10:00:00Z'));
    await audit.record(change('2026-11-24T10:00:01Z', { subject: { ...provider, id: 'p2' } }));
    await audit.record(change('2026-11-24T10:00:02Z', { subject: { kind: 'mailbox', id: 'p1', name: 'm' } }));
    expect((await pagesOf(1, { kind: 'provider' })).flat()).toEqual([
      '2026-11-24T10:00:01',
      '2026-11-24T10:00:00',
    ]);
    expect((await pagesOf(5, { kind: 'provider', id: 'p1' })).flat()).toEqual(['2026-11-24T10:00:00']);
  });

  test('of a rare object end in time and continue where they stopped', async () => {
    await audit.record(change('2026-10-01T00:00:00Z', { subject: { ...provider, id: 'rare' } }));
    for (let index = 0; index < 2100; index++)
      await audit.record(change(new Date(Date.UTC(2026, 10, 1, 0, 0, index)).toISOString()));
    const first = await audit.page({ kind: 'provider', id: 'rare', limit: 50 });
    expect(first.entries).toEqual([]);
    const second = await audit.page({ kind: 'provider', id: 'rare', limit: 50, after: first.next });
    expect(second.entries.map(({ at }) => at.slice(0, 10))).toEqual(['2026-10-01']);
    expect(second.next).toBeUndefined();
  });

  test('start with an empty list for an invalid position in the URL', async () => {
    await audit.record(change('2026-11-24T10:00:00Z'));
    expect(await audit.page({ after: "' or true|x", limit: 5 })).toEqual({ entries: [], next: undefined });
  });

  test('can be read completely in one call', async () => {
    await audit.record(change('2026-09-01T00:00:00Z'));
    await audit.record(change('2026-11-01T00:00:00Z'));
    const all: string[] = [];
    for await (const { at, changes } of audit.all({})) all.push(`${at} ${changes.length}`);
    expect(all).toEqual(['2026-11-01T00:00:00.000Z 1', '2026-09-01T00:00:00.000Z 1']);
  });
});

test('a change whose row cannot be read is left out and reported, and no page or export stops at it', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (const second of [1, 2, 3]) await audit.record(change(`2026-11-24T10:00:0${second}.000Z`));
  const [, spoiled] = await tables.open('Audit').list('2026-11');
  if (spoiled === undefined) throw new Error('no change was recorded');
  await tables.open('Audit').commit('2026-11', [{ kind: 'put', row: { ...spoiled, changes: '[{}]' } }]);
  expect(await pagesOf(10)).toEqual([['2026-11-24T10:00:03', '2026-11-24T10:00:01']]);
  expect((await pagesOf(1)).flat()).toEqual(['2026-11-24T10:00:03', '2026-11-24T10:00:01']);
  const all = await Array.fromAsync(audit.all({ kind: 'provider' }));
  expect(all).toHaveLength(2);
  const { partitionKey, rowKey } = spoiled;
  expect(unreadableRows(tables)).toEqual([{ table: 'Audit', partitionKey, rowKey }]);
});

test('only the ID and the name of who made a change are stored', async () => {
  const more = { ...principal, roles: ['admin'] };
  await audit.record(change('2026-11-24T10:00:00.000Z', { principal: more }));
  expect(JSON.stringify(tables.dump('Audit'))).not.toContain('roles');
});
