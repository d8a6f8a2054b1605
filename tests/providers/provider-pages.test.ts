import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { IN_A_YEAR } from '../harness/memory/in-a-year.ts';
import { AT_MAIL, connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { CLIENT, SECRET } from '../harness/stack/demo-directory.ts';

const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

const GUID = '11111111-2222-3333-4444-555555555555';
const demo = { preset: 'demo', name: 'Demo', clientId: CLIENT, expiresOn: '2030-01-01' };
const microsoft = {
  preset: 'microsoft',
  name: 'Contoso',
  tenant: GUID,
  clientId: GUID,
  secret: 'hush~hush',
  expiresOn: '2030-01-01',
  expiryConfirmed: 'on',
};
const idIn = (location: string | undefined): string => location?.split(/[/?]/)[2] ?? '';

async function start(): Promise<{ app: DemoApp; visitor: Visitor }> {
  const app = await startDemoApp();
  apps.push(app);
  return { app, visitor: new Visitor(app) };
}

/** Microsoft itself is not called from a test. */
function cutOff(app: DemoApp): void {
  app.seam.around = (point, effect) =>
    point === 'token.discovery'
      ? Promise.reject(new PostroomError('endpoint-silent', 'No response from login.microsoftonline.com.'))
      : effect();
}

async function row(app: DemoApp, id: string): Promise<Provider> {
  const provider = await app.services.providers.get(id);
  if (provider === undefined) throw new Error('no provider');
  return provider;
}

const actions = async (app: DemoApp): Promise<string[]> =>
  (await app.services.audit.page({ limit: 20 })).entries.map(({ action }) => action);

describe('saving a provider', () => {
  it('checks it and continues to the mailbox when everything is accepted', async () => {
    const { app, visitor } = await start();
    const { location } = await visitor.post('/providers/new', demo);
    expect(location).toMatch(/^\/providers\/[a-z2-7]{26}\/connect\?flash=saved$/);
    expect((await row(app, idIn(location))).preflight).toMatchObject({
      tenant: 'proven',
      client: 'proven',
      credential: 'proven',
    });
    expect(await actions(app)).toEqual(['created']);
  });

  it('shows what is wrong, explained, before anyone signs in', async () => {
    const { app, visitor } = await start();
    app.idp.expireClientSecrets(CLIENT);
    const { location } = await visitor.post('/providers/new', demo);
    expect(location).toMatch(/^\/providers\/[a-z2-7]{26}\?flash=saved$/);
    const { html } = await visitor.get(location ?? '');
    expect(html).toContain('AADSTS7000222');
    expect(html).toContain('The client secret has expired');
    expect(html).toContain('Credential accepted: client secret</h3><span class="status bad">Failed');

    app.idp.setApp(CLIENT, { secrets: [{ value: SECRET }] });
    const checked = await visitor.post(`/providers/${idIn(location)}/check`, {});
    expect(checked.location).toBe(`/providers/${idIn(location)}?flash=ok`);
    expect((await visitor.get(checked.location ?? '')).html).not.toContain('AADSTS7000222');
  });

  it('saves a draft with only a name, through which no one can sign in, and continues it', async () => {
    const { app, visitor } = await start();
    cutOff(app);
    const draft = await visitor.post('/providers/new', {
      preset: 'microsoft',
      name: 'Later',
      intent: 'draft',
    });
    const id = idIn(draft.location);
    expect(draft.location).toBe(`/providers/${id}?flash=draft`);
    expect(await row(app, id)).toMatchObject({ state: 'draft', credential: undefined, clientId: '' });
    const page = await visitor.get(`/providers/${id}`);
    expect(page.html).toContain('Continue setup');
    expect(page.html).toContain(`value="http://localhost:7071/oauth/callback"`);
    expect(page.html).not.toContain(`href="/providers/${id}/connect"`);
    expect((await visitor.get('/providers')).html).toContain('Continue setup');
    expect((await visitor.get(`/providers/${id}/connect`)).location).toBe(`/providers/${id}`);
    expect((await visitor.post(`/providers/${id}/connect`, { address: 'a@b.example' })).status).toBe(404);
    expect(app.vault.versions.size).toBe(0);

    const half = { name: 'Later', clientId: GUID, intent: 'draft' };
    expect((await visitor.post(`/providers/${id}/edit`, half)).location).toBe(`/providers/${id}?flash=draft`);
    expect(await row(app, id)).toMatchObject({ state: 'draft', clientId: GUID });
    expect((await visitor.post(`/providers/${id}/edit`, microsoft)).status).toBe(303);
    expect(await row(app, id)).toMatchObject({ state: 'ready', credential: { kind: 'secret' } });
  });

  it('shows the exact values to enter and this app’s own pages, in its own cloud', async () => {
    const { app, visitor } = await start();
    cutOff(app);
    const saved = await visitor.post('/providers/new', { ...microsoft, cloud: 'gcc-high' });
    const id = idIn(saved.location);
    const form = await visitor.get('/providers/new?preset=microsoft');
    for (const name of ['IMAP.AccessAsUser.All', 'SMTP.Send', 'offline_access'])
      expect(form.html).toContain(`<code>${name}</code>`);
    // Nothing that the chosen ways do not use.
    expect(form.html).not.toContain('<code>POP.AccessAsUser.All</code>');
    const { html } = await visitor.get(`/providers/${id}`);
    expect(html).toContain(
      `href="https://portal.azure.us/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/${GUID}"`,
    );
    expect(html).toContain(
      `value="https://login.microsoftonline.us/${GUID}/v2.0/adminconsent?client_id=${GUID}&amp;scope=https%3A%2F%2Foutlook.office365.us`,
    );
    expect(html).not.toContain('hush');
    expect(html).not.toContain('https://login.microsoftonline.com');
  });
});

describe('the checklist page of a provider', () => {
  it('distinguishes proven steps from unproven ones', async () => {
    const { visitor } = await start();
    const providerId = await visitor.addDemoProvider();
    const states = (html: string): string[] =>
      [...html.matchAll(/<li class="step-(proven|wrong|unseen|waiting)">/g)].map(([, state]) => state ?? '');
    const before = await visitor.get(`/providers/${providerId}`);
    expect(states(before.html)).toEqual([
      'proven',
      'proven',
      'unseen',
      'unseen',
      'proven',
      'waiting',
      'unseen',
    ]);
    expect(before.html).toContain('3 of 7 steps done');
    expect(before.html).toContain('Pending: the mailbox owner');
  });

  it('counts redirect URI, permissions and sign-in as proven once someone has signed in', async () => {
    const { app } = await start();
    const { visitor, providerId } = await connectSupport(app);
    const { html } = await visitor.get(`/providers/${providerId}`);
    expect(html).toContain('6 of 7 steps done');
    expect(html).toContain('Granted (confirmed by a token): IMAP.AccessAsUser.All, SMTP.Send.');
    expect(html).toContain('Pending: you');
  });

  it('counts the redirect URI as proven once a browser has returned, with or without a consent', async () => {
    const { app, visitor } = await start();
    const providerId = await visitor.addDemoProvider();
    const { callback } = await visitor.leave(providerId, { address: 'support@contoso.example' }, 'cancel');
    await visitor.get(callback);
    expect((await row(app, providerId)).redirectSeenAt).toBeDefined();
    expect((await visitor.get(`/providers/${providerId}`)).html).toContain('Confirmed by a sign-in.');
  });

  it('is also one script with the values of this installation, harmless whatever the name', async () => {
    const { app, visitor } = await start();
    cutOff(app);
    const saved = await visitor.post('/providers/new', { ...microsoft, name: `x'; rm -rf "$HOME" #` });
    const reply = await visitor.get(`/providers/${idIn(saved.location)}/script`);
    expect(reply.status).toBe(200);
    expect(reply.html).toContain(`NAME='x'\\''; rm -rf "$HOME" #'`);
    expect(reply.html).toContain(`TENANT='${GUID}'`);
    expect(reply.html).toContain("REDIRECT_URI='http://localhost:7071/oauth/callback'");
    expect(reply.html).toContain('652390e4-393a-48de-9484-05f9b1212954');
    expect(reply.html).not.toContain('hush');
  });
});

describe('a credential', () => {
  it('is replaced without a new sign-in; the old one stays until the new one has worked', async () => {
    const { app } = await start();
    const { visitor, providerId, account } = await connectSupport(app);
    const fields = { name: 'Demo', clientId: CLIENT, expiresOn: IN_A_YEAR };
    const early = { ...fields, credential: 'secret', secret: 'not-there-yet' };
    await visitor.post(`/providers/${providerId}/edit`, early);
    const waiting = await visitor.get(`/providers/${providerId}`);
    expect(waiting.html).toContain('New credential: client secret</h3>');
    expect(waiting.html).toContain('The new credential does not work yet');
    app.seam.skewMs = 2 * 3_600_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(await row(app, providerId)).toMatchObject({ nextCredential: { kind: 'secret' } });

    app.idp.addClientSecret(CLIENT, { value: 'not-there-yet' });
    await visitor.post(`/providers/${providerId}/check`, {});
    const settled = await row(app, providerId);
    expect(settled.nextCredential).toBeUndefined();
    app.idp.setApp(CLIENT, { secrets: [{ value: 'not-there-yet' }] });
    app.seam.skewMs = 4 * 3_600_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(
      app.idp.tokenRequests().filter(({ grantType }) => grantType === 'authorization_code'),
    ).toHaveLength(1);
  });

  it('that does not work can be discarded', async () => {
    const { app } = await start();
    const { visitor, providerId } = await connectSupport(app);
    const fields = { name: 'Demo', clientId: CLIENT, expiresOn: IN_A_YEAR, secret: 'nonsense' };
    await visitor.post(`/providers/${providerId}/edit`, fields);
    await visitor.post(`/providers/${providerId}/discard-next`, {});
    expect(await row(app, providerId)).toMatchObject({ nextCredential: undefined, retired: [] });
    const versions = await app.vault.versionsOf(`provider-${providerId}`);
    expect(versions.filter(({ enabled }) => enabled)).toHaveLength(1);
    expect(await actions(app)).toContain('new credential discarded');
  });

  it('as a certificate is created by Postroom; the public certificate is downloaded, its key stays in the vault', async () => {
    const { app } = await start();
    const { visitor, providerId, account } = await connectSupport(app);
    const fields = { name: 'Demo', clientId: CLIENT, expiresOn: IN_A_YEAR, credential: 'certificate' };
    await visitor.post(`/providers/${providerId}/edit`, fields);
    const { html } = await visitor.get(`/providers/${providerId}`);
    const path = /href="(\/providers\/[^"]+\/certificates\/[0-9A-F]{40})"/.exec(html)?.[1] ?? '';
    const pem = (await visitor.get(path)).html;
    const certificate = new X509Certificate(pem);
    expect(path).toContain(certificate.fingerprint.replaceAll(':', ''));
    expect(pem).not.toContain('PRIVATE');
    // It waits for its upload, which is a step and no error.
    expect(html).toContain('Pending: you');
    expect(html).toContain('Upload the public certificate (.cer)');
    expect(html).not.toContain('AADSTS700027');
    expect(html).not.toContain('The new credential does not work yet');
    expect(JSON.stringify(app.tables.dump('Providers'))).not.toContain('PRIVATE');

    app.idp.setApp(CLIENT, { certificates: [pem], secrets: [] });
    app.seam.skewMs = 2 * 3_600_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(await row(app, providerId)).toMatchObject({
      credential: { kind: 'certificate' },
      nextCredential: undefined,
    });
    expect((await visitor.get(`/providers/${providerId}/certificates/${'0'.repeat(40)}`)).status).toBe(404);
  });

  it('of the managed identity is reported as missing if there is no identity', async () => {
    const { visitor } = await start();
    const providerId = await visitor.addDemoProvider();
    const fields = { name: 'Demo', clientId: CLIENT, credential: 'federated' };
    await visitor.post(`/providers/${providerId}/edit`, fields);
    const { html } = await visitor.get(`/providers/${providerId}`);
    expect(html).toContain('The managed identity returned no token');
  });
});

