import type { HostLog } from '../host/core.ts';
import { type RunningHost, startHost } from '../host/host.ts';
import type { HostOptions } from '../host/options.ts';
import { shiftClock } from './shifted-clock.ts';

// The app on the local host, in a separate process whose clock can be advanced; the emulators and the drill
// itself keep the real clock. Started by open-drill-host.ts, which sends one command at a time.

export type Order =
  | { kind: 'start'; options: HostOptions }
  /**
   * Advances the clock, then runs these timers one after another, each with all the work that it starts. Without a
   * timer, only what is queued.
   */
  | { kind: 'leap'; ms: number; timers: readonly string[] }
  | { kind: 'stop' };

/** `complaints`: errors that the host and the app have logged since the last answer. */
export type Answer = { complaints: readonly string[] } & (
  | { kind: 'done'; url: string }
  | { kind: 'failed'; reason: string }
);

// The app's own log lines are not read here.
console.log = () => undefined;
console.info = () => undefined;

const clock = shiftClock();
let host: RunningHost | undefined;
let complaints: string[] = [];
const log: HostLog = (level, message, name) => {
  if (level === 'error' || level === 'critical') complaints.push(`${name ?? 'host'}: ${message}`);
};

async function obey(order: Order): Promise<void> {
  if (order.kind === 'start') host = await startHost(order.options, log);
  else if (order.kind === 'stop') await host?.stop();
  else {
    clock.leap(order.ms);
    for (const timer of order.timers) await host?.runOnce(timer);
    if (order.timers.length === 0) await host?.runQueued();
  }
}

function answer(said: { kind: 'done'; url: string } | { kind: 'failed'; reason: string }): void {
  process.send?.({ ...said, complaints } satisfies Answer);
  complaints = [];
}

process.on('message', (order: Order) => {
  obey(order).then(
    () => answer({ kind: 'done', url: host?.url ?? '' }),
    (error: unknown) => answer({ kind: 'failed', reason: String(error) }),
  );
});
// The drill process is gone.
process.on('disconnect', () => process.exit(0));
