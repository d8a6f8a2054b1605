/**
 * `npm run cost [-- --json]`: estimates the monthly cost of Postroom. Meters the work of the built app on this machine
 * during an idle minute, one with more mailboxes and one with mail (about a minute in total), and
 * multiplies by the price list in dev/cost/prices.json. Resources with a fixed price are counted in the
 * snapshots of infra/. The result lists its assumptions.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  type Fixed,
  type FixedMonth,
  fixedKinds,
  fixedMonthOf,
  type PostroomResource,
} from './cost/fixed.ts';
import { costGoalsOf, goalsInWords } from './cost/goals.ts';
import { type MeteredWorld, openMeteredWorld } from './cost/metered-world.ts';
import {
  type Assumptions,
  type MeasuredMinute,
  type Measurement,
  type Month,
  meteredKinds,
  monthOf,
  type Price,
  type Priced,
  pushUsd,
  quietest,
  usual,
} from './cost/month.ts';
import type { Shape } from './infra/infra-checks.ts';
import { type Command, runCommand, say } from './run-command.ts';

type ListedPrice = Price & { what: string; source: string; asOf: string; checked: boolean };
interface PriceList {
  about: string;
  prices: Readonly<Record<Priced, ListedPrice>>;
  fixed: Readonly<Record<Fixed, ListedPrice>>;
  logs: { logGb: ListedPrice };
}

const SIZES = [10, 100, 1_000];
const SHAPES: readonly { name: string; assumed: Assumptions }[] = [
  { name: 'each minute, 2,048 MB', assumed: usual },
  { name: 'each minute, 512 MB', assumed: { ...usual, memoryGb: 0.5 } },
  {
    name: 'every 5 minutes, 512 MB',
    assumed: { ...usual, memoryGb: 0.5, minutesBetweenFetches: 5 },
  },
  {
    name: 'with push, every 15 minutes, 512 MB',
    assumed: { ...usual, memoryGb: 0.5, minutesBetweenFetches: 15 },
  },
];
const MAILBOXES = Array.from({ length: 21 }, (_, index) => `metered-${index}@contoso.example`);
const NOT_COUNTED =
  'Not in these numbers: telemetry (5 GB a month are free; the line above says what it is at most), answers to the watch where nothing is kept warm (a second each), the locks of the Functions host, its looks at empty queues, the monitor’s look at the vault every five minutes (3 cents), traffic (100 GB a month out of Azure are free; gateway and private endpoints charge each GB), pages that people open.';

async function measure(world: MeteredWorld): Promise<Measurement> {
  const [first, ...others] = MAILBOXES;
  if (first === undefined) throw new Error('No mailbox to meter.');
  say('A minute without mailboxes …');
  // The monitor's first run does more than the following ones.
  await world.minute(0, 0);
  const empty = await world.minute(0, 0);
  await world.addMailbox(first);
  say('An idle minute …');
  await world.settle();
  const idle = await quietMinute(() => world.minute(1, 0));
  for (const address of others) await world.addMailbox(address);
  say(`An idle minute with ${MAILBOXES.length} mailboxes …`);
  await world.settle();
  const idleWithMore = await quietMinute(() => world.minute(MAILBOXES.length, 0));
  // The first email of a mailbox creates what later ones find.
  await deliverToEach(world, 0);
  await world.settle();
  say(`A minute with ${MAILBOXES.length} emails …`);
  let delivered = 0;
  const mail = await quietMinute(async () => {
    delivered += MAILBOXES.length;
    // One in each, as with 20 a day.
    await deliverToEach(world, delivered);
    return world.minute(MAILBOXES.length, MAILBOXES.length);
  });
  return { empty, idle, idleWithMore, mail };
}

const quietMinute = async (meter: () => Promise<MeasuredMinute>): Promise<MeasuredMinute> =>
  quietest([await meter(), await meter(), await meter()]);

async function deliverToEach(world: MeteredWorld, from: number): Promise<void> {
  for (const [index, address] of MAILBOXES.entries()) await world.deliver(address, mailNumber(from + index));
}

const mailNumber = (index: number): Buffer =>
  Buffer.from(
    [
      `From: Customer ${index} <customer-${index}@fabrikam.example>`,
      'To: metered@contoso.example',
      `Subject: Question ${index}`,
      `Message-ID: <cost-${index}@fabrikam.example>`,
      `Date: ${new Date(1_790_000_000_000 + index * 1000).toUTCString()}`,
      '',
      'How much does this cost?',
      '',
    ].join('\r\n'),
  );

function shown(
  measurement: Measurement,
  tables: readonly { name: string; months: readonly Month[] }[],
): string {
  const { empty, idle, idleWithMore, mail } = measurement;
  const row = (what: string, values: readonly number[]): string =>
    `  ${what.padEnd(14)}${values.map((value) => String(value).padStart(9)).join('')}`;
  const requests = meteredKinds.map((kind) =>
    row(kind, [empty.requests[kind], idle.requests[kind], idleWithMore.requests[kind], mail.requests[kind]]),
  );
  const dollars = (value: number): string => value.toFixed(2).padStart(10);
  const months = tables.flatMap(({ name, months: all }) => [
    '',
    `US dollars a month, ${name}`,
    `  ${'mailboxes'.padEnd(14)}${all.map(({ mailboxes }) => String(mailboxes).padStart(10)).join('')}`,
    ...(all[0]?.lines ?? []).map(
      ({ item }, index) =>
        `  ${item.padEnd(14)}${all.map(({ lines }) => dollars(lines[index]?.usd ?? 0)).join('')}`,
    ),
    `  ${'together'.padEnd(14)}${all.map(({ usd }) => dollars(usd)).join('')}`,
  ]);
  return [
    'Requests in a minute, metered here:',
    row('mailboxes', [empty.mailboxes, idle.mailboxes, idleWithMore.mailboxes, mail.mailboxes]),
    row('mails', [empty.mails, idle.mails, idleWithMore.mails, mail.mails]),
    ...requests,
    ...months,
  ].join('\n');
}

const POSTROOM: readonly { name: string; shape: Shape }[] = [
  { name: 'standard', shape: 'main' },
  { name: 'hardened', shape: 'hardened' },
];

async function fixedMonths({ fixed, logs }: PriceList): Promise<{ name: string; month: FixedMonth }[]> {
  return Promise.all(
    POSTROOM.map(async ({ name, shape }) => {
      const file = new URL(`../infra/${shape}.snapshot.json`, import.meta.url);
      const taken = JSON.parse(await readFile(file, 'utf8')) as { predictedResources: PostroomResource[] };
      return { name, month: fixedMonthOf(taken.predictedResources, fixed, logs.logGb) };
    }),
  );
}

function fixedInWords(fixed: readonly { name: string; month: FixedMonth }[]): string {
  const row = (what: string, values: readonly string[]): string =>
    `  ${what.padEnd(23)}${values.map((value) => value.padStart(10)).join('')}`;
  return [
    'US dollars a month for what stands there, mail or no email',
    row(
      'installation',
      fixed.map(({ name }) => name),
    ),
    ...fixedKinds.map((kind, index) =>
      row(
        kind,
        fixed.map(({ month }) => (month.lines[index]?.usd ?? 0).toFixed(2)),
      ),
    ),
    row(
      'together',
      fixed.map(({ month }) => month.usd.toFixed(2)),
    ),
    row(
      'besides, logs at most',
      fixed.map(({ month }) => month.logsAtMostUsd.toFixed(2)),
    ),
  ].join('\n');
}

async function main({ running }: Command): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const list = JSON.parse(
    await readFile(new URL('./cost/prices.json', import.meta.url), 'utf8'),
  ) as PriceList;
  const measurement = await measure(await openMeteredWorld(MAILBOXES, running, say));
  const tables = SHAPES.map(({ name, assumed }) => ({
    name,
    assumed,
    months: SIZES.map((mailboxes) => monthOf(measurement, mailboxes, assumed, list.prices)),
  }));
  const fixed = await fixedMonths(list);
  const goals = costGoalsOf(tables);
  const push = pushUsd(1_000, { ...usual, memoryGb: 0.5 }, list.prices.gbSecond);
  if (values.json)
    process.stdout.write(
      `${JSON.stringify({ goals, measurement, tables, pushNotificationsUsd: push, fixed, prices: { ...list.prices, ...list.fixed, ...list.logs }, notCounted: NOT_COUNTED })}\n`,
    );
  else {
    const { secondsPerLook, atOnce, mailsPerMailboxPerDay, bytesPerMail } = usual;
    process.stdout.write(`${goalsInWords(goals)}\n\n`);
    process.stdout.write(`${shown(measurement, tables)}\n\n${fixedInWords(fixed)}\n\n`);
    process.stdout.write(
      `Push: with 20 emails a day in each of 1,000 mailboxes, the notifications and the fetches that they start cost ${push.toFixed(2)} dollars more on 512 MB. They are not in the table.\n`,
    );
    process.stdout.write(
      `Assumed: ${mailsPerMailboxPerDay} emails a mailbox and day of ${bytesPerMail / 1000} KB; ${secondsPerLook} s to sign in to a mailbox and look, ${atOnce} at a time, and their processor time as metered here, where an instance of 512 MB has a quarter of a core. Storage is the first month's mail.\n${NOT_COUNTED}\n`,
    );
    for (const { what, usd, per, source, asOf, checked } of [
      ...Object.values(list.prices),
      ...Object.values(list.fixed),
      ...Object.values(list.logs),
    ])
      process.stdout.write(
        `${usd} per ${per}: ${what} (${asOf}${checked ? '' : ', not checked'}; ${source})\n`,
      );
  }
  return 0;
}

await runCommand(main);
