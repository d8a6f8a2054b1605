/** Key Vault or the managed identity fails while a mailbox is being connected: a page says so, and nothing is half done. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { VaultCode } from '../../shared/platform/problem.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { ALEX, addressOf, allRows, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { tenant } from '../harness/stack/demo-directory.ts';

const SUPPORT = 'support@contoso.example';
const apps: DemoApp[] = [];
const drawn: Record<string, string> = {};
let app: DemoApp;
let admin: Visitor;
let providerId: string;

async function start(options: Parameters<typeof startDemoApp>[0] = {}): Promise<void> {
  app = await startDemoApp(options);
  apps.push(app);
  admin = new Visitor(app, ALEX);
  providerId = await admin.addDemoProvider();
}
beforeEach(() => start());
afterAll(async () => {
  await Promise.all(apps.map((one) => one.stop()));
});

/** A process without a key, over the same storage, as after a cold start. */
function coldStart(): void {
  app.services = app.another();
}

type Trouble = readonly [code: VaultCode, message: string];
const denied: Trouble = ['key-vault-denied', 'Key Vault did not get it (status 403)'];
/** The text of the callback page, which also says that nothing was saved. */
const says: Readonly<Record<string, string>> = {
  'key-vault-denied': 'Key Vault Secrets Officer',
  'key-vault-throttled': 'Wait a minute',
  'key-vault': 'Wait a minute. If the problem persists, check the Health page',
  'no-identity': 'User assigned',
  'secret-disabled': 'postroom-encryption-key, and set its newest version to “Enabled”',
};
const troubles: readonly Trouble[] = [
  denied,
  ['key-vault-throttled', 'Key Vault did not get it (status 429)'],
  ['key-vault', 'Key Vault did not get it (status 503)'],
  ['no-identity', 'The managed identity returned no token.'],
  ['secret-disabled', 'Key Vault did not get postroom-encryption-key (status 403)'],
];

/** From now on the vault responds like this, from its `after`th request on. */
function breakVault([code, message]: Trouble, after = 0): void {
  let asked = 0;
  app.seam.around = async (point, effect) => {
    if (point !== 'vault.get') return effect();
    asked += 1;
    if (asked > after) throw new PostroomError(code, message);
    return effect();
  };
}
const fixVault = (): void => {
  app.seam.around = undefined;
};

const accounts = () => app.services.accounts.listOf(providerId);

describe.each(troubles)('the vault that fails with %s', (...trouble) => {
  it('when a sign-in is started stores nothing and says what to do', async () => {
    coldStart();
    breakVault(trouble);
    const { Consents: before } = allRows(app);
    const reply = await admin.post(`/providers/${providerId}/connect`, { address: SUPPORT, who: 'self' });
    expect(reply.status, reply.html).toBe(503);
    expect(reply.html).toContain('Nothing was changed');
    expect(reply.html).toMatch(/[Tt]hen start|Start the sign-in again/);
    expect(allRows(app).Consents).toEqual(before);
    drawn[`start, ${trouble[0]}`] = reply.html;
  });

  it('at the redirect shows so, and a reload continues', async () => {
    const started = await admin.post(`/providers/${providerId}/connect`, { address: SUPPORT, who: 'self' });
    coldStart();
    breakVault(trouble);
    const reply = await admin.get(started.location ?? '');
    expect(reply.status, reply.html).toBe(503);
    fixVault();
    const { callback } = await admin.ride(await admin.get(started.location ?? ''), SUPPORT);
    expect((await admin.get(callback)).status).toBe(303);
  });

  it('at the callback shows so without using the sign-in up: a reload connects', async () => {
    const { callback } = await admin.leave(providerId, { address: SUPPORT }, SUPPORT);
    coldStart();
    breakVault(trouble);
    const before = allRows(app);
    const reply = await admin.get(callback);
    expect(reply.status, reply.html).toBe(503);
    expect(reply.html).toContain('Nothing was changed');
    expect(reply.html).toContain(says[trouble[0]]);
    expect(allRows(app)).toEqual(before);
    fixVault();
    expect((await admin.get(callback)).status).toBe(303);
    drawn[`return, ${trouble[0]}`] = reply.html;
  });

  it('by invitation shows so to its owner without internals of Postroom, and continues later', async () => {
    const path = await admin.invite(providerId, { address: SUPPORT });
    const owner = Visitor.signedOut(app);
    coldStart();
    breakVault(trouble);
    const refused = await owner.post(path, {});
    expect([refused.status, refused.title]).toEqual([503, 'Postroom cannot continue right now']);
    expect(refused.html).not.toMatch(/vault|managed identity/i);
    fixVault();
    const { callback } = await owner.ride(await owner.post(path, {}), SUPPORT);
    coldStart();
    breakVault(trouble);
    const back = await owner.get(callback);
    expect([back.status, back.title]).toEqual([503, 'Postroom cannot continue right now']);
    expect(back.html).not.toMatch(/vault|managed identity/i);
    expect(back.html).toContain(`href="${addressOf(path)}"`);
    fixVault();
    expect((await owner.get(callback)).title).toBe('Done, you can close this page');
    expect(await accounts()).toHaveLength(1);
    drawn[`invitation, ${trouble[0]}`] = back.html;
  });

  it('when the app signs in itself shows so and stores nothing', async () => {
    coldStart();
    breakVault(trouble);
    const path = `/providers/${providerId}/app-access`;
    if (trouble[0] !== 'secret-disabled') {
      const reply = await admin.post(path, { address: SUPPORT });
      expect(reply.status, reply.html).toBe(503);
      expect(reply.html).toContain('Nothing was saved');
      drawn[`app access, ${trouble[0]}`] = reply.html;
    }
    expect(await accounts()).toEqual([]);
  });
});

