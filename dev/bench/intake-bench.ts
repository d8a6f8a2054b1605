/**
 * Compares how fast email becomes tickets with the maximum of this machine. In one run, in turns, medians:
 *
 * - intake: the built app's own `fetchShard`, called by the local core in a process of its own, on a mailbox of mixed
 *   emails at Dovecot over TLS with XOAUTH2, storing into Azurite in memory mode;
 * - raw: the same mailbox with the same IMAP library, one FETCH stream, nothing parsed, nothing stored;
 * - floor: every storage call of one intake, recorded where the intake calls the storage libraries (keys,
 * rows, bytes) and replayed from memory with the same libraries, 16 at a time, regardless of the intake's
 * dependencies. It is therefore an upper bound: the intake has to read an email before it can store it, the
 * floor knows everything from the start.
 *
 * The libraries are those inside the built app, so that all three run the same code.
 *
 * Each intake has its own mailbox and ledger with the same emails; the server's indexes are built
 * beforehand for all of them. A proxy counts commands in the recorded run, which is not timed.
 */
import { join } from 'node:path';
import { builtApp } from '../build.ts';
import { openScratchDemo, type ScratchDemo } from '../demo/scratch-demo.ts';
import { keepCertificates } from '../emulators/certificates.ts';
import { countingProxy } from '../emulators/mail/counting-proxy.ts';
import type { MailServerKind } from '../emulators/mail/mail-world.ts';
import type { Checked, Measured } from './child.ts';
import { type BenchMail, bigMail, mixedMails, plainMails } from './corpus.ts';
import { runChild } from './run-child.ts';
import { median } from './statistics.ts';

export interface IntakeNumbers {
  mails: number;
  mailsPerSecond: number;
  rawPerSecond: number;
  storageFloorPerSecond: number;
  /** Median of the ratios within each round. */
  ofStorageFloor: number;
  cpuMsPerMail: number;
  rawCpuMsPerMail: number;
  /** Median of the ratios within each round. */
  cpuOfRaw: number;
  imapCommands: number;
  storageRequestsPerMail: number;
  storageRequestsPerPlainMail: number;
  peakRssMb: number;
  bigMailPeakRssMb: number;
  /** `debian` is Dovecot, `npm` the npm mail server of the demo. */
  server: MailServerKind;
  /** The errors found, in sentences. */
  faults: readonly string[];
}

export interface IntakeOptions {
  mails: number;
  rounds: number;
  running: AsyncDisposableStack;
  progress(text: string): void;
}

const PLAIN_MAILS = 100;
const WARM_UP_SEED = 12;
const BIG_BYTES = 95_000_000;
const AT_ONCE = 16;
const ODD_SHARE = 0.03;
const domain = (name: string): string => `${name}@contoso.example`;

