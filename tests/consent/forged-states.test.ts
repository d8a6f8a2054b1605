import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consentCookie, consentKey } from '../../shared/consent/consent.ts';
import { INVITATION_COOKIES } from '../../shared/consent/invitation.ts';
import { changedTables } from '../harness/memory/promises.ts';
import { allRows, type DemoApp, ORIGIN, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let providerId: string;
let visitor: Visitor;

beforeAll(async () => {
  app = await startDemoApp();
  providerId = await new Visitor(app).addDemoProvider();
});
afterAll(() => app.stop());
beforeEach(() => {
  app.seam.skewMs = 0;
  visitor = new Visitor(app);
});

interface ConsentAttempt {
  browser: Visitor;
  callback: string;
  state: string;
  cookie: string;
}

async function tripOf(browser: Visitor, callback: string): Promise<ConsentAttempt> {
  const state = new URL(callback, ORIGIN).searchParams.get('state') ?? '';
  return { browser, callback, state, cookie: consentCookie(consentKey(state)) };
}

/** An attempt of a signed-in person, up to the callback. */
async function ownAttempt(provider = providerId, browser = visitor): Promise<ConsentAttempt> {
  const { callback } = await browser.leave(provider, { address: SUPPORT }, SUPPORT);
  return tripOf(browser, callback);
}

/** An attempt of an invitation holder, up to the callback. */
async function invitedAttempt(): Promise<ConsentAttempt> {
  const path = await visitor.invite(providerId, { address: SUPPORT });
  const browser = Visitor.signedOut(app);
  const { callback } = await browser.ride(await browser.post(path, {}), SUPPORT);
  return tripOf(browser, callback);
}

/** Name of the cookie with the token of the one invitation that this browser has opened. */
const invitationCookieOf = (browser: Visitor): string =>
  [...browser.jar.keys()].find((name) => name.startsWith(INVITATION_COOKIES)) ?? unreachable();

const withParameter = (callback: string, name: string, value: string): string => {
  const url = new URL(callback, ORIGIN);
  url.searchParams.set(name, value);
  return url.pathname + url.search;
};

/** Callbacks, and the browser that sends each; all are rejected before the state is used up. */
const refusedUnused: Readonly<
  Record<string, { title: string; attack: () => Promise<{ browser: Visitor; callback: string }> }>
> = {
  'no state at all': {
    title: 'Unknown sign-in',
    attack: async () => ({ browser: visitor, callback: '/oauth/callback?code=x' }),
  },
  'a state that nobody made': {
    title: 'Unknown sign-in',
    attack: async () => {
      const { callback } = await ownAttempt();
      return { browser: visitor, callback: withParameter(callback, 'state', 'A'.repeat(43)) };
    },
  },
  'a state that was cut': {
    title: 'Unknown sign-in',
    attack: async () => {
      const { callback, state } = await ownAttempt();
      return { browser: visitor, callback: withParameter(callback, 'state', state.slice(0, -1)) };
    },
  },
  'another browser': {
    title: 'This sign-in was started in another browser',
    attack: async () => ({ browser: new Visitor(app), callback: (await ownAttempt()).callback }),
  },
  'another browser that nobody is signed in to': {
    title: 'This sign-in was started in another browser',
    attack: async () => ({ browser: Visitor.signedOut(app), callback: (await ownAttempt()).callback }),
  },
  'the cookie of another attempt of the same browser': {
    title: 'This sign-in was started in another browser',
    attack: async () => {
      const [one, two] = [await ownAttempt(), await ownAttempt()];
      visitor.jar.set(one.cookie, visitor.jar.get(two.cookie) ?? '');
      return one;
    },
  },
  'another person in the same browser': {
    title: 'This sign-in was started by someone else',
    attack: async () => {
      const { callback } = await ownAttempt();
      const other = new Visitor(app, { id: 'mallory', roles: ['admin'] });
      for (const [name, value] of visitor.jar) other.jar.set(name, value);
      return { browser: other, callback };
    },
  },
  'the same browser, signed out': {
    title: 'You are signed out of Postroom',
    attack: async () => {
      const { callback } = await ownAttempt();
      const nobody = Visitor.signedOut(app);
      for (const [name, value] of visitor.jar) nobody.jar.set(name, value);
      return { browser: nobody, callback };
    },
  },
  'a person who is no admin any more': {
    title: 'You can no longer connect mailboxes',
    attack: async () => {
      const { callback } = await ownAttempt();
      const agent = new Visitor(app, { id: 'alex', roles: ['agent'] });
      for (const [name, value] of visitor.jar) agent.jar.set(name, value);
      return { browser: agent, callback };
    },
  },
  'a person who has no role any more': {
    title: 'You can no longer connect mailboxes',
    attack: async () => {
      const { callback } = await ownAttempt();
      const guest = new Visitor(app, { id: 'alex', roles: [] });
      for (const [name, value] of visitor.jar) guest.jar.set(name, value);
      return { browser: guest, callback };
    },
  },
  'an attempt by invitation in a browser that holds another invitation': {
    title: 'This sign-in was started in another browser',
    attack: async () => {
      const [one, two] = [await invitedAttempt(), await invitedAttempt()];
      const [own, other] = [invitationCookieOf(one.browser), invitationCookieOf(two.browser)];
      one.browser.jar.set(own, two.browser.jar.get(other) ?? '');
      return one;
    },
  },
  'an attempt by invitation in a browser that holds none': {
    title: 'This sign-in was started in another browser',
    attack: async () => {
      const attempt = await invitedAttempt();
      attempt.browser.jar.delete(invitationCookieOf(attempt.browser));
      return attempt;
    },
  },
  'an attempt by invitation in the browser of a signed-in person': {
    title: 'This sign-in was started in another browser',
    attack: async () => {
      const { callback, browser, cookie } = await invitedAttempt();
      visitor.jar.set(cookie, browser.jar.get(cookie) ?? '');
      return { browser: visitor, callback };
    },
  },
  'an attempt that took too long': {
    title: 'This sign-in took too long',
    attack: async () => {
      const attempt = await ownAttempt();
      app.seam.skewMs = 11 * 60_000;
      return attempt;
    },
  },
  'an attempt by invitation that took too long': {
    title: 'This sign-in took too long',
    attack: async () => {
      const attempt = await invitedAttempt();
      app.seam.skewMs = 11 * 60_000;
      return attempt;
    },
  },
  'an attempt that was finished': {
    title: 'Sign-in already processed',
    attack: async () => {
      const attempt = await ownAttempt();
      expect((await attempt.browser.get(attempt.callback)).status).toBe(303);
      return attempt;
    },
  },
  'a finished attempt in another browser': {
    title: 'Sign-in already processed',
    attack: async () => {
      const attempt = await ownAttempt();
      expect((await attempt.browser.get(attempt.callback)).status).toBe(303);
      return { browser: new Visitor(app), callback: attempt.callback };
    },
  },
  'an attempt that failed': {
    title: 'The request was damaged in transit',
    attack: async () => {
      const attempt = await ownAttempt();
      const foreign = withParameter(attempt.callback, 'code', 'made-up');
      expect((await attempt.browser.get(foreign)).status).toBe(400);
      return attempt;
    },
  },
  'a state of an invitation in the place of a code': {
    title: 'Unknown sign-in',
    attack: async () => {
      const { browser } = await invitedAttempt();
      const token = browser.jar.get(invitationCookieOf(browser)) ?? '';
      return { browser, callback: `/oauth/callback?${new URLSearchParams({ code: 'x', state: token })}` };
    },
  },
};

/** Errors detected after the state was used up: the consent is over, and nothing else was written. */
const refusedUsed: typeof refusedUnused = {
  'an answer that names another issuer': {
    title: 'The response could not be trusted',
    attack: async () => {
      const attempt = await ownAttempt();
      return { ...attempt, callback: withParameter(attempt.callback, 'iss', 'https://evil.example') };
    },
  },
  'a code of another attempt': {
    title: 'The sign-in was completed in a different window',
    attack: async () => {
      const [one, two] = [await ownAttempt(), await ownAttempt()];
      const code = new URL(two.callback, ORIGIN).searchParams.get('code') ?? '';
      return { ...one, callback: withParameter(one.callback, 'code', code) };
    },
  },
  'a code of another provider': {
    title: '',
    attack: async () => {
      const other = await startDemoApp();
      const stranger = new Visitor(other);
      const theirs = await stranger.leave(await stranger.addDemoProvider(), { address: SUPPORT }, SUPPORT);
      await other.stop();
      const attempt = await ownAttempt();
      const code = new URL(theirs.callback, ORIGIN).searchParams.get('code') ?? '';
      return { ...attempt, callback: withParameter(attempt.callback, 'code', code) };
    },
  },
  'no code': {
    title: 'The response could not be trusted',
    attack: async () => {
      const attempt = await ownAttempt();
      return { ...attempt, callback: `/oauth/callback?state=${attempt.state}` };
    },
  },
};

describe('no write is caused by', () => {
  it.each(Object.keys(refusedUnused))('%s', async (name) => {
    const { attack, title } = refusedUnused[name] ?? unreachable();
    const { browser, callback } = await attack();
    const before = allRows(app);
    const requests = app.idp.tokenRequests().length;
    const reply = await browser.get(callback);
    expect(reply.title).toBe(title);
    expect(reply.status).toBe(400);
    expect(reply.html).toContain('Nothing was ');
    expect(changedTables(before, allRows(app))).toEqual([]);
    expect(app.idp.tokenRequests().length).toBe(requests);
  });

  it.each(Object.keys(refusedUsed))('%s, except that the attempt is over', async (name) => {
    const { attack, title } = refusedUsed[name] ?? unreachable();
    const { browser, callback } = await attack();
    const before = allRows(app);
    const reply = await browser.get(callback);
    if (title !== '') expect(reply.title).toBe(title);
    expect(reply.status).toBe(400);
    const after = allRows(app);
    expect(changedTables(before, after)).toEqual(['P8: running again changed Consents']);
    expect(after.Consents).toHaveLength(before.Consents.length);
  });
});

describe('the page of a rejected callback', () => {
  it('shows a stranger nothing of the attempt', async () => {
    const { callback } = await ownAttempt();
    expect((await new Visitor(app).get(callback)).html).not.toContain(SUPPORT);
    await visitor.get(callback);
    expect((await new Visitor(app).get(callback)).html).not.toContain(SUPPORT);
  });

  it('of a form from another site is a page, too', async () => {
    const reply = await visitor.post('/oauth/callback', { code: 'x', state: 'y' });
    expect(reply.status).toBe(404);
    expect(reply.title).toBe('Page not found');
  });

  it('explains an error without a state by its code only', async () => {
    const query = new URLSearchParams({
      error: 'invalid_request',
      error_description:
        'AADSTS500113: No reply address is registered for the application. Trace ID: 61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200 Correlation ID: 7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200 Timestamp: 2026-11-24 01:42:11Z',
    });
    const before = allRows(app);
    const reply = await visitor.get(`/oauth/callback?${query}`);
    expect(reply.title).toBe('The app registration has no redirect URI');
    expect(reply.html).toContain('http://localhost:7071/oauth/callback');
    expect(reply.html).not.toContain('7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200');
    expect(reply.html).not.toContain('No reply address is registered');
    expect(changedTables(before, allRows(app))).toEqual([]);
  });

  const planted = 'deadbeef-aaaa-4bbb-8ccc-beefdeadbeef';
  it.each([
    ['a known number', { error: 'x', error_description: `AADSTS65001: Call +1 555. App ID '${planted}'` }],
    ['an unknown number', { error: 'x', error_description: `AADSTS123456: Call +1 555 ${planted}` }],
    ['a known code', { error: 'access_denied', error_description: `Call +1 555 ${planted}` }],
    ['an invented code', { error: `call_555_${planted}`, error_description: 'x' }],
    ['a code of the catalogue itself', { error: 'key-vault-denied', error_description: planted }],
    ['a code in capitals', { error: 'CALL_555', error_description: `${planted} Call +1 555` }],
    [
      'an approval without a state',
      {
        admin_consent: 'True',
        error: 'access_denied',
        error_description: `AADSTS65004: +1 555 ${planted}`,
        tenant: planted,
      },
    ],
    [
      'an approval with an invented state',
      { state: 'admin_x', error: 'x', error_description: `AADSTS65001: +1 555 ${planted}` },
    ],
  ])('shows no text of the sender: %s', async (_name, query) => {
    for (const browser of [Visitor.signedOut(app), visitor]) {
      const { html } = await browser.get(`/oauth/callback?${new URLSearchParams(query)}`);
      expect(html).not.toContain('555');
      expect(html).not.toContain(planted);
      expect(html).not.toContain('123456');
      expect(html).not.toContain('Key Vault');
    }
  });
});

function unreachable(): never {
  throw new Error('no such case');
}
