import type { Month } from './month.ts';

export interface CostGoal {
  goal: string;
  /** US dollars a month. */
  usd: number;
  limit: number;
  /** Cost before shards looked at all their mailboxes at once, metered on 2026-11-28; absent: not possible then. */
  before?: number;
  met: boolean;
}

/** Limits for 1,000 mailboxes with 20 emails a day each, by shape of the installation. */
const LIMITS: Readonly<Record<string, { limit: number; before?: number }>> = {
  'each minute, 2,048 MB': { limit: 60, before: 447 },
  'each minute, 512 MB': { limit: 15, before: 117 },
  'with push, every 15 minutes, 512 MB': { limit: 8 },
};
const MAILBOXES = 1_000;

/** The goals beside what was metered. Pure. */
export function costGoalsOf(tables: readonly { name: string; months: readonly Month[] }[]): CostGoal[] {
  return tables.flatMap(({ name, months }) => {
    const goal = LIMITS[name];
    const usd = months.find(({ mailboxes }) => mailboxes === MAILBOXES)?.usd;
    if (goal === undefined || usd === undefined) return [];
    return [{ goal: name, usd: Math.round(usd * 100) / 100, ...goal, met: usd <= goal.limit }];
  });
}

export const goalsInWords = (goals: readonly CostGoal[]): string =>
  [
    'Goals for 1,000 mailboxes, US dollars a month',
    ...goals.map(
      ({ goal, usd, limit, before, met }) =>
        `  ${goal.padEnd(38)}${usd.toFixed(2).padStart(8)}  at most ${String(limit).padStart(3)}  ${met ? 'met' : 'MISSED'}${before === undefined ? '' : `  (before: ${before})`}`,
    ),
  ].join('\n');
