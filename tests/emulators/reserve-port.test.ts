import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reservePort } from '../../dev/emulators/reserve-port.ts';

/** What another process is told that asks for this port, and then ends in the way given. */
function askElsewhere(port: number, end = 'process.exit()'): string {
  const file = join(import.meta.dirname, '../../dev/emulators/reserve-port.ts');
  const script = `const { reservePort } = await import(${JSON.stringify(file)});
    process.stdout.write(String(reservePort(${port})), () => { ${end}; });`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return run.stdout;
}

/** Beyond the ports that exist, so that no server is affected. */
const port = 100_000 + process.pid;

test('a port belongs to one process at a time, and to the next one once that has ended or was killed', () => {
  expect(askElsewhere(port)).toBe('true');
  expect(askElsewhere(port, 'process.kill(process.pid, "SIGKILL")')).toBe('true');
  expect(reservePort(port)).toBe(true);
  expect(reservePort(port)).toBe(false);
  expect(askElsewhere(port)).toBe('false');
});
