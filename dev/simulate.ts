/**
 * `npm run simulate [-- --mailboxes N,N --minutes N --mails N --slow SHARE --down SHARE
 * --instances N --seed N --json]`: runs the product's own dispatch, queue
 * messages, shard runs and state store for many mailboxes on a simulated clock, against simulated servers (some slow,
 * some down) and storage in memory. Reports how late looks and tickets are, and what a month would cost. Fails
 * if a mailbox whose server answers was not looked at for two intervals.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Price, Priced } from './cost/month.ts';
import { runCommand, say } from './run-command.ts';
import { simulatedUsd } from './simulate/simulated-month.ts';
import { type Simulated, simulate } from './simulate/simulation.ts';

const INTERVAL_SECONDS = 60;
const COLUMNS: readonly [string, (result: Shown) => string][] = [
  ['mailboxes', ({ options }) => String(options.mailboxes)],
  ['between looks p50', ({ secondsBetweenLooks: { p50 } }) => `${p50} s`],
  ['p99', ({ secondsBetweenLooks: { p99 } }) => `${p99} s`],
  ['max', ({ secondsBetweenLooks: { max } }) => `${max} s`],
  ['to ticket p50', ({ secondsToTicket: { p50 } }) => `${p50} s`],
  ['p99', ({ secondsToTicket: { p99 } }) => `${p99} s`],
  ['shard run p50', ({ runSeconds: { p50 } }) => `${p50} s`],
  ['max', ({ runSeconds: { max } }) => `${max} s`],
  ['runs a minute', ({ runs, options }) => (runs / options.minutes).toFixed(1)],
  [
    'table requests a minute',
    ({ storage, options }) => perMinute(storage.tableReads + storage.tableWrites, options),
  ],
  ['USD a month 2,048 MB', ({ usd }) => usd.of2048.toFixed(2)],
  ['512 MB', ({ usd }) => usd.of512.toFixed(2)],
];

type Shown = Simulated & { usd: { of2048: number; of512: number } };

const perMinute = (amount: number, { minutes }: { minutes: number }): string => (amount / minutes).toFixed(0);

function tableOf(results: readonly Shown[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(COLUMNS.map(([title]) => title)),
    row(COLUMNS.map(() => '---')),
    ...results.map((result) => row(COLUMNS.map(([, cell]) => cell(result)))),
  ].join('\n');
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      mailboxes: { type: 'string', default: '100,1000' },
      minutes: { type: 'string', default: '10' },
      mails: { type: 'string', default: '20' },
      slow: { type: 'string', default: '0' },
      down: { type: 'string', default: '0' },
      instances: { type: 'string', default: '40' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const { prices } = JSON.parse(await readFile(new URL('./cost/prices.json', import.meta.url), 'utf8')) as {
    prices: Readonly<Record<Priced, Price>>;
  };
  // The product's own log lines of thousands of fetches.
  for (const level of ['log', 'info', 'warn', 'error'] as const) console[level] = () => undefined;
  const results: Shown[] = [];
  for (const mailboxes of values.mailboxes.split(',').map(Number)) {
    say(`${mailboxes} mailboxes …`);
    const result = await simulate({
      mailboxes,
      minutes: Number(values.minutes),
      mailsPerMailboxPerDay: Number(values.mails),
      shares: { slow: Number(values.slow), down: Number(values.down) },
      instances: Number(values.instances),
      seed: Number(values.seed),
    });
    const usd = { of2048: simulatedUsd(result, 2, prices), of512: simulatedUsd(result, 0.5, prices) };
    results.push({ ...result, usd });
  }
  process.stdout.write(values.json ? `${JSON.stringify(results)}\n` : `${tableOf(results)}\n`);
  const isLate = results.some(({ secondsBetweenLooks: { max } }) => max > 2 * INTERVAL_SECONDS);
  if (isLate) say('A mailbox whose server answers was not looked at for two intervals.');
  return isLate ? 1 : 0;
}

await runCommand(main);
