/**
 * `npm start`: the built app on the local host, with the demo around it: storage, vault, identity provider
 * and mail server. All state is in one folder, so the next start continues where this one ended.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { projectRoot } from './build.ts';
import { copyMail } from './demo/customer-mail.ts';
import { deliverOnce, mailsOfFolder, type NamedMail } from './demo/emails.ts';
import { demoMails } from './demo/mail/demo-mail.ts';
import { CATCH_ALL } from './demo/organization.ts';
import { openDemo } from './demo.ts';
import { demoPeople } from './host/options.ts';
import { describeError } from './run-command.ts';
import { parseStartOptions, type StartOptions } from './start-options.ts';
import { startedJson, startedScreen } from './start-screen.ts';

const STATE_DIR = join(projectRoot, '.local');
const USUAL_PORT = 7071;
/** Contains the demo emails. */
const SUPPORT = 'support@contoso.example';
const STOP_LIMIT_MS = 4_500;
/** This process receives a Ctrl-C twice: from the terminal and from npm. Only a later one means "at once". */
const SAME_SIGNAL_MS = 700;

/** Everything that was started; stopped in reverse order. */
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

/** Whatever does not stop in time notices that this process has exited and stops by itself. */
async function end(code: number): Promise<void> {
  const ended = running.disposeAsync().catch((error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
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
    process.stderr.write(`${describeError(error)}\n`);
    await end(1);
  }
}

async function start(options: StartOptions): Promise<void> {
  const progress = (text: string): void => {
    if (!options.json) process.stderr.write(`${text}\n`);
  };
  await mkdir(STATE_DIR, { recursive: true });
  const folderMails = options.mailFolder === undefined ? undefined : await mailsOfFolder(options.mailFolder);
  progress('Starting the demo …');
  const web = options.port ?? (await usualPort());
  const { stack, startHost, logFile } = await openDemo({
    folder: STATE_DIR,
    stack: { demo: true, hasCatchAll: true, ports: web > 0 ? { web } : {} },
    running,
    progress,
  });

  const mails = mailsFor(options, folderMails);
  const waitingMails = await deliverOnce(
    STATE_DIR,
    options.mailFolder ?? 'demo',
    mails,
    ({ raw, receivedAt }) => stack.mail.deliver(SUPPORT, raw, receivedAt),
  );
  const others = stack.mailboxes.map(({ address }) => address).filter((address) => address !== SUPPORT);
  const mailboxes = [SUPPORT, ...others];
  const customerMail = join(STATE_DIR, 'customer-mail');
  const catchAll = stack.mail.mailbox(CATCH_ALL);
  if (catchAll !== undefined) running.defer(copyMail(catchAll, customerMail));
  const host = await startHost({
    demo: {
      mailboxes: stack.mailboxes.map(({ address }) => address),
      dropSmtp: stack.mail.drop,
      customerMail,
    },
    port: stack.ports.web,
    settings: { FETCH_SCHEDULE: '0 * * * * *' },
    background: true,
  });
  const world = {
    url: host.url,
    people: demoPeople,
    mailboxes,
    waitingMails,
    smtp: stack.mail.drop,
    stateDir: shown(STATE_DIR),
    logFile: shown(logFile()),
  };
  process.stdout.write(options.json ? `${startedJson(world)}\n` : startedScreen(world));

  await host.ended;
  if (endedAt === undefined)
    throw new Error(`The local host ended by itself. The reason stands at the end of ${shown(logFile())}.`);
}

function mailsFor(
  { empty }: StartOptions,
  folderMails: readonly NamedMail[] | undefined,
): readonly NamedMail[] {
  if (folderMails !== undefined) return folderMails;
  return empty ? [] : demoMails(new Date(), SUPPORT);
}

/**
 * The port of Azure's local tools, for a first start on which it is free. 0 leaves the choice to the demo,
 * which remembers its ports: redirect URIs and bookmarks contain this one.
 */
async function usualPort(): Promise<number> {
  if (existsSync(join(STATE_DIR, 'ports.json'))) return 0;
  const probe = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(USUAL_PORT, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
  return isFree ? USUAL_PORT : 0;
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}