export async function measureIntake(
  options: IntakeOptions,
): Promise<{ numbers: IntakeNumbers; demo: ScratchDemo }> {
  const { mails: count, rounds, running, progress } = options;
  const names = Array.from({ length: rounds }, (_, round) => `round-${round}`);
  const addresses = [...names, 'warm-up', 'recorded', 'plain', 'big'].map(domain);
  // Created before anything listens: 2,000 messages take seconds of this thread, and a server closes a
  // connection that is idle for five, which the next request would see as "fetch failed".
  const mixed = mixedMails(count);
  const big = bigMail(BIG_BYTES);
  const demo = await openScratchDemo({ mailboxes: addresses, running, progress });
  const proxy = await countingProxy({
    target: demo.stack.mail.imap,
    tls: await keepCertificates(join(demo.folder, 'certificates')),
  });
  running.defer(() => proxy.stop());

  progress(`Delivering ${count} emails to each of ${rounds + 1} mailboxes …`);
  const ids = new Map<string, string>();
  for (const name of [...names, 'warm-up', 'recorded', 'plain', 'big'])
    ids.set(name, await demo.addMailbox(domain(name), name === 'recorded' ? proxy : demo.stack.mail.imap));
  for (const name of [...names, 'recorded']) await deliver(demo, name, mixed);
  await deliver(demo, 'plain', plainMails(PLAIN_MAILS));
  await deliver(demo, 'big', [big]);

  const place = { app: builtApp, settings: demo.settings };
  const accessToken = await demo.accessToken();
  const imap = (name: string) => ({
    ...demo.stack.mail.imap,
    user: domain(name),
    accessToken,
  });
  const idOf = (name: string): string => ids.get(name) ?? '';
  const warmUps = plainMails(2 * (rounds + 3), WARM_UP_SEED);
  const intake = async (name: string, recordTo?: string): Promise<Measured> => {
    // New emails: copies would be skipped, and the parser would stay unloaded.
    await deliver(demo, 'warm-up', warmUps.splice(0, 2));
    const job = { kind: 'intake', ...place, warmUpId: idOf('warm-up'), mailboxId: idOf(name) } as const;
    return runChild(recordTo === undefined ? job : { ...job, file: recordTo });
  };
  const raw = (name: string) =>
    ({ kind: 'raw', ...place, warmUp: imap('warm-up'), mailbox: imap(name) }) as const;
  const check = (name: string): Promise<Checked> =>
    runChild({ kind: 'check', ...place, mailboxId: idOf(name), mailbox: imap(name) });
  const file = join(demo.folder, 'storage-calls');
  progress('Recording the storage calls of an intake …');
  // Opens each mailbox once: the server numbers and measures new email at the first access.
  for (const name of [...names, 'recorded', 'plain', 'big']) await runChild(raw(name));
  proxy.reset();
  const recorded = await intake('recorded', file);
  progress(`  IMAP commands: ${JSON.stringify(proxy.counts())}`);
  const imapCommands = Object.values(proxy.counts()).reduce((sum, each) => sum + each, 0);

  const results: Round[] = [];
  for (const [round, name] of names.entries()) {
    const done: Partial<Round> = {};
    const turns = [
      async () => {
        done.intake = await intake(name);
      },
      async () => {
        done.raw = await runChild(raw(name));
      },
      async () => {
        const mark = `floor${round}`;
        done.floor = await runChild({ kind: 'floor', ...place, file, mark, atOnce: AT_ONCE });
      },
    ];
    for (let turn = 0; turn < turns.length; turn += 1) await turns[(turn + round) % turns.length]?.();
    if (!isWhole(done)) continue;
    results.push(done);
    const rates = [done.intake, done.raw, done.floor].map((each) => perSecond(count, each));
    progress(
      `  round ${round + 1} of ${rounds}: intake ${rates[0]}, raw ${rates[1]}, storage floor ${rates[2]} emails a second`,
    );
  }
  progress('Short emails alone, and one of 95 MB …');
  const plain = await intake('plain');
  const bigRun = await intake('big');

  const faults = [
    ...results.flatMap(({ raw, floor }) => [
      ...(raw.mails === count ? [] : [`The raw download saw ${raw.mails} of ${count} emails.`]),
      // Some calls read rows that the intake had already written at that point and the replay has not, or
      // the other way round.
      ...(floor.odd.length <= floor.calls * ODD_SHARE && floor.calls > 0
        ? []
        : [`Of ${floor.calls} repeated storage calls these ended otherwise: ${floor.odd.join(', ')}.`]),
    ]),
  ];
  for (const name of [...names, 'recorded']) faults.push(...faultsOf(name, mixed, await check(name)));
  faults.push(...faultsOf('big', [big], await check('big')));
  const plainCheck = await check('plain');
  if (plainCheck.messages !== PLAIN_MAILS)
    faults.push(`plain: ${plainCheck.messages} messages of ${PLAIN_MAILS} emails.`);

  const of = (value: (round: Round) => number): number => median(results.map(value));
  const numbers: IntakeNumbers = {
    mails: count,
    mailsPerSecond: of(({ intake }) => perSecond(count, intake)),
    rawPerSecond: of(({ raw }) => perSecond(count, raw)),
    storageFloorPerSecond: of(({ floor }) => perSecond(count, floor)),
    ofStorageFloor: of(({ intake, floor }) => floor.ms / intake.ms),
    cpuMsPerMail: of(({ intake }) => intake.cpuMs / count),
    rawCpuMsPerMail: of(({ raw }) => raw.cpuMs / count),
    cpuOfRaw: of(({ intake, raw }) => intake.cpuMs / raw.cpuMs),
    imapCommands,
    storageRequestsPerMail: recorded.storageRequests / count,
    storageRequestsPerPlainMail: plain.storageRequests / PLAIN_MAILS,
    peakRssMb: of(({ intake }) => intake.peakRssMb),
    bigMailPeakRssMb: bigRun.peakRssMb,
    server: demo.stack.mail.kind,
    faults,
  };
  return { numbers, demo };
}

interface Round {
  intake: Measured;
  raw: Measured;
  floor: Measured;
}

const isWhole = (round: Partial<Round>): round is Round =>
  round.intake !== undefined && round.raw !== undefined && round.floor !== undefined;

const perSecond = (count: number, { ms }: Measured): number => Math.round((count / ms) * 10_000) / 10;

function deliver(demo: ScratchDemo, name: string, mails: readonly BenchMail[]): Promise<void> {
  return demo.stack.mail.deliverMany(
    domain(name),
    mails.map(({ raw }) => raw),
  );
}

function faultsOf(name: string, mails: readonly BenchMail[], checked: Checked): string[] {
  const faults: string[] = [];
  if (checked.messages !== mails.length)
    faults.push(`${name}: ${checked.messages} messages of ${mails.length} emails.`);
  if (checked.unseen !== 0) faults.push(`${name}: ${checked.unseen} emails are still unread on the server.`);
  const stored = new Map(checked.attachments.map(({ filename, sha256 }) => [filename, sha256]));
  const wanted = mails.flatMap(({ attachment }) => attachment ?? []);
  for (const { filename, sha256 } of wanted)
    if (stored.get(filename) !== sha256) faults.push(`${name}: ${filename} is not stored as it was sent.`);
  if (checked.attachments.length !== wanted.length)
    faults.push(`${name}: ${checked.attachments.length} attachments of ${wanted.length}.`);
  return faults;
}
