import type { Price, Priced } from '../cost/month.ts';
import type { Simulated } from './simulation.ts';

const MINUTES_PER_MONTH = 730 * 60;
/** `fetchMail` and `monitor` run each minute, and are charged a second. */
const TIMER_SECONDS = 2;
const BYTES_PER_MAIL = 220_000;

/** US dollars that a month of simulated minutes costs on instances of this size. Pure. */
export function simulatedUsd(
  { options, runs, runSeconds, storage, emails }: Simulated,
  memoryGb: number,
  prices: Readonly<Record<Priced, Price>>,
): number {
  const times = MINUTES_PER_MONTH / options.minutes;
  const amounts: Partial<Record<Priced, number>> = {
    gbSecond: (runSeconds.total * times + MINUTES_PER_MONTH * TIMER_SECONDS) * memoryGb,
    execution: runs * times + MINUTES_PER_MONTH * 2,
    table: (storage.tableReads + storage.tableWrites) * times,
    queue: storage.queue * times,
    'blob-write': emails * times,
    'blob-read': Math.max(0, storage.blobs - emails) * times,
    storedGb: (emails * times * BYTES_PER_MAIL) / 1e9,
  };
  return (Object.entries(amounts) as [Priced, number][]).reduce((sum, [item, amount]) => {
    const { usd, per, freePerMonth } = prices[item];
    return sum + (Math.max(0, amount - freePerMonth) / per) * usd;
  }, 0);
}
