/**
 * `npm run bench`, `npm run bench -- outbox` and `npm run bench:intake`: measures speed and memory, and checks the
 * goals. Takes about three minutes. The tops of dev/bench/intake-bench.ts and outbox-bench.ts explain what is compared. With --json, prints one
 * object on standard output. Exits with 1 when a goal is missed or something was stored incorrectly.
 */
import { parseArgs } from 'node:util';
import { measureColdStart } from './bench/cold-start.ts';
import { type Goal, goalsOf, outboxGoalsOf, rounded } from './bench/goals.ts';
import { type IntakeNumbers, measureIntake } from './bench/intake-bench.ts';
import { measureOutbox } from './bench/outbox-bench.ts';
import { builtApp } from './build.ts';
import { mailServerKindHere } from './emulators/mail/mail-server.ts';
import type { MailServerKind } from './emulators/mail/mail-world.ts';
import { type Command, runCommand, say } from './run-command.ts';

const BENCHES = ['intake', 'outbox'] as const;
type Bench = (typeof BENCHES)[number];
const isBench = (name: string): name is Bench => BENCHES.some((bench) => bench === name);
function optionsOf(args: readonly string[]): {
  json: boolean;
  mails: number;
  rounds: number;
  benches: readonly Bench[];
} {
  const usage = `Known are: ${BENCHES.join(', ')}, --json, --mails NUMBER, --rounds NUMBER.`;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        mails: { type: 'string', default: '200' },
        rounds: { type: 'string', default: '5' },
      },
    });
    const [mails, rounds] = [Number(values.mails), Number(values.rounds)];
    const sensible = Number.isInteger(mails) && mails >= 1 && Number.isInteger(rounds) && rounds >= 1;
    if (sensible && positionals.every(isBench))
      return { json: values.json, mails, rounds, benches: positionals.length === 0 ? BENCHES : positionals };
  } catch (error) {
    throw new Error(usage, { cause: error });
  }
  throw new Error(usage);
}

/** What a bench adds to the object of `--json`, its table and its goals. */
interface Result {
  values: Readonly<Record<string, number | string>>;
  table: string;
  goals: readonly Goal[];
  faults: readonly string[];
}

async function bench({ running }: Command): Promise<boolean> {
  const { json, mails, rounds, benches } = optionsOf(process.argv.slice(2));
  const progress = json ? (): void => {} : say;
  if (mailServerKindHere() !== 'debian')
    say(
      'Dovecot is not here: the mail server without installation is measured, and goals that count its work mean little.',
    );
  const run = { mails, rounds, running, progress };
  const results: Result[] = [];
  if (benches.includes('intake')) results.push(await benchIntake(run));
  if (benches.includes('outbox')) results.push(await benchOutbox(run));
  const goals = results.flatMap((result) => result.goals);
  for (const fault of results.flatMap(({ faults }) => faults)) say(fault);
  if (json) {
    const values = Object.assign({}, ...results.map((result) => result.values)) as Result['values'];
    process.stdout.write(`${JSON.stringify({ ...values, goals })}\n`);
  } else {
    const tables = results.map(({ table }) => table).join('\n\n');
    process.stdout.write(`${tables}\n\n${goals.map(goalLine).join('\n')}\n`);
  }
  return goals.every(({ met }) => met);
}

interface Run {
  mails: number;
  rounds: number;
  running: AsyncDisposableStack;
  progress(text: string): void;
}

async function benchIntake(run: Run): Promise<Result> {
  const { numbers, demo } = await measureIntake(run);
  run.progress('Cold starts …');
  const cold = await measureColdStart(builtApp, demo.settings, 11, run.running);
  const { ofStorageFloor: _floor, cpuOfRaw: _cpu, server, faults, ...shown } = numbers;
  const values = Object.entries({ ...shown, webColdStartRatio: cold.ratio });
  return {
    values: {
      ...Object.fromEntries(values.map(([name, value]) => [name, rounded(value)])),
      server: serverNames[server],
    },
    table: `${tableOf(numbers)}\n\n${coldLine(cold)}`,
    goals: goalsOf(numbers, cold.ratio),
    faults,
  };
}

async function benchOutbox({ mails, ...run }: Run): Promise<Result> {
  const numbers = await measureOutbox({ ...run, emails: mails });
  return {
    values: {
      repliesPerSecond: numbers.emailsPerSecond,
      bareLoopPerSecond: numbers.barePerSecond,
      storageRequestsPerReply: rounded(numbers.storageRequestsPerReply),
    },
    table: `${numbers.emails} replies, medians: outbox ${numbers.emailsPerSecond} a second, bare nodemailer loop ${numbers.barePerSecond} a second; ${rounded(numbers.storageRequestsPerReply)} storage requests a reply`,
    goals: outboxGoalsOf(numbers),
    faults: numbers.faults,
  };
}

const serverNames: Readonly<Record<MailServerKind, string>> = {
  debian: 'Dovecot',
  npm: 'the small mail server, since Dovecot is not here',
};

function tableOf(numbers: IntakeNumbers): string {
  const server = serverNames[numbers.server];
  const line = (what: string, rate: number, cpu: string): string =>
    `  ${what.padEnd(34)}${rate.toFixed(1).padStart(9)} emails/s ${cpu}`;
  const cpu = (ms: number): string => `${ms.toFixed(2).padStart(7)} ms CPU an email`;
  return [
    `${numbers.mails} emails at ${server}, medians:`,
    line('intake', numbers.mailsPerSecond, cpu(numbers.cpuMsPerMail)),
    line('raw download, nothing stored', numbers.rawPerSecond, cpu(numbers.rawCpuMsPerMail)),
    line('storage floor', numbers.storageFloorPerSecond, ''),
    `  ${numbers.imapCommands} IMAP commands; ${rounded(numbers.storageRequestsPerMail)} storage requests an email, ${rounded(numbers.storageRequestsPerPlainMail)} a plain one`,
    `  peak memory ${Math.round(numbers.peakRssMb)} MB, with one email of 95 MB ${Math.round(numbers.bigMailPeakRssMb)} MB`,
  ].join('\n');
}

function coldLine({ emptyMs, liveMs, ticketListMs }: Awaited<ReturnType<typeof measureColdStart>>): string {
  return `cold start to the first answer: empty app ${Math.round(emptyMs)} ms, /health/live ${Math.round(liveMs)} ms, first ticket list ${Math.round(ticketListMs)} ms`;
}

const goalLine = ({ goal, value, limit, met }: Goal): string =>
  `${met ? 'ok    ' : 'MISSED'} ${goal.padEnd(52)}${String(limit).padStart(7)}  measured ${value}`;

await runCommand(async (command) => ((await bench(command)) ? 0 : 1));