describe('Google', () => {
  it('has its own labels and no expiry date, which its secrets do not have', async () => {
    const { app, visitor } = await start();
    const { html } = await visitor.get('/providers/new?preset=google');
    expect(html).not.toContain('expiresOn');
    expect(html).not.toContain('Application (client) ID');
    expect(html).toContain('Authorized redirect URI');
    const fields = { preset: 'google', name: 'Workspace', clientId: 'x.apps.googleusercontent.com' };
    const saved = await visitor.post('/providers/new', { ...fields, secret: 'GOCSPX-not-a-real-one' });
    const id = /^\/providers\/([a-z2-7]{26})/.exec(saved.location ?? '')?.[1] ?? '';
    expect(await row(app, id)).toMatchObject({ credential: { kind: 'secret', expiresOn: undefined } });
    expect((await visitor.get('/providers')).html).toContain('Never expires');
  });
});

describe('another registration', () => {
  const OTHER = 'b0a7c1de-0000-4000-8000-00000000ffff';

  it('lists first who has to sign in again, and marks them when it is confirmed', async () => {
    const { app } = await start();
    const { visitor, providerId, account } = await connectSupport(app);
    const fields = { name: 'Demo', clientId: OTHER, secret: 'of-the-other', expiresOn: IN_A_YEAR };
    const asked = await visitor.post(`/providers/${providerId}/edit`, fields);
    expect(asked.status).toBe(422);
    expect(asked.html).toContain('href="#signInAgain"');
    expect(asked.html).toContain('<li>support@contoso.example</li>');
    expect((await row(app, providerId)).clientId).toBe(CLIENT);

    const confirmed = await visitor.post(`/providers/${providerId}/edit`, { ...fields, signInAgain: 'on' });
    expect(confirmed.status).toBe(303);
    expect(await row(app, providerId)).toMatchObject({
      clientId: OTHER,
      nextCredential: undefined,
      retired: [],
    });
    expect((await app.services.accounts.get(account))?.account).toMatchObject({
      state: 'action-required',
      problem: { code: 'provider-changed' },
    });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('action-required');
  });

  it('needs no confirmation for a new name', async () => {
    const { app } = await start();
    const { visitor, providerId, account } = await connectSupport(app);
    const fields = { name: 'Renamed', clientId: CLIENT };
    expect((await visitor.post(`/providers/${providerId}/edit`, fields)).status).toBe(303);
    expect((await app.services.accounts.get(account))?.account.state).toBe('ok');
    expect(await actions(app)).toContain('changed');
  });
});

describe('deleting', () => {
  it('shows what stops and requires the name', async () => {
    const { app } = await start();
    const { visitor, providerId } = await connectSupport(app);
    const page = await visitor.get(`/providers/${providerId}/delete`);
    expect(page.html).toContain('support@contoso.example');
    for (const name of ['', 'demo', 'Practic']) {
      const refused = await visitor.post(`/providers/${providerId}/delete`, { name });
      expect(refused.status, name).toBe(422);
    }
    expect(await app.services.providers.get(providerId)).toBeDefined();
    await visitor.post(`/providers/${providerId}/delete`, { name: ' Demo ' });
    expect(await app.services.providers.get(providerId)).toBeUndefined();
    expect(await app.services.accounts.listOf(providerId)).toEqual([]);
    expect(app.vault.versions.has(`provider-${providerId}`)).toBe(false);
    expect(await actions(app)).toContain('deleted');
  });
});
