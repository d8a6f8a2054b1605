/** Changes of a provider that a crash interrupts, after each call that they make. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { dieAt } from '../harness/pages/die-at.ts';
import { CLIENT } from '../harness/stack/demo-directory.ts';

let app: DemoApp;
beforeAll(async () => {
  app = await startDemoApp();
});
afterAll(() => app.stop());

const actions = async (id: string): Promise<string[]> =>
  (await app.services.audit.page({ kind: 'provider', id, limit: 100 })).entries.map(({ action }) => action);

/** Runs it once for each of its calls, with a crash after that call, until a run completes. */
async function diesEverywhere(
  act: () => Promise<unknown>,
  check: (died: string | undefined) => Promise<void>,
): Promise<number> {
  for (let call = 1; ; call += 1) {
    const crash = dieAt(app.seam, call);
    await act();
    const died = crash.end();
    await check(died);
    if (died === undefined) return call;
  }
}

describe('a provider whose deletion is interrupted', () => {
  test('stays on its page until all of it is gone, and is never deleted without its audit entry', async () => {
    const { visitor, providerId } = await connectSupport(app);
    let deletions = 0;
    let isGone = false;
    const calls = await diesEverywhere(
      () => visitor.post(`/providers/${providerId}/delete`, { name: 'Demo' }),
      async (died) => {
        deletions = (await actions(providerId)).filter((action) => action === 'deleted').length;
        const [provider, accounts] = await Promise.all([
          app.services.providers.get(providerId),
          app.services.accounts.listOf(providerId),
        ]);
        isGone = provider === undefined;
        if (isGone || accounts.length === 0) expect(deletions, `died after ${died}`).toBeGreaterThan(0);
        if (isGone) expect(accounts).toEqual([]);
      },
    );
    expect(isGone).toBe(true);
    expect(calls).toBeGreaterThan(5);
  });
});

describe('a provider whose saving is interrupted', () => {
  test('never exists without the entry that created it', async () => {
    const visitor = new Visitor(app);
    const form = { preset: 'demo', clientId: 'another-client', expiresOn: '2030-01-01' };
    const known = new Set((await app.services.providers.list()).map(({ id }) => id));
    await diesEverywhere(
      () => visitor.post('/providers/new', { ...form, name: 'Cut short' }),
      async (died) => {
        for (const { id } of await app.services.providers.list())
          if (!known.has(id)) expect(await actions(id), `died after ${died}`).toContain('created');
      },
    );
  });

  test('is never changed without the entry that says so', async () => {
    const visitor = new Visitor(app);
    const id = await visitor.addDemoProvider();
    let name = '';
    let turn = 0;
    await diesEverywhere(
      async () => {
        turn += 1;
        name = `Renamed ${turn}`;
        await visitor.post(`/providers/${id}/edit`, { name, clientId: CLIENT, credential: 'keep' });
      },
      async (died) => {
        if ((await app.services.providers.get(id))?.name !== name) return;
        const { entries } = await app.services.audit.page({ kind: 'provider', id, limit: 1 });
        expect(
          entries[0]?.changes.map(({ after }) => after),
          `died after ${died}`,
        ).toContain(name);
      },
    );
    expect((await app.services.providers.get(id))?.name).toBe(name);
  });
});
