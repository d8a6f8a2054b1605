import { beforeEach, describe, expect, test, vi } from 'vitest';
import { simulatedUsd } from '../../dev/simulate/simulated-month.ts';
import { type SimulationOptions, simulate } from '../../dev/simulate/simulation.ts';
import { VirtualClock } from '../../dev/simulate/virtual-clock.ts';

beforeEach(() => {
  for (const level of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const options: SimulationOptions = {
  mailboxes: 120,
  minutes: 4,
  mailsPerMailboxPerDay: 100,
  shares: { slow: 0, down: 0 },
  instances: 40,
  seed: 1,
};

test('a simulated clock jumps from event to event, in order', async () => {
  const clock = new VirtualClock(0);
  const seen: [string, number][] = [];
  const wait = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    seen.push([name, clock.now]);
  };
  await clock.run(Promise.all([wait('b', 2_000), wait('a', 1_000), wait('c', 86_400_000)]));
  expect(seen).toEqual([
    ['a', 1_000],
    ['b', 2_000],
    ['c', 86_400_000],
  ]);
});

describe('simulated minutes', () => {
  test('looks at every mailbox each minute, in one run a shard, whose only write is one row', async () => {
    const result = await simulate({ ...options, mailsPerMailboxPerDay: 0 });
    expect(result.secondsBetweenLooks.max).toBeLessThan(62);
    expect(result.runs).toBe(2 * options.minutes);
    expect(result.storage.tableWrites).toBe(2 * options.minutes);
    expect(result.storage.blobs).toBe(0);
  });

  test('makes a ticket of each email within two intervals, and has the same email for the same seed', async () => {
    const result = await simulate(options);
    expect(result.emails).toBeGreaterThan(10);
    expect(result.secondsToTicket.max).toBeLessThan(120);
    expect((await simulate(options)).emails).toBe(result.emails);
  });

  test('probes a server that is down with one mailbox a minute, and delays nobody', async () => {
    const result = await simulate({ ...options, shares: { slow: 0, down: 0.1 } });
    expect(result.down.mailboxes).toBe(12);
    expect(result.down.tries).toBeLessThanOrEqual(options.minutes);
    expect(result.secondsBetweenLooks.max).toBeLessThan(62);
  });

  test('is late if Azure starts too few instances', async () => {
    const result = await simulate({ ...options, mailboxes: 300, instances: 1, shares: { slow: 1, down: 0 } });
    expect(result.secondsBetweenLooks.max).toBeGreaterThan(62);
  });

  test('costs what its runs cost, and less on a smaller instance', async () => {
    const free = { usd: 1, per: 1, freePerMonth: 1e12 };
    const prices = {
      gbSecond: { usd: 1, per: 1_000_000, freePerMonth: 0 },
      ...Object.fromEntries(
        ['execution', 'table', 'queue', 'blob-write', 'blob-read', 'vault', 'storedGb'].map((item) => [
          item,
          free,
        ]),
      ),
    } as Parameters<typeof simulatedUsd>[2];
    const result = await simulate({ ...options, mailsPerMailboxPerDay: 0 });
    const seconds = (43_800 / options.minutes) * result.runSeconds.total + 43_800 * 2;
    expect(simulatedUsd(result, 2, prices)).toBeCloseTo((2 * seconds) / 1e6, 9);
    expect(simulatedUsd(result, 0.5, prices)).toBeCloseTo(seconds / 2 / 1e6, 9);
  });
});
