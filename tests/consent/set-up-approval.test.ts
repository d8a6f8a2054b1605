import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { allRows, type DemoApp, ORIGIN, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { tenant } from '../harness/stack/demo-directory.ts';

const apps: DemoApp[] = [];
let app: DemoApp;
let visitor: Visitor;
let admin: Visitor;
let providerId: string;

beforeEach(async () => {
  app = await startDemoApp({ tenants: [tenant({ userConsent: false })] });
  apps.push(app);
  visitor = new Visitor(app);
  admin = Visitor.signedOut(app);
  providerId = await visitor.addDemoProvider();
});
afterAll(async () => {
  await Promise.all(apps.map((one) => one.stop()));
});

const page = () => visitor.get(`/providers/${providerId}`);
const linkOn = (html: string): string =>
  (/value="(http[^"]+adminconsent[^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&');
const stateOn = async (): Promise<string> =>
  new URL(linkOn((await page()).html)).searchParams.get('state') ?? '';
const accept = (link: string) => admin.walk(link, 'alex@contoso.example');
/** Of the steps that the link is about. */
const steps = async (): Promise<(string | undefined)[]> => {
  const found = [...(await page()).html.matchAll(/<li class="step-(\w+)">/g)].map(([, state]) => state);
  return [found[2], found[3]];
};
const answerWith = (query: Record<string, string>) =>
  admin.get(
    `/oauth/callback?${new URLSearchParams({ admin_consent: 'True', tenant: app.idp.tenants[0]?.id ?? '', ...query })}`,
  );

describe('the admin consent link of set-up', () => {
  it('leads an admin to all permissions and back here, with a state of its own kind', async () => {
    const asked = new URL(linkOn((await page()).html)).searchParams;
    expect(asked.get('redirect_uri')).toBe(`${ORIGIN}/oauth/callback`);
    expect(asked.get('scope')).toContain('SMTP.Send');
    expect(asked.get('state')).toMatch(/^setup_[a-z2-7]{26}_[\w-]{43}$/);
  });

  it('is recorded when it is granted: permissions and redirect URI are proven, and the audit log has it', async () => {
    expect(await steps()).toEqual(['unseen', 'unseen']);
    const granted = await admin.get(await accept(linkOn((await page()).html)));
    expect([granted.status, granted.title]).toEqual([200, 'Thank you, access is granted']);
    expect(granted.html).not.toContain('href="/providers"');
    expect(await steps()).toEqual(['proven', 'reported']);
    const after = (await page()).html;
    expect(after).toContain('Admin consent was reported');
    expect(linkOn(after)).toBe('');
    const { entries } = await app.services.audit.page({ kind: 'provider', limit: 10 });
    expect(entries.filter(({ action }) => action === 'consent reported')).toHaveLength(1);
  });

  it('stays the same link for a week', async () => {
    const first = await stateOn();
    expect(await stateOn()).toBe(first);
    app.seam.skewMs = 8 * 86_400_000;
    expect((await answerWith({ state: first })).title).toBe('This link has expired');
    expect(await stateOn()).not.toBe(first);
  });

  it('shows the success again when it is followed again, and writes nothing then', async () => {
    const callback = await accept(linkOn((await page()).html));
    await admin.get(callback);
    const before = allRows(app);
    expect((await admin.get(callback)).status).toBe(200);
    expect(allRows(app)).toEqual(before);
  });

  it.each([
    [
      'with an invented state',
      (state: string) => ({ state: `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}` }),
      'Unknown link',
    ],
    [
      'of a provider that is none',
      (state: string) => ({ state: state.replace(/_[a-z2-7]{26}_/, `_${'a'.repeat(26)}_`) }),
      'Unknown link',
    ],
    [
      'of another organization',
      (state: string) => ({ state, tenant: '11111111-2222-4333-8444-555555555555' }),
      'Wrong organization',
    ],
    ['that says False', (state: string) => ({ state, admin_consent: 'False' }), 'Access was not granted'],
    [
      'with an error beside it',
      (state: string) => ({ state, error: 'access_denied' }),
      'Access was not granted',
    ],
  ])('accepts no callback %s', async (_, query, title) => {
    const state = await stateOn();
    const before = allRows(app);
    const reply = await answerWith(query(state));
    expect([reply.status, reply.title]).toEqual([400, title]);
    expect(allRows(app)).toEqual(before);
  });

  it('is valid only for the registration it was created for', async () => {
    const state = await stateOn();
    await app.services.providers.change(providerId, (now) => ({ ...now, clientId: 'another' }));
    expect((await answerWith({ state })).title).toBe('This link has expired');
    expect((await app.services.providers.get(providerId))?.approvedAt).toBeUndefined();
  });

  it('also exists without the vault, then without a state', async () => {
    app.seam.around = (point, effect) => {
      if (point.startsWith('vault.')) throw new Error('no vault');
      return effect();
    };
    const fresh = new Visitor({ ...app, services: app.another() });
    const { status, html } = await fresh.get(`/providers/${providerId}`);
    expect(status).toBe(200);
    expect(linkOn(html)).toContain('redirect_uri=');
    expect(linkOn(html)).not.toContain('state=');
  });

  it('is deleted with its provider', async () => {
    await stateOn();
    await visitor.post(`/providers/${providerId}/delete`, { name: 'Demo' });
    expect(await app.services.setUpApprovals.get(providerId)).toBeUndefined();
  });

  it('has complete, accessible pages', async () => {
    const link = linkOn((await page()).html);
    const drawn: Record<string, string> = {
      'the checklist with the link': (await page()).html,
      'set-up approval declined': (await admin.get(await admin.walk(link, 'cancel'))).html,
      'set-up approval granted': (await admin.get(await accept(link))).html,
      'the checklist after it': (await page()).html,
    };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
