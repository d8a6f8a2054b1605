/**
 * `npm run bench` and `npm run bench:intake`: measures speed and memory, and checks the goals. Takes about
 * two minutes. The top of dev/bench/intake-bench.ts explains what is compared. With --json, prints one
 * object on standard output. Exits with 1 when a goal is missed or something was stored incorrectly.
 */
import { parseArgs } from 'node:util';
import { measureColdStart } from './bench/cold-start.ts';
import { type Goal, goalsOf, rounded } from './bench/goals.ts';
import { type IntakeNumbers, measureIntake } from './bench/intake-bench.ts';
import { builtApp } from './build.ts';
import { mailServerKindHere } from './emulators/mail/mail-server.ts';
import type { MailServerKind } from './emulators/mail/mail-world.ts';
import { type Command, runCommand, say } from './run-command.ts';

const BENCHES = ['intake'];
function optionsOf(args: readonly string[]): { json: boolean; mails: number; rounds: number } {
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
    if (sensible && positionals.every((name) => BENCHES.includes(name)))
      return { json: values.json, mails, rounds };
  } catch (error) {
    throw new Error(usage, { cause: error });
  }
  throw new Error(usage);
}

async function bench({ running }: Command): Promise<boolean> {
  const { json, mails, rounds } = optionsOf(process.argv.slice(2));
  const progress = json ? (): void => {} : say;
  if (mailServerKindHere() !== 'debian')
    say(
      'Dovecot is not here: the mail server without installation is measured, and goals that count its work mean little.',
    );
  const { numbers, demo } = await measureIntake({ mails, rounds, running, progress });
  progress('Cold starts …');
  const cold = await measureColdStart(builtApp, demo.settings, 11, running);
  const goals = goalsOf(numbers, cold.ratio);
  for (const fault of numbers.faults) say(fault);
  if (json) {
    const { ofStorageFloor: _floor, cpuOfRaw: _cpu, server, faults: _faults, ...shown } = numbers;
    const values = Object.entries({ ...shown, webColdStartRatio: cold.ratio });
    const object = Object.fromEntries(values.map(([name, value]) => [name, rounded(value)]));
    process.stdout.write(`${JSON.stringify({ ...object, server: serverNames[server], goals })}\n`);
  } else {
    process.stdout.write(`${tableOf(numbers)}\n\n${coldLine(cold)}\n\n${goals.map(goalLine).join('\n')}\n`);
  }
  return goals.every(({ met }) => met);
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
