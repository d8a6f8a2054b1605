/**
 * `npm start`: the built app on the local host, and around it the practice world: storage, vault, identity provider and
 * mail server. All of it keeps its state in one folder, so that the next start goes on where this one ended.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildApp, builtApp, describeBuildError, isBuildCurrent, projectRoot } from './build.ts';
import { startHostProcess } from './host/host-process.ts';
import { practicePeople } from './host/options.ts';
import { practiceMails } from './peers/mail/practice-mail.ts';
import { deliverOnce, mailsOfFolder, type NamedMail } from './practice-data.ts';
import { startStack } from './stack.ts';
import { parseStartOptions, type StartOptions } from './start-options.ts';
import { startedJson, startedScreen } from './start-screen.ts';

const STATE_DIR = join(projectRoot, '.local');
const LOG_FILE = join(STATE_DIR, 'log', 'host.log');
const USUAL_PORT = 7071;
const STOP_LIMIT_MS = 4_500;
/** One Ctrl-C reaches this process twice: from the terminal and from npm. Only a later one means "at once". */
const SAME_SIGNAL_MS = 700;

/** What was started, ended in the opposite order. */
const running = new AsyncDisposableStack();
let endedAt: number | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    const now = Date.now();
    if (endedAt === undefined) {
      endedAt = now;
      void end(0);
    } else if (now - endedAt > SAME_SIGNAL_MS) process.exit(1);
  });

/** Whatever does not end in time sees this process go and ends by itself. */
async function end(code: number): Promise<void> {
  const ended = running.disposeAsync().catch((error: unknown) => {
    process.stderr.write(`${describeBuildError(error)}\n`);
  });
  await Promise.race([ended, pause(STOP_LIMIT_MS)]);
  process.exit(code);
}

const parsed = parseStartOptions(process.argv.slice(2));
if (parsed.kind === 'refused') {
  process.stderr.write(`${parsed.sentence}\n`);
  process.exit(1);
}
try {
  await start(parsed.options);
} catch (error) {
  if (endedAt === undefined) {
    process.stderr.write(`${describeBuildError(error)}\n`);
    await end(1);
  }
}

async function start(options: StartOptions): Promise<void> {
  const progress = (text: string): void => {
    if (!options.json) process.stderr.write(`${text}\n`);
  };
  await mkdir(STATE_DIR, { recursive: true });
  const folderMails = options.mailFolder === undefined ? undefined : await mailsOfFolder(options.mailFolder);
  const port = await choosePort(options.port);
  if (!(await isBuildCurrent())) {
    progress('Building …');
    await buildApp();
  }
  progress('Starting the practice world …');
  const publicUrl = `http://localhost:${port}`;
  const stack = await startStack({ stateDir: STATE_DIR, mail: 'auto', publicUrl });
  running.defer(() => stack.stop());

  const mailboxes = stack.mailboxes;
  const [mailbox = ''] = mailboxes;
  const mails = mailsFor(options, folderMails, mailbox);
  const waitingMails = await deliverOnce(STATE_DIR, options.mailFolder ?? 'practice', mails, (raw) =>
    stack.mail.deliver(mailbox, raw),
  );
  const host = await startHostProcess(
    {
      appDir: builtApp,
      port,
      settings: { FETCH_SCHEDULE: '0 * * * * *', ...stack.settings, PUBLIC_URL: publicUrl },
      stateDir: STATE_DIR,
      people: practicePeople,
      practice: { mailboxes, dropSmtp: stack.mail.drop },
      background: true,
    },
    LOG_FILE,
  );
  running.defer(() => host.stop());
  const world = {
    url: host.url,
    people: practicePeople,
    mailboxes,
    waitingMails,
    smtp: stack.mail.drop,
    stateDir: shown(STATE_DIR),
    logFile: shown(LOG_FILE),
  };
  process.stdout.write(options.json ? `${startedJson(world)}\n` : startedScreen(world));

  await host.ended;
  if (endedAt === undefined)
    throw new Error(`The local host ended by itself. The reason stands at the end of ${shown(LOG_FILE)}.`);
}

function mailsFor(
  { empty }: StartOptions,
  folderMails: readonly NamedMail[] | undefined,
  mailbox: string,
): readonly NamedMail[] {
  if (folderMails !== undefined) return folderMails;
  return empty ? [] : practiceMails(new Date(), mailbox);
}

/**
 * The port of the last start, because redirect URIs and bookmarks hold it.
 * @throws Error in words when it is taken.
 */
async function choosePort(wanted: number | undefined): Promise<number> {
  const file = join(STATE_DIR, 'port');
  const last = Number(await readFile(file, 'utf8').catch(() => ''));
  const port = await freePort(wanted ?? (last > 0 ? last : USUAL_PORT));
  await writeFile(file, String(port));
  return port;
}

async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve);
  server.once('error', reject);
  server.listen(wanted, '127.0.0.1');
  await promise.catch(() => {
    throw new Error(
      `Port ${wanted} is taken by another program, perhaps by another npm start. End that one, or choose another port: npm start -- --port 7072`,
    );
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : wanted;
  await new Promise((closed) => server.close(closed));
  return port;
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}
