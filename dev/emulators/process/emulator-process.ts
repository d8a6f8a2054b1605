import { createInterface } from 'node:readline';

// node dev/emulators/process/emulator-process.ts <emulator> <options as JSON, or - : the first line of standard input>
//
// Prints one JSON line when ready, `{"ready": …}` with what can travel of the running emulator, or `{"error": "…"}`.
// Ends on SIGTERM or SIGINT after saving its state; with `-` also when standard input closes: the parent is gone.

type Running = { stop(): Promise<void> };
type Start = (options: never) => Promise<Running>;

/** Each process loads one of them. */
const EMULATORS: Record<string, () => Promise<Start>> = {
  entra: async () => (await import('../entra/entra.ts')).startEntra,
  'key-vault': async () => (await import('../key-vault/key-vault.ts')).startKeyVault,
  'managed-identity': async () => (await import('../identity/managed-identity.ts')).startManagedIdentity,
  azurite: async () => (await import('../storage/azurite.ts')).startAzurite,
  graph: async () => (await import('../graph/graph.ts')).startGraph,
};

// Standard output is reserved for the one line; a failed write to a parent that has exited must not end
// this process.
console.log = console.error;
console.info = console.error;
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const [name = '', argument = '-'] = process.argv.slice(2);
const managed = argument === '-';
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

let running: Running | undefined;
let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await running?.stop();
  process.exit(0);
}
const endNow = (): void => {
  end().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
};
process.on('SIGTERM', endNow);
process.on('SIGINT', endNow);

function firstLine(): Promise<string> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin });
    lines.once('line', resolve);
    lines.once('close', endNow);
  });
}

try {
  const load = EMULATORS[name];
  if (load === undefined)
    throw new Error(`Unknown emulator "${name}". One of: ${Object.keys(EMULATORS).join(', ')}.`);
  const options: unknown = JSON.parse(managed ? await firstLine() : argument);
  // The options come from the parent as JSON; each emulator reads its own.
  running = await (await load())(options as never);
  if (ending) await running.stop();
  say({ ready: running });
} catch (error) {
  console.error(error);
  say({ error: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  // Standard input, still open, would keep the process.
  process.stdin.destroy();
}
