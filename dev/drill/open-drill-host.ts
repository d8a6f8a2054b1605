import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HostOptions } from '../host/options.ts';
import type { Answer, Order } from './drill-host.ts';

export interface DrillHost extends AsyncDisposable {
  url: string;
  /** See drill-host.ts. */
  leap(ms: number, timers: readonly string[]): Promise<void>;
  /** Errors that the host and the app have logged so far. */
  complaints(): readonly string[];
}

/** Starts the app in a separate process, on a clock that can be advanced. */
export async function openDrillHost(options: HostOptions): Promise<DrillHost> {
  const child = fork(fileURLToPath(new URL('./drill-host.ts', import.meta.url)), {
    // In its own process group: a Ctrl-C in the terminal reaches only the parent.
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  const complaints: string[] = [];
  const give = async (order: Order): Promise<string> => {
    child.send(order);
    const ended = new AbortController();
    try {
      const [said] = (await Promise.race([
        once(child, 'message', { signal: ended.signal }),
        once(child, 'exit', { signal: ended.signal }).then(() => {
          throw new Error(`The app ended by itself.\n${complaints.join('\n')}`);
        }),
      ])) as [Answer];
      complaints.push(...said.complaints);
      if (said.kind === 'failed') throw new Error(said.reason);
      return said.url;
    } finally {
      ended.abort();
    }
  };
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  try {
    const url = await give({ kind: 'start', options });
    return {
      url,
      leap: async (ms, timers) => {
        await give({ kind: 'leap', ms, timers });
      },
      complaints: () => complaints,
      async [Symbol.asyncDispose]() {
        await give({ kind: 'stop' }).catch(() => undefined);
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
