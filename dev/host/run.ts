/**
 * The local host as a separate process, so that it can be killed like any other.
 *
 *   node dev/host/run.ts '<options as JSON>'     or the same JSON as the first line of standard input
 *
 * Prints one JSON line `{"url","port","functions"}` when ready, or `{"error"}`; logs go to standard error. SIGTERM and SIGINT end it
 * in order. With options on standard input it also ends when that closes, that is, when its parent dies; the terminal's
 * Ctrl-C is then the parent's to handle.
 */
import { createInterface } from 'node:readline';
import type { HostLog } from './core.ts';
import { startHost } from './host.ts';
import type { HostOptions } from './options.ts';

const quiet = new Set(['trace', 'debug']);
const log: HostLog = (level, message, functionName) => {
  if (quiet.has(level)) return;
  const entry = { at: new Date().toISOString(), level, function: functionName, message };
  process.stderr.write(`${JSON.stringify(entry)}\n`);
};

async function readOptions(): Promise<{ options: HostOptions; parentGone?: Promise<void> }> {
  const [given] = process.argv.slice(2);
  if (given !== undefined) return { options: JSON.parse(given) as HostOptions };
  const lines = createInterface({ input: process.stdin });
  const gone = Promise.withResolvers<void>();
  const first = Promise.withResolvers<string>();
  lines.once('line', first.resolve);
  lines.once('close', () => {
    first.reject(new Error('No options came: give them as JSON, as an argument or on standard input.'));
    gone.resolve();
  });
  return { options: JSON.parse(await first.promise) as HostOptions, parentGone: gone.promise };
}

// Standard output is reserved for the one line. The app's own log lines go where the host's go.
console.log = console.error;
console.info = console.error;
// A parent that has exited reads nothing; that must not end the process before it has shut down in order.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  const { options, parentGone } = await readOptions();
  if (options.logDebug === true) quiet.delete('debug');
  const host = await startHost(options, log);
  const end = (): void => {
    void host.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log('error', String(error));
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  void parentGone?.then(end);
  // Azure restarts a worker that ends this way. Here the process exits too, but logs the reason.
  process.on('uncaughtException', (error) => {
    log('critical', `The app broke outside a function: ${error.stack ?? String(error)}`);
    process.exit(1);
  });
  const { url, port, functions } = host;
  process.stdout.write(`${JSON.stringify({ url, port, functions })}\n`);
} catch (error) {
  process.stdout.write(
    `${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`,
  );
  process.exit(1);
}
