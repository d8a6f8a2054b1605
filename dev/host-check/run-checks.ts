/**
 * Checks, one by one, what an installation needs from Microsoft's listeners, with the built app behind
 * them.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { builtApp } from '../build.ts';
import { openScratchDemo, type ScratchDemo } from '../demo/scratch-demo.ts';
import { adminAt } from '../demo.ts';
import { formValues } from '../form-values.ts';
import type { HostProcess } from '../host/host-process.ts';
import { differences, poisonFaults, timerFaults } from './invocations.ts';
import { type Listeners, startListeners } from './listeners.ts';
import { storageQueue } from './storage-queue.ts';

export interface CheckResult {
  check: string;
  ok: boolean;
  /** The problems; empty if there are none. */
  said: string;
  ms: number;
}

const MAILBOX = 'checked@contoso.example';
const MAILS = 12;
/** A message that no version of Postroom has ever queued. */
const BAD_MESSAGE = '{"shard":"none"}';
/** `maxDequeueCount` of host.json. */
const TRIES = 5;
const EVERY_SECONDS = 6;
const schedule = { FETCH_SCHEDULE: `*/${EVERY_SECONDS} * * * * *` };
const OCCASIONS = 4;
const LIMIT_MS = 90_000;
const POLL_MS = 500;

export interface ChecksOptions {
  /** The built listeners. */
  program: string;
  running: AsyncDisposableStack;
  progress(text: string): void;
  /** Called after each check. */
  done(result: CheckResult): void;
}

/** Runs every check. A failure does not stop the next check, unless the listeners do not start at all. */
export async function runChecks({ program, running, progress, done }: ChecksOptions): Promise<boolean> {
  const demo = await openScratchDemo({
    mailboxes: [MAILBOX],
    settings: async () => schedule,
    host: { outsideListeners: true },
    running,
    progress,
  });
  let allOk = true;
  const check = async (name: string, work: () => Promise<readonly string[]>): Promise<void> => {
    const began = performance.now();
    const faults = await work().catch((error: unknown) => [String(error)]);
    allOk &&= faults.length === 0;
    done({
      check: name,
      ok: faults.length === 0,
      said: faults.join('\n'),
      ms: Math.round(performance.now() - began),
    });
  };
  const listen = (instance: string, host: HostProcess, everyTimer?: string): Promise<Listeners> =>
    startListeners({
      program,
      appUrl: host.url,
      appDir: builtApp,
      settings: demo.settings,
      ...(everyTimer !== undefined && { everyTimer }),
      instance,
      logFile: join(demo.folder, 'log', `listeners-${instance}.log`),
    });

  await demo.addMailbox(MAILBOX, demo.stack.mail.imap, demo.stack.mail.smtp);
  await demo.stack.mail.deliverMany(MAILBOX, letters());
  progress('Starting Microsoft’s listeners …');
  const first = await listen('first', demo.host);
  running.defer(() => first.stop());
  const { timers, others } = await registered(demo.host);

  await check('mail becomes tickets', () => mailBecomesTickets(demo));
  await check('a reply is taken from the queue', () => replyIsTaken(demo, first));
  await check(`a bad message is poison after ${TRIES} tries`, () => badMessageIsPoison(demo, first));
  await check('an event of the vault is taken', () => vaultEventIsTaken(demo, first));
  await first.stop();

  const second = await demo.startHost({ settings: demo.settings, outsideListeners: true, log: 'host-2' });
  const everyTimer = `*/${EVERY_SECONDS} * * * * *`;
  const pair = await Promise.all([listen('A', demo.host, everyTimer), listen('B', second, everyTimer)]);
  for (const listeners of pair) running.defer(() => listeners.stop());
  await check('two instances run each timer once', () => eachTimerOnce(pair, timers));
  await check('the instance that stays takes over the timers', () => timersMove(pair, timers));
  await check('every function of the app was run', async () => {
    const ran = [first, ...pair].flatMap(({ invocations }) => invocations.map(({ function: name }) => name));
    return differences([...new Set(ran)], [...timers, ...others]);
  });
  return allOk;
}

function letters(): Buffer[] {
  return Array.from({ length: MAILS }, (_, index) =>
    Buffer.from(
      [
        `From: Pat <pat@customer.example>`,
        `To: ${MAILBOX}`,
        `Subject: Checked question ${index + 1}.`,
        `Message-ID: <checked-${index + 1}@customer.example>`,
        'Date: Mon, 02 Nov 2026 08:00:00 +0000',
        '',
        `Question ${index + 1}`,
        '',
      ].join('\r\n'),
    ),
  );
}

async function registered(host: HostProcess): Promise<{ timers: string[]; others: string[] }> {
  const response = await fetch(`${host.url}/admin/functions`);
  const functions = (await response.json()) as { name: string; trigger: { type: string } }[];
  const named = Map.groupBy(functions, ({ trigger }) => trigger.type === 'timerTrigger');
  const namesOf = (timer: boolean): string[] => (named.get(timer) ?? []).map(({ name }) => name);
  return { timers: namesOf(true), others: namesOf(false) };
}

