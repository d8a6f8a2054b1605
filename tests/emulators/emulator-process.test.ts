import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TenantAddress } from '../../dev/emulators/entra/entra.ts';
import { type EmulatorProcess, startEmulator } from '../../dev/emulators/process/start-emulator.ts';
import { consent, redeem, refresh, tenant } from '../harness/stack/demo-directory.ts';

let folder: string;
const emulators: { stop(): Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-emulator-'));
});
afterEach(async () => {
  await Promise.all(emulators.splice(0).map((emulator) => emulator.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function startIdp(
  port = 0,
): Promise<{ emulator: EmulatorProcess<{ port: number; origin: string }>; at: TenantAddress }> {
  const emulator = await startEmulator('entra', { tenants: [tenant()], stateDir: folder, port });
  emulators.push(emulator);
  const [at] = emulator.ready.tenants;
  if (at === undefined) throw new Error('no tenant');
  return { emulator, at };
}

describe('the identity provider as a process', () => {
  it('killed right after issuing a refresh token still accepts it after its restart', async () => {
    const first = await startIdp();
    const { body } = await redeem(first.at, await consent(first.at));
    await first.emulator.kill();
    const second = await startIdp(first.emulator.ready.port);
    expect(second.at).toEqual(first.at);
    const again = await refresh(second.at, body.refresh_token);
    expect(again.status, JSON.stringify(again.body)).toBe(200);
    await second.emulator.kill();
    const third = await startIdp(first.emulator.ready.port);
    expect((await refresh(third.at, again.body.refresh_token)).status).toBe(200);
    expect((await consent(third.at)).titles, 'the consent is remembered, too').toHaveLength(1);
  });

  it('reports in a sentence that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(startIdp(port)).rejects.toThrow(
      `The Entra emulator needs port ${port}, but another program is using it.`,
    );
    other.close();
  });
});

describe('an emulator', () => {
  it('started by hand exits on SIGINT', async () => {
    const child = spawn(
      process.execPath,
      ['dev/emulators/process/emulator-process.ts', 'managed-identity', '{"tenantId":"t"}'],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toMatchObject({ ready: { endpoint: expect.any(String) } });
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('exits when its parent dies', async () => {
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module-typescript',
        '--eval',
        `import { startEmulator } from './dev/emulators/process/start-emulator.ts';
         const emulator = await startEmulator('managed-identity', { tenantId: 't' });
         console.log(JSON.stringify({ pid: emulator.pid, endpoint: emulator.ready.endpoint }));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const { endpoint } = JSON.parse(line.toString()) as { endpoint: string };
    expect((await fetch(endpoint)).status).toBe(401);
    parent.kill('SIGKILL');
    await expect
      .poll(() =>
        fetch(endpoint).then(
          () => 'answers',
          () => 'gone',
        ),
      )
      .toBe('gone');
  });

  it('unknown to the runner is rejected with a list of the existing names', async () => {
    const child = spawn(process.execPath, ['dev/emulators/process/emulator-process.ts', 'nonsense', '{}'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toMatchObject({ error: expect.stringContaining('key-vault') });
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});
