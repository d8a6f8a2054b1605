/**
 * `npm run replay -- FOLDER [--json]`: shows what would become of these emails. Delivers every file of a
 * folder to a scratch mailbox, lets the built app fetch it, and reads each file's disposition from storage.
 * No existing data is touched: the demo is created for this run and deleted at the end.
 */
import { relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isFetching, isStalled } from './bench/fetch-lease.ts';
import {
  dispositionsOf,
  dispositionTable,
  type FileDisposition,
  isQuiet,
  ticketsOf,
} from './bench/replay-dispositions.ts';
import { mailsOfFolder } from './demo/emails.ts';
import { openScratchDemo, type ScratchDemo } from './demo/scratch-demo.ts';
import { type Command, runCommand, say } from './run-command.ts';

const MAILBOX = 'replay@contoso.example';
const POLL_MS = 1_000;
/** Seconds between two progress messages while waiting. */
const TOLD_EACH_MS = 30_000;
/**
 * A fetch ends after four minutes and the next one continues; one that starts too early finds the mailbox
 * locked.
 */
const AGAIN_MS = 15_000;

async function replay({ running, hasEnded }: Command): Promise<boolean> {
  const { folder, json } = optionsOf(process.argv.slice(2));
  const mails = await mailsOfFolder(folder);
  const files = mails.map(({ name }) => relative(folder, name));
  const progress = json ? (): void => {} : say;
  const demo = await openScratchDemo({ mailboxes: [MAILBOX], running, progress });
  const id = await demo.addMailbox(MAILBOX);
  progress(
    `Delivering ${mails.length} files to ${demo.stack.mail.kind === 'debian' ? 'Dovecot' : 'the small mail server'} …`,
  );
  await demo.stack.mail.deliverMany(
    MAILBOX,
    mails.map(({ raw }) => raw),
  );
  progress('Fetching …');
  const began = Date.now();
  const dispositions = await fetchAll(demo, id, files, { began, progress, hasEnded });
  if (hasEnded()) return false;
  if (json) process.stdout.write(`${JSON.stringify(dispositions, undefined, 1)}\n`);
  else process.stdout.write(`${dispositionTable(dispositions, files.length)}\n`);
  if (dispositions.length === files.length) return true;
  const known = new Set(dispositions.map(({ file }) => file));
  const lost = files.filter((file) => !known.has(file));
  say(
    `${lost.length} files have no disposition: ${lost.slice(0, 20).join(', ')}${lost.length > 20 ? ', …' : ''}`,
  );
  return false;
}

function optionsOf(args: readonly string[]): { folder: string; json: boolean } {
  const usage = 'Say which folder holds the emails: npm run replay -- FOLDER [--json]';
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    const [folder] = positionals;
    if (folder !== undefined && positionals.length === 1) return { folder, json: values.json };
  } catch (error) {
    throw new Error(usage, { cause: error });
  }
  throw new Error(usage);
}

async function fetchAll(
  demo: ScratchDemo,
  mailboxId: string,
  files: readonly string[],
  {
    began,
    progress,
    hasEnded,
  }: { began: number; progress: (text: string) => void } & Pick<Command, 'hasEnded'>,
): Promise<FileDisposition[]> {
  let rows = 0;
  let progressAt = Date.now();
  let askedAt = 0;
  let notifiedAt = began;
  let atWorkAt = began;
  while (!hasEnded() && !isStalled(Date.now(), { progressAt, atWorkAt })) {
    if (Date.now() - Math.max(progressAt, askedAt) > AGAIN_MS || askedAt === 0) {
      askedAt = Date.now();
      await startFetch(demo, mailboxId);
    }
    await pause(POLL_MS);
    if (await isFetching(demo.stack.storage.connectionString, mailboxId)) atWorkAt = Date.now();
    const ledger = await demo.rows('Ledger', mailboxId);
    const settled = ledger.filter((row) => row['state'] === 'done' || row.RowKey.startsWith('at|')).length;
    if (settled !== rows) {
      progressAt = Date.now();
      notifiedAt = progressAt;
      rows = settled;
      const places = ledger.filter(({ RowKey }) => RowKey.startsWith('at|')).length;
      progress(`  ${places} of ${files.length} seen, ${Math.round((Date.now() - began) / 1000)} s`);
    }
    if (Date.now() - notifiedAt > TOLD_EACH_MS) {
      notifiedAt = Date.now();
      progress(`  still reading, ${Math.round((notifiedAt - began) / 1000)} s`);
    }
    if (!isQuiet(ledger, files.length)) continue;
    const dispositions = await readDispositions(demo, mailboxId, files, began);
    if (dispositions.length === files.length) return dispositions;
  }
  return readDispositions(demo, mailboxId, files, began);
}

/** Through the host's admin endpoint for background functions, as an operator would. */
async function startFetch(demo: ScratchDemo, mailboxId: string): Promise<void> {
  const input = JSON.stringify({ shard: 0, mailboxIds: [mailboxId] });
  const response = await fetch(`${demo.host.url}/admin/functions/fetchShard`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
  });
  if (response.status !== 202) throw new Error(`The fetch could not be started: status ${response.status}.`);
}

async function readDispositions(
  demo: ScratchDemo,
  mailboxId: string,
  files: readonly string[],
  began: number,
): Promise<FileDisposition[]> {
  const [ledger, quarantine] = await Promise.all([
    demo.rows('Ledger', mailboxId),
    demo.rows('Quarantine', mailboxId),
  ]);
  const messages = new Set<string>();
  const tickets = ticketsOf(ledger);
  for (let start = 0; start < tickets.length; start += 32)
    await Promise.all(
      tickets.slice(start, start + 32).map(async (ticketId) => {
        for (const row of await demo.rows('Tickets', ticketId))
          if (row.RowKey.startsWith('m|')) messages.add(row.RowKey.split('|')[2] ?? '');
      }),
    );
  return dispositionsOf(files, { ledger, quarantine, messages }, began);
}

await runCommand(async (command) => ((await replay(command)) ? 0 : 1));
