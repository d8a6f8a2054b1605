import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Storage for the names and IDs of an installation between commands. */
export interface PostroomEnvironment {
  kind: 'azd' | 'process';
  get(name: string): string | undefined;
  set(name: string, value: string): Promise<void>;
}

const run = promisify(execFile);
const options = { timeout: 60_000 };

/**
 * The azd environment selected here. Without azd or outside an azd project, the variables of this process,
 * which can't be saved.
 */
export async function openPostroomEnvironment(): Promise<PostroomEnvironment> {
  const values = await azdValues();
  if (values === undefined)
    return { kind: 'process', get: (name) => filled(process.env[name]), set: async () => undefined };
  return {
    kind: 'azd',
    get: (name) => filled(values[name]),
    set: async (name, value) => {
      await run('azd', ['env', 'set', name, value], options);
      values[name] = value;
    },
  };
}

async function azdValues(): Promise<Record<string, string> | undefined> {
  try {
    const { stdout } = await run('azd', ['env', 'get-values', '--output', 'json'], options);
    return JSON.parse(stdout) as Record<string, string>;
  } catch {
    return undefined;
  }
}

const filled = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