/** Here only Microsoft's timer and Microsoft's queue can lead to a ticket. */
async function mailBecomesTickets(demo: ScratchDemo): Promise<string[]> {
  const visitor = await adminAt(demo.host);
  const faults = async (): Promise<string[]> => {
    const { html } = await visitor.get('/tickets');
    return letters().flatMap((_, index) => {
      return html.includes(`Checked question ${index + 1}.`) ? [] : [`Message ${index + 1} is no ticket.`];
    });
  };
  return untilNone(faults);
}

/**
 * A person replies on a ticket: only Microsoft's queue can lead to an attempt to send it. The owner of this mailbox
 * may read it and not send as it, so the server refuses the reply.
 */
async function replyIsTaken(demo: ScratchDemo, listeners: Listeners): Promise<string[]> {
  const visitor = await adminAt(demo.host);
  const { html } = await visitor.get('/tickets');
  const ticket = /href="(\/tickets\/[a-z2-7]{26})"/.exec(html)?.[1];
  if (ticket === undefined) return ['The list has no ticket.'];
  const page = (await visitor.get(ticket)).html;
  const fields = formValues(page.slice(page.search(/<form[^>]*\/reply"/)));
  const { status } = await visitor.post(`${ticket}/reply`, { ...fields, text: 'Checked.', action: 'send' });
  if (status !== 303) return [`The reply was answered with ${status}.`];
  return untilNone(async () => {
    const hasRun = listeners.invocations.some((run) => run.function === 'sendMail' && run.ok);
    return hasRun ? [] : ['sendMail has not run.'];
  });
}

async function badMessageIsPoison(demo: ScratchDemo, listeners: Listeners): Promise<string[]> {
  const { connectionString } = demo.stack.storage;
  const queue = storageQueue(connectionString, 'fetch-shard');
  const poison = storageQueue(connectionString, 'fetch-shard-poison');
  await queue.put(BAD_MESSAGE);
  return untilNone(async () => {
    const lying = await poison.texts();
    return [
      ...(lying.join() === BAD_MESSAGE
        ? []
        : [`In fetch-shard-poison lies ${lying.join(', ') || 'nothing'}.`]),
      ...poisonFaults(listeners.invocations, 'fetchShard', TRIES),
    ];
  });
}

/**
 * An event as Event Grid puts it on a storage queue, of a type that Postroom ignores.
 * https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
async function vaultEventIsTaken(demo: ScratchDemo, listeners: Listeners): Promise<string[]> {
  const queue = storageQueue(demo.stack.storage.connectionString, 'vault-events');
  await queue.put(
    JSON.stringify({
      id: '00000000-0000-4000-8000-000000000001',
      topic: '/subscriptions/practice/resourceGroups/practice/providers/Microsoft.KeyVault/vaults/practice',
      subject: 'nothing-of-ours',
      eventType: 'Microsoft.KeyVault.KeyNewVersionCreated',
      eventTime: new Date().toISOString(),
      data: { VaultName: 'demo', ObjectType: 'Key', ObjectName: 'nothing-of-ours' },
      dataVersion: '1',
      metadataVersion: '1',
    }),
  );
  return untilNone(async () => {
    const taken = listeners.invocations.some((run) => run.function === 'vaultEvents' && run.ok);
    const left = await queue.texts();
    return [
      ...(taken ? [] : ['vaultEvents has not run.']),
      ...(left.length === 0 ? [] : ['The message still lies in the queue.']),
    ];
  });
}

async function eachTimerOnce(pair: readonly Listeners[], timers: readonly string[]): Promise<string[]> {
  const runs = () => pair.flatMap(({ invocations }) => invocations);
  const expected = { everySeconds: EVERY_SECONDS, atLeast: OCCASIONS };
  // A duplicate run cannot be undone; waiting helps only for runs that are still missing.
  const missing = async (): Promise<string[]> => {
    const doubled = timerFaults(runs(), timers, { ...expected, atLeast: 0 }).length > 0;
    return doubled ? [] : timerFaults(runs(), timers, expected);
  };
  await untilNone(missing);
  return timerFaults(runs(), timers, expected);
}

/** Stops the instance that has the timers' locks, as a deployment or a scale-in does. */
async function timersMove(pair: readonly Listeners[], timers: readonly string[]): Promise<string[]> {
  const [first, second] = pair;
  if (first === undefined || second === undefined) return ['There are no two instances.'];
  const runsOf = ({ invocations }: Listeners): number =>
    invocations.filter((invocation) => timers.includes(invocation.function)).length;
  const [leaving, staying] = runsOf(first) >= runsOf(second) ? [first, second] : [second, first];
  await leaving.stop();
  const from = staying.invocations.length;
  const faults = await untilNone(async () =>
    timerFaults(staying.invocations.slice(from), timers, { everySeconds: EVERY_SECONDS, atLeast: 1 }),
  );
  return [
    ...faults,
    ...timerFaults(
      pair.flatMap(({ invocations }) => invocations),
      timers,
      { everySeconds: EVERY_SECONDS, atLeast: 1 },
    ),
  ];
}

/** Repeats the check until there are no problems or the time is over. @returns the remaining problems */
async function untilNone(faults: () => Promise<string[]>): Promise<string[]> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const found = await faults();
    if (found.length === 0 || Date.now() > end) return found;
    await pause(POLL_MS);
  }
}
