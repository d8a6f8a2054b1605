import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createNotices, type Notices } from '../../shared/notices/keep-notices.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { FaultySeam } from '../harness/faulty-seam.ts';
import { MemoryTables } from '../harness/memory-tables.ts';
import { describeNotices } from './notices-contract.ts';
import { HOUR, iso, START, silent, storageDown } from './sample-conditions.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describeNotices('in memory', async () => new MemoryTables(openSeam));

test('a process that dies between telling and noting it tells again, under the same id, and nobody else does meanwhile', async () => {
  const tables = new MemoryTables(openSeam);
  let now = START;
  const ids: string[] = [];
  const noticesOf = (seam: Seam): Notices =>
    createNotices({
      tables: tables.behind(seam),
      seam,
      channels: async () => ({
        webhook: async ({ id }) => {
          ids.push(id);
        },
      }),
    });
  // Opened, claimed, and then the note that it was told, which is never written.
  let commits = 0;
  const dies = new FaultySeam({
    now: () => now,
    faultAt: (_call, point) => {
      if (point.endsWith('.commit')) commits += 1;
      return commits === 3 ? 'crashBefore' : undefined;
    },
  });
  const first = noticesOf(dies);
  await first.observe({ source: 'watch', conditions: [silent()] });
  await expect(first.deliver()).rejects.toThrow('the process is dead');
  const second = noticesOf(new FaultySeam({ now: () => now }));
  await second.deliver();
  expect(ids).toHaveLength(1);
  now += 60_000;
  await second.deliver();
  await second.deliver();
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});
