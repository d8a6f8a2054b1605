/** Copies of finished email: listed once as skipped, and left waiting if the original is not done yet. */
import { beforeEach, expect, test } from 'vitest';
import { type Decision, placeOf } from '../../shared/intake/ledger.ts';
import { createLedgerStore, type LedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore, type QuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { type KnownCopy, skipDuplicates } from '../../shared/intake/skip-duplicates.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';
const scope = { folderKey: 'f', validity: '1' };
const metaOf = (uid: number) => ({
  ref: uidRef(uid),
  size: 100 + uid,
  receivedAt: `2026-11-24T10:00:${String(uid).padStart(2, '0')}.000Z`,
  messageId: '',
});
const ticket: Decision = {
  disposition: 'ticket',
  ticketId: 't',
  number: 7,
  opens: true,
  follows: undefined,
  reason: undefined,
};
const disposition = (wish: Partial<Decision>): Decision => ({ ...ticket, ...wish });

let ledger: LedgerStore;
let quarantine: QuarantineStore;
beforeEach(() => {
  const tables = new MemoryTables(openSeam);
  ledger = createLedgerStore(tables);
  quarantine = createQuarantineStore({ tables });
});

/** An email at its first place, decided and perhaps done. */
async function original(
  key: string,
  decision: Decision,
  { settled = true, rawBlob = `raw/${key}` } = {},
): Promise<void> {
  const place = `at|f|1|0|${key}`;
  const found = { ref: uidRef(0), place, key, rawBlob, receivedAt: '2026-11-24T09:00:00.000Z', size: 5000 };
  const { mine } = await ledger.claim(BOX, [found], { alone: false, present: new Set() });
  const decided = await ledger.decide(
    BOX,
    mine.map((mail) => ({ mail, decision })),
  );
  if (settled) await ledger.complete(BOX, decided);
}
const copyOf = (key: string, uid: number): KnownCopy => {
  const meta = metaOf(uid);
  return { meta, copy: { place: placeOf(scope, meta), key, copy: true } };
};
const pass = (copies: readonly KnownCopy[], again = false) =>
  skipDuplicates({ ledger, quarantine }, BOX, copies, { again });
const shown = async () => (await quarantine.page(BOX, { limit: 100 })).entries;

test('a copy of a finished email is listed with the place of the original, under its own time', async () => {
  await original('k', ticket);
  expect(await pass([copyOf('k', 3)])).toEqual({ completed: [3].map(uidRef), waiting: [], skipped: 1 });
  expect(await shown()).toEqual([
    {
      key: expect.stringContaining('|k|at-f-0000000001-0000000003-'),
      mailboxId: BOX,
      kind: 'skipped',
      reason: 'copy of an email in ticket #7',
      at: '2026-11-24T10:00:03.000Z',
      from: undefined,
      subject: undefined,
      size: 5000,
      rawBlob: 'raw/k',
    },
  ]);
});

test.each([
  [disposition({ number: undefined }), 'copy of an email in ticket #?'],
  [disposition({ disposition: 'skip', ticketId: undefined }), 'copy of an email that was skipped'],
  [disposition({ disposition: 'quarantine', ticketId: undefined }), 'copy of an email that was not imported'],
])('a copy states what happened to the original (%#)', async (decision, reason) => {
  await original('k', decision);
  await pass([copyOf('k', 3)]);
  expect(await shown()).toMatchObject([{ reason }]);
});

test('a copy of an email whose row has no decision counts as a copy of one in quarantine', async () => {
  const receivedAt = '2026-11-24T10:00:00.000Z';
  const found = { ref: uidRef(0), place: 'at|f|1|0|k', key: 'k', rawBlob: '', receivedAt, size: 5000 };
  const { mine } = await ledger.claim(BOX, [found], { alone: false, present: new Set() });
  await ledger.complete(BOX, mine);
  await pass([copyOf('k', 3)]);
  expect(await shown()).toMatchObject([{ reason: 'copy of an email that was not imported' }]);
});

test('a copy of an email that was never stored has nothing to download', async () => {
  await original('k', disposition({ disposition: 'quarantine' }), { rawBlob: '' });
  await pass([copyOf('k', 3)]);
  expect((await shown())[0]?.rawBlob).toBeUndefined();
});

test('a copy waits until the original is done and known', async () => {
  await original('open', ticket, { settled: false });
  await original('done', ticket);
  const copies = [copyOf('open', 2), copyOf('done', 3), copyOf('unknown', 4)];
  expect(await pass(copies)).toEqual({ completed: [3].map(uidRef), waiting: [2, 4].map(uidRef), skipped: 1 });
  expect(await shown()).toHaveLength(1);
});

test('an entry of an earlier run is done, and neither listed nor counted again', async () => {
  await original('k', ticket);
  await pass([copyOf('k', 3)]);
  const copies = [copyOf('k', 3), copyOf('k', 4)];
  expect(await pass(copies, true)).toEqual({ completed: [3, 4].map(uidRef), waiting: [], skipped: 1 });
  expect(await shown()).toHaveLength(2);
});

/** The store, except for entries whose place matches this pattern: those are refused with that error. */
const refusing = (pattern: RegExp, error: Error): QuarantineStore => ({
  ...quarantine,
  put: async (mailboxId, entries) => {
    if (entries.some(({ place }) => pattern.test(place))) throw error;
    await quarantine.put(mailboxId, entries);
  },
});

test('an entry that storage refuses keeps its copy waiting, and no other', async () => {
  await original('k', ticket);
  const deps = {
    ledger,
    quarantine: refusing(/\|0000000004\|/, new PostroomError('row-refused', 'status 413')),
  };
  const copies = [copyOf('k', 3), copyOf('k', 4), copyOf('k', 5)];
  expect(await skipDuplicates(deps, BOX, copies, { again: false })).toEqual({
    completed: [3, 5].map(uidRef),
    waiting: [4].map(uidRef),
    skipped: 2,
  });
  expect((await shown()).map(({ at }) => at.slice(-7, -5))).toEqual(['05', '03']);
});

test('an outage of storage ends the run', async () => {
  await original('k', ticket);
  const deps = { ledger, quarantine: refusing(/./, new PostroomError('table-storage', 'away')) };
  await expect(skipDuplicates(deps, BOX, [copyOf('k', 3)], { again: false })).rejects.toThrow('away');
});
