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
  /** Folder for all state. Absent: a new folder in the system's temporary folder, deleted at the end. */
  folder?: string;
  /**
   * `shared`: the app from `npm run build`, built first if it is missing or outdated. `own`: built into the
   * demo's folder, because others may build theirs at the same time. Otherwise the folder of a built app, which
   * may still be under construction.
   */
  app?: 'shared' | 'own' | { dir: string | Promise<string> };
  stack?: Omit<StackOptions, 'stateDir'>;
  /** Everything that was started, to be disposed of at the end, even if the start is interrupted. */
  running: AsyncDisposableStack;
  progress?: (text: string) => void;
}

export interface DemoHostOptions extends Partial<Omit<HostOptions, 'appDir' | 'people'>> {
  /** Name of its log file in the demo's `log` folder; several hosts may share one. */
  log?: string;
}

/** The built app with all emulators: what `npm start` runs, the measuring commands use and tests rely on. */
export interface Demo {
  readonly folder: string;
  readonly appDir: string;
  readonly stack: Stack;
  /**
   * Options for a host of this demo. No timer fires unless `FETCH_SCHEDULE` is set. The port is a free one;
   * only at `stack.ports.web` does the provider's redirect arrive.
   */
  hostOptions(options?: DemoHostOptions): HostOptions;
  /** Starts another process of the app; it ends with the demo. */
  startHost(options?: DemoHostOptions): Promise<HostProcess>;
  /** Everything that the hosts have logged. */
  log(name?: string): string;
  /** The log file of the hosts. */
  logFile(name?: string): string;
}

/** No timer fires: everything is started manually. */
const NEVER = '0 0 3 1 1 *';

/** @throws Error with a readable message when the app cannot be built or an emulator does not start */
export async function openDemo(options: DemoOptions): Promise<Demo> {
  const { running, progress = () => undefined } = options;
  const isTemporary = options.folder === undefined;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'postroom-demo-')));
  if (isTemporary) running.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(folder, { recursive: true });
  // Dovecot runs as a separate user, who needs access to the temporary folder.
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
      // A folder that is about to be deleted needs no orderly shutdown.
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
