import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import {
  AT_MAIL,
  connectSupport,
  type DemoApp,
  ORIGIN,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let visitor: Visitor;
let providerId: string;

beforeAll(async () => {
  app = await startDemoApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  app.idp.clearFaults();
  app.seam.skewMs = 0;
  app.seam.around = undefined;
  visitor = new Visitor(app);
  providerId = await visitor.addDemoProvider();
});

const accounts = () => app.services.accounts.listOf(providerId);
const tokenRequests = (): number => app.idp.tokenRequests().length;

describe('the redirect to the provider', () => {
  it('contains the scopes of the usual ways, state, nonce, PKCE and a login hint, without a prompt', async () => {
    const { authorization } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const asked = authorization.searchParams;
    expect(asked.get('scope')).toBe(
      'https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send openid profile email offline_access',
    );
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('state')?.length).toBe(43);
    expect(asked.get('nonce')?.length).toBe(43);
    expect(asked.get('login_hint')).toBe(SUPPORT);
    expect(asked.has('prompt')).toBe(false);
    expect(asked.get('redirect_uri')).toBe(`${ORIGIN}/oauth/callback`);
  });

  it('requests the account picker without a hint if another account is wanted', async () => {
    const { authorization } = await visitor.leave(providerId, { address: SUPPORT, choose: 'on' }, SUPPORT);
    expect(authorization.searchParams.get('prompt')).toBe('select_account');
    expect(authorization.searchParams.has('login_hint')).toBe(false);
  });

  it('contains fewer scopes if requested', async () => {
    const fields = { address: SUPPORT, ways: 'yes', imap: 'on' };
    const { authorization } = await visitor.leave(providerId, fields, SUPPORT);
    expect(authorization.searchParams.get('scope')).toBe(
      'https://outlook.office.com/IMAP.AccessAsUser.All openid profile email offline_access',
    );
  });

  it('keeps the entered values if the address is invalid', async () => {
    const reply = await visitor.post(`/providers/${providerId}/connect`, {
      address: 'supp ort',
      who: 'self',
    });
    expect(reply.status).toBe(422);
    expect(reply.html).toContain('supp ort');
    expect(reply.html).toContain('Enter the address of the mailbox');
  });

  it('stores no state, verifier, nonce or cookie in plain text', async () => {
    const { authorization } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const rows = JSON.stringify(app.tables.dump('Consents'));
    for (const secret of [
      authorization.searchParams.get('state'),
      authorization.searchParams.get('nonce'),
      ...visitor.jar.values(),
    ])
      expect(rows).not.toContain(secret);
  });
});