describe('the vault that fails', () => {
  it('after the state was used up, when the credential is read, requires a new start', async () => {
    const { callback } = await admin.leave(providerId, { address: SUPPORT }, SUPPORT);
    const credential = (await app.services.providers.get(providerId))?.credential;
    if (credential?.kind !== 'secret') throw new Error('no secret');
    // The encryption key is cached already; the next request is for the credential.
    breakVault(denied);
    const reply = await admin.get(callback);
    expect([reply.status, reply.title]).toEqual([503, 'Key Vault denies access to this installation']);
    expect(reply.html).toContain('Key Vault Secrets Officer');
    expect(reply.html).toContain(`/providers/${providerId}/connect?address=${encodeURIComponent(SUPPORT)}`);
    expect(await accounts()).toEqual([]);
    fixVault();
    // The callback again, by a reload or the back button, shows the same and sends no request.
    expect((await admin.get(callback)).title).toBe(reply.title);
  });

  it('after the encryption key was replaced and removed meanwhile requires a new start', async () => {
    const { callback } = await admin.leave(providerId, { address: SUPPORT }, SUPPORT);
    app.vault.versions.delete('postroom-encryption-key');
    coldStart();
    const reply = await admin.get(callback);
    expect([reply.status, reply.title]).toEqual([503, 'Postroom can’t access its keys']);
    expect(reply.html).toContain('the encryption key in Key Vault was replaced or removed');
    const again = await admin.leave(providerId, { address: SUPPORT }, SUPPORT);
    expect((await admin.get(again.callback)).status).toBe(303);
  });

  it('while an attempt waits for an admin of the tenant shows so in place of the link', async () => {
    await start({ tenants: [tenant({ userConsent: false })] });
    const { callback } = await admin.leave(providerId, { address: SUPPORT }, 'no-approval');
    const waiting = await admin.get(callback);
    expect(waiting.location).toMatch(/^\/approvals\//);
    const path = await admin.invite(providerId, { address: SUPPORT });
    const owner = Visitor.signedOut(app);
    const back = await owner.ride(await owner.post(path, {}), 'no-approval');
    expect((await owner.get(back.callback)).location).toBe(addressOf(path));
    coldStart();
    breakVault(denied);
    expect((await admin.get(waiting.location ?? '')).status).toBe(503);
    expect((await owner.get(path)).status).toBe(503);
    fixVault();
    expect((await admin.get(waiting.location ?? '')).html).toContain('Link for the admin');
    expect((await owner.get(path)).html).toContain('Link for the admin');
  });

  it('leads to complete, accessible pages', async () => {
    expect(Object.keys(drawn).length).toBeGreaterThan(15);
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
