import { afterEach, describe, expect, it, vi } from 'vitest';
import { secretsPage, vaultAwayPage } from '../../functions/pages/secrets/secret-views.tsx';
import { PostroomError } from '../../shared/platform/errors.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const ALEX = { id: 'alex', roles: ['admin'] };
const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function postroom() {
  const app = await startDemoApp();
  apps.push(app);
  const { providerId, account } = await connectSupport(app);
  const visitor = new Visitor(app, ALEX);
  return { app, providerId, account, visitor };
}

describe('the page of secrets', () => {
  it('lists each with its provider, its date and who renews it, and no value', async () => {
    const { app, visitor, providerId } = await postroom();
    const { html, status } = await visitor.get('/secrets');
    expect(status).toBe(200);
    expect(html).toContain(`href="/providers/${providerId}"`);
    expect(html).toMatch(/Valid<\/span> until 20\d\d-/);
    expect(html).toContain('All tokens use the current key.');
    const provider = await app.services.providers.get(providerId);
    if (provider?.credential?.kind !== 'secret') throw new TypeError();
    const { vaultName, version } = provider.credential;
    const value = await app.vault.get(vaultName, version);
    expect(html).not.toContain(value?.value.expose());
  });

  it('creates a new encryption key, and shows how many sign-ins use an older one', async () => {
    const { app, visitor } = await postroom();
    const reply = await visitor.post('/secrets/encryption-key', {});
    expect(reply).toMatchObject({ status: 303, location: '/secrets?flash=new-key' });
    expect((await visitor.get('/secrets')).html).toContain(
      'The tokens of 1 account still use an older version',
    );
    const [change] = (await app.services.audit.page({ limit: 1 })).entries;
    expect(change).toMatchObject({ action: 'encryption key replaced', subject: { kind: 'secret' } });
  });

  it('reports that the vault refuses, without an error page', async () => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { app, visitor } = await postroom();
    app.seam.around = (point, effect) =>
      point === 'vault.list' || point === 'vault.set'
        ? Promise.reject(new PostroomError('key-vault-denied', 'no'))
        : effect();
    const { html, status } = await visitor.get('/secrets');
    expect([status, html.includes('Key Vault denies access to this installation')]).toEqual([503, true]);
    expect((await visitor.post('/secrets/encryption-key', {})).status).toBe(503);
    errors.mockRestore();
  });
});

describe('rotation', () => {
  it('is turned on and off at its provider, and a failure is shown there', async () => {
    const { app, visitor, providerId } = await postroom();
    expect((await visitor.get(`/providers/${providerId}`)).html).toContain('>Off<');
    await visitor.post(`/providers/${providerId}/rotation`, { rotation: 'on' });
    expect((await app.services.rotations.get(providerId))?.enabled).toBe(true);
    const provider = await app.services.providers.get(providerId);
    if (provider?.credential?.kind !== 'secret') throw new TypeError();
    app.seam.skewMs = Date.parse(provider.credential.expiresOn ?? '') - Date.now() - 10 * 86_400_000;
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    await rotateSecrets(app.services);
    const { html } = await visitor.get(`/providers/${providerId}`);
    expect(html).toContain('>On<');
    expect(html).toMatch(/Changed by alex, <time /);
    expect(html).toContain('Automatic rotation failed.');
    expect((await visitor.get('/secrets')).html).toContain('Postroom</td>');
    await visitor.post(`/providers/${providerId}/rotation`, { rotation: 'off' });
    expect((await app.services.rotations.get(providerId))?.enabled).toBe(false);
    const actions = (await app.services.audit.page({ limit: 9 })).entries.map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['rotation switched on', 'rotation switched off']));
  });
});

describe('the page of activity', () => {
  it('lists entries, newest first, by kind, page by page', async () => {
    const { app, visitor, account } = await postroom();
    const at = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
    const about = { aboutId: account.accountId, about: 'support@contoso.example' };
    await app.services.activity.note([
      ...Array.from({ length: 60 }, (_value, index) => ({
        ...about,
        kind: 'fetch' as const,
        at: at(index * 60),
        result: 'done' as const,
        what: `${index} tickets opened.`,
        ms: 1234,
      })),
      { ...about, kind: 'refresh', at: at(5), result: 'retrying', what: 'No answer came.' },
    ]);
    const first = await visitor.get('/activity');
    expect(first.html.indexOf('0 tickets opened.')).toBeLessThan(first.html.indexOf('No answer came.'));
    expect(first.html).toContain('1.2 s');
    expect(first.html).not.toContain('>55 tickets opened.');
    const next = /rel="next" href="([^"]+)"/.exec(first.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const second = await visitor.get(next);
    expect(second.html).toContain('55 tickets opened.');
    expect(second.html).not.toContain('>30 tickets opened.');
    const refreshes = await visitor.get('/activity?kind=refresh');
    expect(refreshes.html).toContain('No answer came.');
    expect(refreshes.html).not.toContain('tickets opened');
    expect((await visitor.get('/activity?kind=send&after=2020-01-01|nonsense')).status).toBe(200);
  });
});

it('the pages are usable in a browser in each state', async () => {
  const { app, visitor, providerId } = await postroom();
  const principal = { id: 'alex', name: 'Alex Admin', roles: ['admin' as const] };
  const secret = {
    vaultName: 'provider-x',
    what: 'client secret' as const,
    provider: { id: providerId, name: 'Contoso' },
    expiresOn: '2027-01-28T23:59:59.000Z',
    changedOn: undefined,
    replacedSince: undefined,
    rotationProblem: undefined,
    mailboxes: ['support@contoso.example', 'a-rather-long-name.of-a-mailbox@department.contoso.example'],
  };
  const all = secretsPage(
    {
      secrets: [
        { ...secret, state: { kind: 'healthy', days: 200 } },
        { ...secret, state: { kind: 'due', days: 6, stage: 7 }, replacedSince: '2026-11-20T00:00:00.000Z' },
        { ...secret, state: { kind: 'expired', days: 1 } },
        { ...secret, state: { kind: 'unknown-date' }, mailboxes: [] },
        { ...secret, state: { kind: 'disabled' } },
        { ...secret, state: { kind: 'missing', recoverableUntil: '2027-02-22T00:00:00.000Z' } },
        { ...secret, what: 'webhook key', provider: undefined, state: { kind: 'due', days: 0, stage: 0 } },
      ],
      rotating: [providerId],
      encryptionKey: { madeOn: '2026-11-01T09:00:00.000Z', readable: 2, underOlder: 3 },
    },
    principal,
    undefined,
  );
  await app.services.activity.note([
    {
      kind: 'fetch',
      at: new Date().toISOString(),
      aboutId: 'x',
      about: 'support@contoso.example',
      result: 'action-required',
      what: 'The mail server refuses the sign-in of the account for support@contoso.example.',
      ms: 812,
    },
    {
      kind: 'refresh',
      at: new Date().toISOString(),
      aboutId: 'x',
      about: 'support@contoso.example',
      result: 'done',
      what: 'Token refreshed.',
    },
  ]);
  await visitor.post(`/providers/${providerId}/rotation`, { rotation: 'on' });
  const drawn = {
    secrets: all,
    'no secrets': secretsPage({ secrets: [], rotating: [], encryptionKey: undefined }, principal, undefined),
    'vault unavailable': vaultAwayPage(principal, 'key-vault-denied'),
    activity: (await visitor.get('/activity')).html,
    'no activity': (await visitor.get('/activity?kind=send')).html,
    'provider with rotation': (await visitor.get(`/providers/${providerId}`)).html,
  };
  expectWhole(drawn);
  await expectUsableInBrowser(drawn);
});
