/** How long one process uses its cache while another changes the data. */
import { afterEach, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import type { Services } from '../../functions/services.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { withNext } from '../../shared/providers/credential.ts';
import { storeSecret } from '../../shared/providers/store-credential.ts';
import {
  AT_MAIL,
  connectSupport,
  type DemoApp,
  startDemoApp,
  type Visitor,
} from '../harness/pages/demo-app.ts';

const SECOND = 1000;
const HOUR = 3_600_000;
const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function start(
  options: Parameters<typeof startDemoApp>[0] = {},
): Promise<{ app: DemoApp; account: Account; providerId: string; visitor: Visitor }> {
  const app = await startDemoApp(options);
  apps.push(app);
  return { app, ...(await connectSupport(app)) };
}

describe('a token that another process has cached', () => {
  it('is no longer returned two minutes after the provider was deleted', async () => {
    const { app, account, providerId, visitor } = await start();
    const other = app.another();
    expect((await other.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    await visitor.post(`/providers/${providerId}/delete`, { name: 'Demo' });
    expect(await app.services.providers.get(providerId)).toBeUndefined();
    app.seam.skewMs = 120 * SECOND;
    expect(await other.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'account-missing',
    });
  });

  it('is returned without reading the row for 90 seconds, and again after each read', async () => {
    const { app, account } = await start();
    let reads = 0;
    app.seam.around = async (point, effect) => {
      if (point === 'table.Accounts.get') reads += 1;
      return effect();
    };
    await app.services.accessTokens.get(account, AT_MAIL);
    expect(reads).toBe(1);
    const written = app.tables.changes;
    for (let minute = 1; minute <= 40; minute++) {
      app.seam.skewMs = minute * 60 * SECOND;
      for (let mailbox = 0; mailbox < 3; mailbox++) await app.services.accessTokens.get(account, AT_MAIL);
    }
    expect(reads).toBe(21);
    expect(app.tables.changes).toBe(written);
  });

  it('is used until it expires while storage is unavailable, unless it was refused', async () => {
    const { app, account } = await start();
    const before = await app.services.accessTokens.get(account, AT_MAIL);
    if (before.kind !== 'token') throw new Error('no token');
    app.seam.around = async (point, effect) => {
      if (point.startsWith('table.')) throw new PostroomError('table-storage', 'Storage is away');
      return effect();
    };
    app.seam.skewMs = 1200 * SECOND;
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'token',
      token: before.token,
    });
    const rejected = before.token.expose();
    await expect(app.services.accessTokens.get(account, { ...AT_MAIL, rejected })).rejects.toThrow(
      'Storage is away',
    );
    app.seam.skewMs = Date.parse(before.expiresAt) - Date.now() + SECOND;
    await expect(app.services.accessTokens.get(account, AT_MAIL)).rejects.toThrow('Storage is away');
  });

  it('is replaced by a newer one that another process received', async () => {
    const { app, account } = await start();
    const other = app.another();
    const before = await other.accessTokens.get(account, AT_MAIL);
    // A token of this very millisecond would count as fresh enough.
    app.seam.skewMs = SECOND;
    const renewed = await app.services.accessTokens.renew(account);
    app.seam.skewMs = 120 * SECOND;
    const after = await other.accessTokens.get(account, AT_MAIL);
    if (before.kind !== 'token' || renewed.kind !== 'token' || after.kind !== 'token')
      throw new Error('no token');
    expect(after.token.expose()).toBe(renewed.token.expose());
    expect(after.token.expose()).not.toBe(before.token.expose());
  });
});

describe('a refresh that takes longer than its lease', () => {
  /** Every response of the provider takes this long, by the clock of all processes. */
  function slow(app: DemoApp, seconds: number, meanwhile: () => Promise<void>): void {
    app.seam.around = async (point, effect) => {
      if (point !== 'token.refresh') return effect();
      app.seam.skewMs += seconds * SECOND;
      await meanwhile();
      return effect();
    };
  }

  async function withNextSecret(services: Services, providerId: string): Promise<void> {
    const next = await storeSecret(services, providerId, {
      value: new Secret('not-known-there'),
      expiresOn: '2030-01-01T23:59:59.000Z',
    });
    await services.providers.change(providerId, (provider) => withNext(provider, next));
  }

  it('because it tries a second credential keeps the lease, so that no other process refreshes', async () => {
    const { app, account, providerId } = await start({ strictRotation: true });
    await withNextSecret(app.services, providerId);
    app.seam.skewMs = 2 * HOUR;
    const free: boolean[] = [];
    slow(app, 40, async () => {
      const lease = await app.another().blobs.lease(`lease/account-${account.accountId}`, 60);
      free.push(lease !== undefined);
      await lease?.release();
    });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(free).toEqual([false, false]);
  });

  it('and has lost it does not call the provider again', async () => {
    const { app, account, providerId } = await start({ strictRotation: true });
    await withNextSecret(app.services, providerId);
    app.seam.skewMs = 2 * HOUR;
    let asked = 0;
    slow(app, 61, async () => {
      asked += 1;
      // Another process acquires it, and does not release it.
      await app.another().blobs.lease(`lease/account-${account.accountId}`, 60);
    });
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'retrying',
      code: 'refresh-busy',
    });
    expect(asked).toBe(1);
    app.seam.around = undefined;
    app.seam.skewMs += 61 * SECOND;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });

  it('leaves no record of a start if storage failed before the request', async () => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.seam.around = async (point, effect) => {
      if (point === 'blob.renew') throw new Error('storage is away');
      return effect();
    };
    await expect(app.services.accessTokens.get(account, AT_MAIL)).rejects.toThrow('storage is away');
    expect((await app.services.accounts.get(account))?.account.refreshBegunAt).toBeUndefined();
    app.seam.around = undefined;
    app.idp.addFault({
      match: { path: 'token' },
      status: 400,
      body: aadstsBody(50173, 'invalid_grant', 'Revoked.', { suberror: 'bad_token' }),
    });
    const answer = await app.services.accessTokens.get(account, AT_MAIL);
    expect(answer.kind === 'action-required' && answer.message).toContain('has ended');
  });
});
