/**
 * `npm run chaos [-- OPTIONS]`: checks that nothing is lost, duplicated or marked incorrectly, whatever
 * dies or fails. The built app runs in two hosts inside the demo while mail keeps arriving, and faults come
 * only from outside: hosts are killed and suspended, storage and IMAP connections fail, servers restart,
 * Key Vault and the token endpoint are down. Then the faults end, the app recovers automatically, and
 * everything is compared: the messages on the mail servers, each row, each blob, the pages. Exits with 1
 * when there is a finding.
 *
 *   --minutes 10          length of the storm         --boxes 6           mailboxes
 *   --kills N             ten a minute                --messages N        eighty a minute
 *   --seed 1              another run                 --mail FOLDER       deliver its files; else those of tests/mail
 *   --late-writes 0.02    share of writes that arrive seconds after their sender was told of a failure
 *   --misbehave all       mail servers that do what they may not, or a list (see dev/chaos/options.ts)
 *   --mail-server npm     the small mail server, also where Dovecot is installed
 *   --calm                no fault at all             --cut-pauses        no long pauses after the storm either
 *   --settle-minutes 45   how long it may take after the storm until all is in order
 *   --keep                the folder of the run stays, with the hosts' logs
 *   --json                one report on standard output and nothing else
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Audit, audit } from './chaos/audit.ts';
import { chanceOf } from './chaos/chance.ts';
import { planDeliveries } from './chaos/deliveries.ts';
import { openHosts } from './chaos/hosts.ts';
import { openInboxTruth } from './chaos/inbox-truth.ts';
import { type ChaosOptions, readOptions } from './chaos/options.ts';
import { type Settled, settle } from './chaos/settle.ts';
import { Storm } from './chaos/storm.ts';
import { calmWeather } from './chaos/weather.ts';
import { openChaosWorld } from './chaos/world.ts';
import { mailsOfFolder } from './demo/emails.ts';
import { type Command, runCommand, say } from './run-command.ts';

const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const OWN_MAIL = join(projectRoot, 'tests', 'mail');
const SHOWN = 40;

/** The whole run, as data. */
interface Report {
  seed: number;
  calm: boolean;
  mailServer: string;
  minutes: number;
  boxes: number;
  /** Messages that must be on the servers at the end. */
  messages: number;
  settled: boolean;
  secondsToSettle: number;
  left: string[];
  dispositions: Record<string, number>;
  /** Why messages were quarantined or skipped. */
  reasons: Record<string, number>;
  tickets: number;
  attachments: number;
  /** How often each occurred. */
  faults: Record<string, number>;
  /** By the storage request during which a host was killed. */
  killedAt: Record<string, number>;
  /** Inconsistencies; none in a healthy app. */
  flags: number;
  byKind: Record<string, number>;
  /** The first of them. */
  findings: string[];
  /** Problems of the run itself. A server that happens to be restarting is not a finding. */
  troubles: string[];
}

async function run(options: ChaosOptions, { running }: Command): Promise<Report> {
  const chance = chanceOf(options.seed);
  const weather = calmWeather();
  const began = Date.now();
  const progress = (text: string): void =>
    say(`${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${text}`);
  const folder = await mkdtemp(join(tmpdir(), 'postroom-chaos-'));
  if (options.keep) say(`The run's folder: ${folder}`);
  else running.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { boxes, mailServer } = options;
  const world = await openChaosWorld({ folder, boxes, mailServer, weather, chance, running, progress });
  const truth = await openInboxTruth(world.stack, world.boxes);
  const files = (await mailsOfFolder(options.mail ?? OWN_MAIL)).filter(({ name }) => !name.endsWith('.md'));
  const addresses = world.boxes.map(({ address }) => address);
  const deliveries = planDeliveries(files, addresses, options.messages, chance);

  const hosts = openHosts(world, weather);
  running.defer(() => hosts.stop());
  await Promise.all([hosts.start(0), hosts.start(1)]);
  const storm = new Storm({ world, hosts, truth, weather, chance, options, progress });
  if (options.calm) await storm.deliver(deliveries);
  else {
    progress(`Injecting faults for ${options.minutes} min …`);
    await storm.rage(deliveries);
  }
  const settled = await settle(world, truth, storm.record, options, progress);
  progress(settled.settled ? `Settled after ${settled.seconds} s.` : 'It did not settle in time.');
  await storm.lookForWrongMarks();
  await hosts.stop();
  progress('Comparing everything …');
  const audited = await audit(world, truth, storm.record);
  return reportOf(options, world.stack.mail.kind, storm, settled, audited, weather.counts, hosts.killedAt());
}

function reportOf(
  options: ChaosOptions,
  mailServer: string,
  { record }: Storm,
  { settled, seconds, left }: Settled,
  { flags, dispositions, reasons, tickets, attachments }: Audit,
  faults: Record<string, number>,
  killedAt: Readonly<Record<string, number>>,
): Report {
  const all = settled ? flags : [...flags, { kind: 'not settled', detail: left.join(', ') }];
  const byKind: Record<string, number> = {};
  for (const { kind } of all) byKind[kind] = (byKind[kind] ?? 0) + 1;
  const { seed, calm, minutes, boxes } = options;
  return {
    ...{ seed, calm, mailServer, minutes, boxes },
    messages: [...record.delivered.values()].reduce((sum, count) => sum + count, 0),
    settled,
    secondsToSettle: seconds,
    left,
    ...{ dispositions, reasons, tickets, attachments, faults, killedAt },
    flags: all.length,
    byKind,
    findings: all.slice(0, SHOWN).map(({ kind, detail }) => `${kind}: ${detail}`),
    troubles: record.troubles.slice(0, SHOWN),
  };
}

function shown(report: Report): string {
  const { messages, tickets, dispositions, secondsToSettle, faults, flags, findings, troubles } = report;
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  return [
    `${flags === 0 ? 'ok  ' : 'FAIL'} ${messages} messages, ${tickets} tickets, settled after ${secondsToSettle} s, ${flags} flags`,
    `  dispositions   ${list(dispositions)}`,
    `  faults  ${list(faults)}`,
    ...findings.map((finding) => `  !! ${finding}`),
    // Problems of the fault injection itself, such as a server that did not restart.
    ...(flags === 0 ? [] : troubles.map((trouble) => `  storm   ${trouble}`)),
  ].join('\n');
}

await runCommand(async (command) => {
  const options = readOptions(process.argv.slice(2));
  const report = await run(options, command);
  process.stdout.write(`${options.json ? JSON.stringify(report, undefined, 1) : shown(report)}\n`);
  return report.flags === 0 ? 0 : 1;
});