describe('the callback', () => {
  it('connects the account, with its tokens encrypted, and continues to the mailbox', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const reply = await visitor.get(callback);
    expect(reply.status, reply.html).toBe(303);
    const [account] = await accounts();
    expect(reply.location).toBe(`/mailboxes/new?account=${providerId}.${account?.accountId}&flash=connected`);
    expect(account).toMatchObject({ user: SUPPORT, address: SUPPORT, state: 'ok', consentedBy: 'alex' });
    const token = await app.services.accessTokens.get(
      { providerId, accountId: account?.accountId ?? '' },
      AT_MAIL,
    );
    if (token.kind !== 'token') throw new Error(token.message);
    expect(token.user).toBe(SUPPORT);
    expect(token.token.expose().split('.')).toHaveLength(3);
    expect(JSON.stringify(app.tables.dump('Accounts'))).not.toContain(token.token.expose());
  });

  it('names both accounts if a different one signed in, saves nothing, and connects it as a shared mailbox on request', async () => {
    const { callback } = await visitor.leave(
      providerId,
      { address: 'info@contoso.example', choose: 'on' },
      SUPPORT,
    );
    const reply = await visitor.get(callback);
    expect(reply.status).toBe(400);
    expect(reply.title).toBe('Wrong account');
    expect(reply.html).toContain('info@contoso.example');
    expect(reply.html).toContain(SUPPORT);
    expect(reply.html).toContain('This is a shared mailbox');
    expect(await accounts()).toEqual([]);

    const shared = { address: 'info@contoso.example', who: 'shared', signIn: SUPPORT };
    const again = await visitor.leave(providerId, shared, SUPPORT);
    expect((await visitor.get(again.callback)).status).toBe(303);
    expect(await accounts()).toMatchObject([{ user: SUPPORT, address: 'info@contoso.example' }]);
  });

  it('reports that access was declined', async () => {
    const fresh = await startDemoApp();
    const person = new Visitor(fresh);
    const id = await person.addDemoProvider();
    const { callback } = await person.leave(id, { address: SUPPORT }, 'cancel');
    const reply = await person.get(callback);
    await fresh.stop();
    expect(reply.title).toBe('The permissions were declined');
    expect(reply.html).toContain('AADSTS65004');
    expect(reply.html).toContain('Select “Accept” on Microsoft’s page.');
  });

  it('accepts a state once: a second tab and the back button are told so, without a second token request', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const before = tokenRequests();
    const replies = await Promise.all([visitor.get(callback), visitor.get(callback)]);
    expect(replies.map(({ status }) => status).sort()).toEqual([303, 400]);
    expect((await visitor.get(callback)).title).toBe('Sign-in already processed');
    expect(tokenRequests()).toBe(before + 1);
  });

  it('rejects another browser without using the state up', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const reply = await new Visitor(app).get(callback);
    expect(reply.title).toBe('This sign-in was started in another browser');
    expect((await visitor.get(callback)).status).toBe(303);
  });

  it('rejects another user and an anonymous visitor, and the original user can finish after a new sign-in', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const other = new Visitor(app, { id: 'mallory', roles: ['admin'] });
    for (const [name, value] of visitor.jar) other.jar.set(name, value);
    expect((await other.get(callback)).title).toBe('This sign-in was started by someone else');
    const signedOut = Visitor.signedOut(app);
    for (const [name, value] of visitor.jar) signedOut.jar.set(name, value);
    const refused = await signedOut.get(callback);
    expect(refused.title).toBe('You are signed out of Postroom');
    expect(refused.html).toContain('Sign in to Postroom, then start again.');
    const again = `/providers/${providerId}/connect?address=${encodeURIComponent(SUPPORT)}`;
    expect(refused.html).toContain(`href="${again}"`);
    expect((await signedOut.get(again)).location).toBe(
      `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(again)}`,
    );
    expect((await visitor.get(callback)).status).toBe(303);
  });

  it('rejects a state that is missing, invented, or older than ten minutes', async () => {
    expect((await visitor.get('/oauth/callback?code=x')).title).toBe('Unknown sign-in');
    expect((await visitor.get('/oauth/callback?code=x&state=made-up')).title).toBe('Unknown sign-in');
    expect((await visitor.get('/oauth/callback')).title).toBe('Unknown sign-in');
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    app.seam.skewMs = 11 * 60_000;
    const before = tokenRequests();
    expect((await visitor.get(callback)).title).toBe('This sign-in took too long');
    expect(tokenRequests()).toBe(before);
    expect(await accounts()).toEqual([]);
  });

  it('never sends a foreign code to the provider', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const foreign = new URL(callback, ORIGIN);
    const other = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    foreign.searchParams.set('code', new URL(other.callback, ORIGIN).searchParams.get('code') ?? '');
    const reply = await visitor.get(foreign.pathname + foreign.search);
    expect(reply.status).toBe(400);
    expect(reply.html).toContain('AADSTS501481');
    expect(await accounts()).toEqual([]);
  });

  it('rejects a response that names another issuer before any token request', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const before = tokenRequests();
    const reply = await visitor.get(`${callback}&iss=${encodeURIComponent('https://evil.example')}`);
    expect(reply.title).toBe('The response could not be trusted');
    expect(tokenRequests()).toBe(before);
  });

  it.each([
    ['invalid_client', 7000222, 401, 'The client secret has expired'],
    ['invalid_grant', 54005, 400, 'The sign-in was already used'],
    ['temporarily_unavailable', 90033, 503, 'Microsoft’s sign-in service is having problems'],
  ])('explains %s (AADSTS%i)', async (error, code, status, title) => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const body = aadstsBody(code, error, 'Because of that.');
    app.idp.addFault({ match: { path: 'token' }, status, body });
    const reply = await visitor.get(callback);
    expect(reply.title).toBe(title);
    expect(reply.html).toContain(`AADSTS${code}`);
    expect(reply.html).toContain('Because of that.');
    expect(reply.html).toContain(
      `AADSTS${code}, Correlation ID: ${body.correlation_id}, Trace ID: ${body.trace_id}, Timestamp: ${body.timestamp}`,
    );
    expect(await accounts()).toEqual([]);
  });

  it('survives a provider that closes the connection, and unknown errors', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    app.idp.addFault({ match: { path: 'token' }, destroy: true });
    expect((await visitor.get(callback)).title).toBe('The sign-in service does not respond');
    const again = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const state = new URL(again.callback, ORIGIN).searchParams.get('state') ?? '';
    const reply = await visitor.get(
      `/oauth/callback?${new URLSearchParams({ state, error: 'strange', error_description: '<script>alert(1)</script>' })}`,
    );
    expect(reply.title).toBe('The provider refused the sign-in');
    expect(reply.html).not.toContain('<script>alert');
  });

  it('reconnects a mailbox only with its own account', async () => {
    const connected = await connectSupport(app);
    const mailbox = {
      id: 'a'.repeat(26),
      address: SUPPORT,
      protocol: 'imap' as const,
      host: 'localhost',
      port: 1,
      folder: 'INBOX',
      providerId: connected.providerId,
      accountId: connected.account.accountId,
      enabled: true,
      intervalMinutes: 1,
      afterFetch: { kind: 'mark-seen' as const },
      createdAt: '2026-11-24T00:00:00.000Z',
    };
    await app.services.mailboxes.save(mailbox);
    const fields = { address: SUPPORT, mailbox: mailbox.id, choose: 'on' };
    const wrong = await connected.visitor.leave(connected.providerId, fields, 'alex@contoso.example');
    expect((await connected.visitor.get(wrong.callback)).title).toBe('Wrong account');
    const right = await connected.visitor.leave(connected.providerId, fields, SUPPORT);
    expect((await connected.visitor.get(right.callback)).location).toBe(`/mailboxes/${mailbox.id}/connected`);
  });
});
