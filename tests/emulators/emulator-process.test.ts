import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TenantAddress } from '../../dev/emulators/entra/entra.ts';
import { type PeerProcess, startPeer } from '../../dev/emulators/process/start-emulator.ts';
import { consent, redeem, refresh, tenant } from './demo-directory.ts';

let folder: string;
const peers: { stop(): Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-peer-'));
});
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function startIdp(
  port = 0,
): Promise<{ peer: PeerProcess<{ port: number; origin: string }>; at: TenantAddress }> {
  const peer = await startPeer('identity-provider', { tenants: [tenant()], stateDir: folder, port });
  peers.push(peer);
  const [at] = peer.ready.tenants;
  if (at === undefined) throw new Error('no tenant');
  return { peer, at };
}

describe('the identity provider as a process', () => {
  it('killed right after handing out a refresh token still honours it after its restart', async () => {
    const first = await startIdp();
    const { body } = await redeem(first.at, await consent(first.at));
    await first.peer.kill();
    const second = await startIdp(first.peer.ready.port);
    expect(second.at).toEqual(first.at);
    const again = await refresh(second.at, body.refresh_token);
    expect(again.status, JSON.stringify(again.body)).toBe(200);
    await second.peer.kill();
    const third = await startIdp(first.peer.ready.port);
    expect((await refresh(third.at, again.body.refresh_token)).status).toBe(200);
    expect((await consent(third.at)).titles, 'the consent is remembered, too').toHaveLength(1);
  });

  it('says in a sentence when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(startIdp(port)).rejects.toThrow(
      `The practice identity provider needs port ${port}, but another program is using it.`,
    );
    other.close();
  });
});

describe('a peer', () => {
  it('started by hand ends on SIGINT', async () => {
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

  it('ends by itself when its parent dies', async () => {
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module-typescript',
        '--eval',
        `import { startPeer } from './dev/emulators/process/start-emulator.ts';
         const peer = await startPeer('managed-identity', { tenantId: 't' });
         console.log(JSON.stringify({ pid: peer.pid, endpoint: peer.ready.endpoint }));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const { endpoint } = JSON.parse(line.toString()) as { endpoint: string };
    expect((await fetch(endpoint)).status).toBe(401);
    parent.kill('SIGKILL');
    await expect
      .poll(
        () =>
          fetch(endpoint).then(
            () => 'answers',
            () => 'gone',
          ),
        { timeout: 5000 },
      )
      .toBe('gone');
  });

  it('unknown to the runner is refused with the names that exist', async () => {
    const child = spawn(process.execPath, ['dev/emulators/process/emulator-process.ts', 'nonsense', '{}'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toMatchObject({ error: expect.stringContaining('key-vault') });
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});
