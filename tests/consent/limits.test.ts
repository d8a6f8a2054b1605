import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { newState } from '../../shared/accounts/oauth-client.ts';
import { consentKey } from '../../shared/consent/consent.ts';
import { purgeConsents } from '../../shared/consent/purge-consents.ts';
import {
  addressOf,
  allRows,
  type DemoApp,
  type Reply,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const apps: DemoApp[] = [];
let app: DemoApp;
let admin: Visitor;
let providerId: string;

beforeEach(async () => {
  app = await startDemoApp();
  apps.push(app);
  admin = new Visitor(app);
  providerId = await admin.addDemoProvider();
});
afterAll(async () => {
  await Promise.all(apps.map((one) => one.stop()));
});

const invited = (): Promise<string> => admin.invite(providerId, { address: SUPPORT });
const TOO_MANY = 'Too many open sign-ins';
const consentRows = () => app.tables.open('Consents').list('consent', { limit: 1000 });

/** A browser that has opened the link, and the URL that starts an attempt from there. */
async function opened(link: string): Promise<{ owner: Visitor; start: () => Promise<Reply> }> {
  const owner = Visitor.signedOut(app);
  await owner.get(link);
  return { owner, start: () => owner.post(addressOf(link), {}) };
}

describe('an invitation', () => {
  it('has at most five attempts in progress; the sixth is told what to do, and writes nothing', async () => {
    const { start } = await opened(await invited());
    for (let attempt = 1; attempt <= 5; attempt++) expect((await start()).status).toBe(200);
    const before = allRows(app);
    const sixth = await start();
    expect([sixth.status, sixth.title]).toEqual([429, TOO_MANY]);
    expect(sixth.html).toContain('wait 10 minutes');
    expect(allRows(app)).toEqual(before);
    app.seam.skewMs = 11 * MINUTE_MS;
    expect((await start()).status).toBe(200);
  });

  it('does not count attempts that have returned, so that a person may fail any number of times', async () => {
    const link = await invited();
    const { owner, start } = await opened(link);
    for (let attempt = 1; attempt <= 7; attempt++) {
      const { callback } = await owner.ride(await start(), 'alex@contoso.example');
      expect((await owner.get(callback)).title).toBe('Wrong account');
    }
    const { callback } = await owner.ride(await start(), SUPPORT);
    expect((await owner.get(callback)).title).toBe('Done, you can close this page');
  });

  it('keeps its limit under concurrent starts, and still connects', async () => {
    const link = await invited();
    const { owner } = await opened(link);
    const first = await owner.ride(await owner.post(addressOf(link), {}), SUPPORT);
    const replies = await Promise.all(
      Array.from({ length: 40 }, async () => (await (await opened(link)).start()).status),
    );
    expect(new Set(replies)).toEqual(new Set([200, 429]));
    expect((await consentRows()).length).toBeLessThanOrEqual(5);
    expect((await owner.get(first.callback)).title).toBe('Done, you can close this page');
  });

  it('can be used and revoked while attempts start with it', async () => {
    const link = await invited();
    const { start } = await opened(link);
    const [invitation] = await app.services.invitations.list();
    const [revoked] = await Promise.all([
      admin.post(`/invitations/${invitation?.key}/revoke`, {}),
      start(),
      start(),
    ]);
    expect(revoked?.location).toBe('/invitations?flash=revoked');
    expect((await start()).title).toBe('This invitation was revoked');
  });
});

describe('with 1,500 sign-ins in the table', () => {
  beforeEach(async () => {
    await invited();
    const [invitation] = await app.services.invitations.list();
    if (invitation === undefined) throw new Error('no invitation');
    for (let row = 0; row < 1500; row++) {
      const startedAt = new Date(app.seam.now() - row * MINUTE_MS);
      await app.services.consents.add({
        key: consentKey(newState().expose()),
        connectRequest: invitation.connectRequest,
        startedBy: { kind: 'principal', id: 'alex' },
        registration: '',
        browserHash: 'x',
        sealedState: '',
        sealedVerifier: '',
        sealedNonce: '',
        startedAt: startedAt.toISOString(),
        expiresAt: new Date(startedAt.getTime() - 2 * DAY_MS).toISOString(),
        usedAt: undefined,
      });
    }
    expect((await consentRows()).length).toBe(1000);
  });

  it('a start reads single rows and no list', async () => {
    const lists: string[] = [];
    app.seam.around = (point, effect) => {
      if (point.startsWith('table.') && point.includes('list')) lists.push(point);
      return effect();
    };
    const { start } = await opened(await invited());
    expect((await start()).status).toBe(200);
    const started = await admin.post(`/providers/${providerId}/connect`, { address: SUPPORT, who: 'self' });
    expect(started.location).toMatch(/^\/connect\//);
    // The list of mailboxes and the like belong to other pages.
    expect(lists).toEqual([]);
  });

  it('the timer removes expired ones once an hour, and keeps the rest', async () => {
    const { start } = await opened(await invited());
    await start();
    const purgeAt = (minute: number): Promise<void> => {
      const now = app.seam.now();
      const hour = Math.ceil(now / (60 * MINUTE_MS)) * 60 * MINUTE_MS;
      return purgeConsents({ ...app.services, seam: { now: () => hour + minute * MINUTE_MS } });
    };
    await purgeAt(16);
    expect((await consentRows()).length).toBe(1000);
    await purgeAt(17);
    expect(await consentRows()).toHaveLength(1);
    expect(await app.services.invitations.list()).toHaveLength(2);
  });
});
