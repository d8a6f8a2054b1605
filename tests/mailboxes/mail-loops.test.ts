import { describe, expect, test } from 'vitest';
import { type MailLoop, recordMailLoop } from '../../shared/mailboxes/mail-loops.ts';
import { mailLoopKind } from '../../shared/mailboxes/mailbox-state-records.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const loop: MailLoop = {
  mailboxId: 'support',
  sender: 'robot@elsewhere.example',
  at: '2026-11-24T10:00:00.000Z',
  ticketId: 't1',
  count: 101,
};

describe('a mail loop', () => {
  test('is stored in the state of the mailboxes, the last one of each', async () => {
    const tables = new MemoryTables(openSeam);
    const other: MailLoop = { ...loop, mailboxId: 'sales', ticketId: 't2' };
    await recordMailLoop(tables, { ...loop, count: 100 });
    await recordMailLoop(tables, other);
    await recordMailLoop(tables, loop);
    const { loops } = await createMailboxStore(tables).fetchState();
    expect(loops).toEqual([other, loop]);
  });

  test('stores 320 characters of its sender, the longest possible address', async () => {
    const tables = new MemoryTables(openSeam);
    await recordMailLoop(tables, { ...loop, sender: 'x'.repeat(321) });
    const { loops } = await createMailboxStore(tables).fetchState();
    expect(loops.map(({ sender }) => sender)).toEqual(['x'.repeat(320)]);
  });

  test.each<[keyof MailLoop, unknown]>([
    ['sender', 7],
    ['at', 7],
    ['at', 'soon'],
    ['ticketId', undefined],
    ['count', '101'],
  ])('whose %s is %j is rejected', (column, value) => {
    const row = { ...mailLoopKind.toRow(loop), [column]: value } as Row;
    expect(() => mailLoopKind.fromRow(row)).toThrow(
      expect.objectContaining({
        code: 'bad-row',
        message: `MailboxState/state/loop|support: the column ${column} does not contain what Postroom wrote there`,
      }),
    );
  });
});
