import type { HostLog } from '../host/core.ts';
import { type RunningHost, startHost } from '../host/host.ts';
import type { HostOptions } from '../host/options.ts';
import { shiftClock } from './shifted-clock.ts';

// The app on the local host, in a process of its own whose clock can be set forward: the emulators and whoever drills keep
// the real one. Started by open-drill-host.ts, which sends one order at a time.

export type Order =
  | { kind: 'start'; options: HostOptions }
  /** The clock goes on by so much, then these timers run one after the other, each with all the work it begins. */
  | { kind: 'leap'; ms: number; timers: readonly string[] }
  | { kind: 'stop' };

/** `complaints`: what the host and the app called an error since the last answer. */
export type Answer = { complaints: readonly string[] } & (
  | { kind: 'done'; url: string }
  | { kind: 'failed'; reason: string }
);

// Nobody reads the app's own log lines here.
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
// Whoever drills is gone.
process.on('disconnect', () => process.exit(0));
