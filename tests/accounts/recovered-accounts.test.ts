/** Failures that are fixed at the provider: Postroom recovers automatically, and retries rarely until then. */
import { afterEach, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import type { Account } from '../../shared/accounts/account.ts';
import {
  AT_MAIL,
  connectSupport,
  type DemoApp,
  startDemoApp,
  type Visitor,
} from '../harness/pages/demo-app.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

interface Postroom {
  app: DemoApp;
  account: Account;
  providerId: string;
  visitor: Visitor;
  /** How often the provider was asked for a fresh token, including refusals. */
  asked(): number;
  row(): Promise<Account>;
}

/** A connected mailbox whose token is due for a refresh. */
async function postroom(): Promise<Postroom> {
  const app = await startDemoApp();
  apps.push(app);
  const { account, providerId, visitor } = await connectSupport(app);
  let asked = 0;
  app.seam.around = async (point, effect) => {
    if (point === 'token.refresh') asked += 1;
    return effect();
  };
  app.seam.skewMs = 2 * HOUR;
  const row = async (): Promise<Account> => {
    const stored = await app.services.accounts.get(account);
    if (stored === undefined) throw new Error('no row');
    return stored.account;
  };
  return { app, account, providerId, visitor, asked: () => asked, row };
}

/** Refuses refreshes until `clearFaults`. The preflight, which requests a token for the app itself, succeeds. */
function refuse(app: DemoApp, code: number, error: string, sentence: string, suberror?: string): void {
  app.idp.addFault({
    match: { path: 'token', params: { grant_type: 'refresh_token' } },
    times: 99,
    status: 400,
    body: aadstsBody(code, error, sentence, suberror === undefined ? {} : { suberror }),
  });
}

const kindOf = async ({ app, account }: Postroom): Promise<string> =>
  (await app.services.accessTokens.get(account, AT_MAIL)).kind;

describe.each([
  [7000112, 'unauthorized_client', 'Application is disabled.'],
  [700213, 'invalid_client', 'No matching federated identity record found.'],
  [50012, 'invalid_client', 'Client assertion contains an invalid signature.'],
  [
    650057,
    'invalid_resource',
    'Invalid resource. The client has requested access to a resource which is not listed.',
  ],
])('after AADSTS%i', (code, error, sentence) => {
  it('the account requires a person, and works again within a quarter of an hour of the fix, without a click', async () => {
    const all = await postroom();
    const { app, row } = all;
    refuse(app, code, error, sentence);
    expect(await kindOf(all)).toBe('action-required');
    expect(await row()).toMatchObject({ state: 'action-required', problem: { code: `AADSTS${code}` } });
    app.idp.clearFaults();
    app.seam.skewMs = 2 * HOUR + 14 * MINUTE;
    expect(await kindOf(all)).toBe('action-required');
    app.seam.skewMs = 2 * HOUR + 15 * MINUTE;
    expect(await kindOf(all)).toBe('token');
    expect(await row()).toMatchObject({ state: 'ok', problem: undefined, retryAt: undefined });
  });

  it('a successful “Check now” at the provider lets the next fetch work', async () => {
    const all = await postroom();
    const { app, providerId, visitor } = all;
    const before = await app.services.providers.get(providerId);
    expect(before?.preflight).toMatchObject({ credential: 'proven' });
    refuse(app, code, error, sentence);
    expect(await kindOf(all)).toBe('action-required');
    app.idp.clearFaults();
    await visitor.post(`/providers/${providerId}/check`, {});
    expect(await kindOf(all)).toBe('token');
  });
});

describe('a lasting refusal', () => {
  it('is retried less and less often, finally at most four times a day', async () => {
    const all = await postroom();
    const { app, asked } = all;
    refuse(app, 7000112, 'unauthorized_client', 'Application is disabled.');
    for (let minutes = 0; minutes <= 48 * 60; minutes += 5) {
      app.seam.skewMs = 2 * HOUR + minutes * MINUTE;
      expect(await kindOf(all)).toBe('action-required');
    }
    // After 0, 15 and 45 minutes, 1 h 45, 3 h 45, 7 h 45, and then every 6 hours.
    expect(asked()).toBeLessThanOrEqual(13);
    expect(asked()).toBeGreaterThanOrEqual(11);
  });

  it('of a failed check triggers no retry', async () => {
    const all = await postroom();
    const { app, providerId, visitor, asked } = all;
    refuse(app, 7000112, 'unauthorized_client', 'Application is disabled.');
    await kindOf(all);
    app.idp.addFault({
      match: { path: 'token', params: { grant_type: 'client_credentials' } },
      status: 400,
      body: aadstsBody(7000112, 'unauthorized_client', 'Application is disabled.'),
    });
    await visitor.post(`/providers/${providerId}/check`, {});
    expect(await kindOf(all)).toBe('action-required');
    expect(asked()).toBe(1);
  });

  it('of an ended grant is never retried, whatever is checked and however long it lasts', async () => {
    const all = await postroom();
    const { app, providerId, visitor, asked, row } = all;
    app.idp.revokeUser('support@contoso.example');
    expect(await kindOf(all)).toBe('action-required');
    expect(asked()).toBe(1);
    expect(await row()).toMatchObject({ retryAt: undefined, refusedAsOf: undefined });
    await visitor.post(`/providers/${providerId}/check`, {});
    for (const days of [1, 7, 60]) {
      app.seam.skewMs = days * 24 * HOUR;
      expect(await kindOf(all)).toBe('action-required');
    }
    expect(asked()).toBe(1);
  });

  it.each([
    ['invalid_request', 'bad_token'],
    ['invalid_request', 'ui_not_allowed'],
    ['invalid_scope', 'consent_required'],
    ['invalid_request', 'token_expired'],
  ])('as %s with the suberror %s is one of the grant', async (error, suberror) => {
    const all = await postroom();
    refuse(all.app, 987654, error, 'Refused.', suberror);
    expect(await kindOf(all)).toBe('action-required');
    expect(await all.row()).toMatchObject({ retryAt: undefined, refusedAsOf: undefined });
  });

  it('as invalid_grant with message_only, which no sign-in fixes, recovers once the cause is fixed', async () => {
    const all = await postroom();
    refuse(all.app, 987654, 'invalid_grant', 'Blocked by your organization.', 'message_only');
    expect(await kindOf(all)).toBe('action-required');
    all.app.idp.clearFaults();
    all.app.seam.skewMs = 2 * HOUR + 15 * MINUTE;
    expect(await kindOf(all)).toBe('token');
  });

  it('without an OAuth error is temporary for a day, then says where to look, and still recovers automatically', async () => {
    const all = await postroom();
    const { app, row } = all;
    app.idp.addFault({ match: { path: 'token' }, times: 9999, status: 403, body: { message: 'blocked' } });
    for (let minutes = 0; minutes < 23 * 60; minutes += 20) {
      app.seam.skewMs = 2 * HOUR + minutes * MINUTE;
      expect(await kindOf(all)).toBe('retrying');
    }
    app.seam.skewMs = 27 * HOUR;
    expect(await kindOf(all)).toBe('action-required');
    expect((await row()).problem).toMatchObject({
      code: 'http-403',
      message: expect.stringContaining('proxy'),
    });
    app.seam.skewMs = 28 * HOUR;
    expect(await kindOf(all)).toBe('action-required');
    app.idp.clearFaults();
    app.seam.skewMs = 34 * HOUR;
    expect(await kindOf(all)).toBe('token');
  });
});

describe('an outage without Retry-After', () => {
  it('causes a bounded number of requests, however many mailboxes need a token each minute', async () => {
    const all = await postroom();
    const { app, asked } = all;
    app.idp.addFault({ match: { path: 'token' }, times: 9999, status: 503, body: {} });
    for (let minutes = 0; minutes < 240; minutes++) {
      app.seam.skewMs = 2 * HOUR + minutes * MINUTE;
      for (const process of [app.services, app.another(), app.another()])
        expect((await process.accessTokens.get(all.account, AT_MAIL)).kind).toBe('retrying');
    }
    // Doubling from half a minute to half an hour: 7 in the first hour, at most 2 in each later one.
    expect(asked()).toBeLessThanOrEqual(14);
    expect(asked()).toBeGreaterThanOrEqual(10);
  });

  it('during the last minutes of a valid token does not cause a request per fetch', async () => {
    const all = await postroom();
    const { app, asked, account } = all;
    app.idp.addFault({ match: { path: 'token' }, times: 9999, status: 503, body: {} });
    const end = Date.parse(account.tokens.accessExpiresAt);
    for (let seconds = 605; seconds > 5; seconds -= 20) {
      // From the end of the token, and not from now: a busy machine must not come too late for it.
      app.seam.skewMs = end - seconds * 1000 - Date.now();
      expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    }
    expect(asked()).toBeLessThanOrEqual(5);
    expect(asked()).toBeGreaterThanOrEqual(3);
  });

  it('is retried at once when a person requests it', async () => {
    const all = await postroom();
    const { app, account, asked } = all;
    app.idp.addFault({ match: { path: 'token' }, times: 1, status: 503, body: {} });
    expect(await kindOf(all)).toBe('retrying');
    expect((await app.services.accessTokens.renew(account, { again: true })).kind).toBe('token');
    expect(asked()).toBe(2);
  });

  it('caused by a request loop (AADSTS50196) pauses requests for ten minutes', async () => {
    const all = await postroom();
    const { app, asked } = all;
    refuse(
      app,
      50196,
      'invalid_grant',
      'The server terminated an operation because it encountered a client request loop.',
    );
    expect(await kindOf(all)).toBe('retrying');
    app.idp.clearFaults();
    app.seam.skewMs = 2 * HOUR + 9 * MINUTE + 50_000;
    expect(await kindOf(all)).toBe('retrying');
    expect(asked()).toBe(1);
    app.seam.skewMs = 2 * HOUR + 10 * MINUTE;
    expect(await kindOf(all)).toBe('token');
  });

  it('does not hide that an earlier refresh was interrupted before its response was stored', async () => {
    const all = await postroom();
    const { app, account } = all;
    const { etag, account: before } = (await app.services.accounts.get(account)) ?? { etag: '', account };
    await app.services.accounts.replace({ ...before, refreshBegunAt: '2026-01-01T00:00:00.000Z' }, etag);
    app.idp.addFault({ match: { path: 'token' }, times: 1, status: 503, body: {} });
    expect(await kindOf(all)).toBe('retrying');
    app.idp.revokeUser('support@contoso.example');
    app.seam.skewMs = 3 * HOUR;
    const answer = await app.services.accessTokens.get(account, AT_MAIL);
    expect(answer.kind === 'action-required' && answer.message).toContain(
      'was stopped before the response was stored',
    );
  });
});
