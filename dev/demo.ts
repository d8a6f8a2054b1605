import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp, builtApp, isBuildCurrent } from './build.ts';
import { type HostProcess, startHostProcess } from './host/host-process.ts';
import { demoPeople, type HostOptions } from './host/options.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';
import { Visitor } from './visitor.ts';

export interface DemoOptions {
  /** Where all state is kept. Absent: a new folder below the system's temporary one, deleted at the end. */
  folder?: string;
  /**
   * `shared`: the app of `npm run build`, built first where it is missing or old. `own`: built into the demo's folder,
   * since others may build theirs meanwhile. Otherwise the folder of a built app.
   */
  app?: 'shared' | 'own' | { dir: string };
  stack?: Omit<StackOptions, 'stateDir'>;
  /** What was started, to be disposed of at the end, also of an interrupted start. */
  running: AsyncDisposableStack;
  progress?: (text: string) => void;
}

export interface DemoHostOptions extends Partial<Omit<HostOptions, 'appDir' | 'people' | 'demo'>> {
  /** Name of its log file in the demo's `log` folder; several hosts may share one. */
  log?: string;
}

/** The built app among all emulators: what `npm start` runs, what the commands measure and break, what tests use. */
export interface Demo {
  readonly folder: string;
  readonly appDir: string;
  readonly stack: Stack;
  /**
   * What a host of this demo is started with. No timer fires unless `FETCH_SCHEDULE` says so; the port is a free one,
   * and only at `stack.ports.web` does the way back from the provider arrive.
   */
  hostOptions(options?: DemoHostOptions): HostOptions;
  /** One more process of the app; it ends with the demo. */
  startHost(options?: DemoHostOptions): Promise<HostProcess>;
  /** All that the hosts logged so far. */
  log(name?: string): string;
  /** Where the hosts' log lines go. */
  logFile(name?: string): string;
}

/** No timer fires: everything is started by hand. */
const NEVER = '0 0 3 1 1 *';

/** @throws Error in words when the app cannot be built or an emulator does not start */
export async function openDemo(options: DemoOptions): Promise<Demo> {
  const { running, progress = () => undefined } = options;
  const isTemporary = options.folder === undefined;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'postroom-demo-')));
  if (isTemporary) running.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(folder, { recursive: true });
  // Dovecot runs as a user of its own, who must be able to enter a temporary folder.
  if (isTemporary) await chmod(folder, 0o755);
  const [built, started] = await Promise.allSettled([
    appOf(options.app ?? 'shared', folder, progress),
    startStack({ ...options.stack, stateDir: folder }),
  ]);
  if (started.status === 'rejected') throw started.reason;
  const stack = started.value;
  running.defer(() => stack.stop());
  if (built.status === 'rejected') throw built.reason;
  const appDir = built.value;
  const logFile = (name = 'host'): string => join(folder, 'log', `${name}.log`);
  const hostOptions = ({ log: _log, settings, ...more }: DemoHostOptions = {}): HostOptions => ({
    appDir,
    port: 0,
    stateDir: join(folder, 'host'),
    people: demoPeople,
    demo: { mailboxes: stack.mailboxes.map(({ address }) => address), dropSmtp: stack.mail.drop },
    background: false,
    ...more,
    settings: { FETCH_SCHEDULE: NEVER, ...stack.settings, ...settings },
  });
  return {
    folder,
    appDir,
    stack,
    hostOptions,
    async startHost(more) {
      const host = await startHostProcess(hostOptions(more), logFile(more?.log));
      // In a folder that is deleted there is nothing to bring in order.
      running.defer(() => (isTemporary ? host.kill() : host.stop()));
      return host;
    },
    log: (name) => readFileSync(logFile(name), 'utf8'),
    logFile,
  };
}

async function appOf(
  app: Required<DemoOptions>['app'],
  folder: string,
  progress: (text: string) => void,
): Promise<string> {
  if (app === 'own') return (await buildApp({ outDir: join(folder, 'app') })).outDir;
  if (app !== 'shared') return app.dir;
  if (!(await isBuildCurrent())) {
    progress('Building …');
    await buildApp();
  }
  return builtApp;
}

/** An admin of the demo organization, signed in at a host. */
export async function adminAt(host: { url: string }): Promise<Visitor> {
  const visitor = new Visitor(host.url);
  await visitor.signIn(demoPeople[0]?.id ?? '');
  return visitor;
}
