import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import {
  allRows,
  type DemoApp,
  ORIGIN,
  type Reply,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let visitor: Visitor;
let providerId: string;
const drawn: Record<string, string> = {};

beforeAll(async () => {
  app = await startDemoApp();
  visitor = new Visitor(app);
  providerId = await visitor.addDemoProvider();
});
afterAll(() => app.stop());
beforeEach(() => {
  app.idp.clearFaults();
  app.seam.around = undefined;
});

const leave = async (): Promise<string> =>
  (await visitor.leave(providerId, { address: SUPPORT }, SUPPORT)).callback;
const tokenAnswers = (status: number, body: unknown): void =>
  app.idp.addFault({ match: { path: 'token' }, status, body });
const refused = (code: number, error: string, status = 400): void =>
  tokenAnswers(status, aadstsBody(code, error, 'As Microsoft says it.'));

/** What the provider returns instead of a code. */
async function sentBack(error: string, description: string): Promise<string> {
  const state = new URL(await leave(), ORIGIN).searchParams.get('state') ?? '';
  return `/oauth/callback?${new URLSearchParams({ error, error_description: description, state })}`;
}

/** Each outside cause that fails an attempt: the page's title, the text it must contain, and how it is caused. */
const outcomes: Readonly<
  Record<string, { title: string; says: readonly string[]; arrange: () => Promise<string> }>
> = {
  'secret expired': {
    title: 'The client secret has expired',
    says: ['<dd>As Microsoft says it.</dd>', 'Certificates &amp; secrets', 'Start the sign-in again.'],
    arrange: async () => {
      const callback = await leave();
      refused(7000222, 'invalid_client', 401);
      return callback;
    },
  },
  'secret wrong': {
    title: 'The client secret is wrong',
    says: ['AADSTS7000215', 'Value'],
    arrange: async () => {
      const callback = await leave();
      refused(7000215, 'invalid_client', 401);
      return callback;
    },
  },
  'blocked by a policy': {
    title: 'Conditional Access blocks the sign-in',
    says: ['AADSTS53003', 'Correlation ID: 7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200', 'A tenant admin'],
    arrange: () =>
      sentBack(
        'access_denied',
        'AADSTS53003: Access has been blocked by Conditional Access policies. Trace ID: 61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200 Correlation ID: 7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200 Timestamp: 2026-11-24 01:42:11Z',
      ),
  },
  'a number that nobody knows': {
    title: '',
    says: ['AADSTS987654', 'The frobnication failed.', 'error?code=987654'],
    arrange: () => sentBack('server_error', 'AADSTS987654: The frobnication failed.'),
  },
  'an error without a number': {
    title: 'The provider refused the sign-in',
    says: ['Something strange', 'Try again'],
    arrange: () => sentBack('strange_error', 'Something strange'),
  },
  'a provider in trouble': {
    title: 'Microsoft’s sign-in service is having problems',
    says: ['Wait a minute, then start the sign-in again.'],
    arrange: async () => {
      const callback = await leave();
      refused(90033, 'temporarily_unavailable', 503);
      return callback;
    },
  },
  'a provider that hangs up': {
    title: 'The sign-in service does not respond',
    says: ['Nothing was changed', 'Try again'],
    arrange: async () => {
      const callback = await leave();
      app.idp.addFault({ match: { path: 'token' }, destroy: true });
      return callback;
    },
  },
  'a page in place of tokens': {
    title: '',
    says: ['Nothing was changed'],
    arrange: async () => {
      const callback = await leave();
      tokenAnswers(200, '<html>Your proxy says no</html>');
      return callback;
    },
  },
  'an answer that is empty': {
    title: '',
    says: ['Nothing was changed'],
    arrange: async () => {
      const callback = await leave();
      tokenAnswers(400, '');
      return callback;
    },
  },
  'a credential that is gone': {
    title: 'The credential is not in the key vault',
    says: ['Manage deleted secrets', 'Nothing was changed'],
    arrange: async () => {
      const callback = await leave();
      const provider = await app.services.providers.get(providerId);
      if (provider?.credential?.kind !== 'secret') throw new Error('no secret');
      const { vaultName } = provider.credential;
      const kept = await app.vault.get(vaultName);
      await app.vault.remove(vaultName);
      restore = async () => {
        if (kept !== undefined) await app.vault.set(vaultName, kept.value, { contentType: 'text/plain' });
      };
      return callback;
    },
  },
};
let restore: () => Promise<void> = async () => {};

describe('an attempt that fails from outside', () => {
  it.each(Object.keys(outcomes))('ends on a page that says so: %s', async (name) => {
    const { title, says, arrange } = outcomes[name] ?? unreachable();
    const callback = await arrange();
    const { Accounts: before } = allRows(app);
    const reply: Reply = await visitor.get(callback);
    await restore();
    restore = async () => {};
    expect(reply.status).toBe(400);
    if (title !== '') expect(reply.title).toBe(title);
    for (const words of says) expect(reply.html).toContain(words);
    expect(reply.html).toContain(`/providers/${providerId}/connect?address=${encodeURIComponent(SUPPORT)}`);
    expect(reply.html).not.toContain('Something went wrong');
    expect(allRows(app).Accounts).toEqual(before);
    drawn[name] = reply.html;
  });

  it('ends on complete, accessible pages', async () => {
    expect(Object.keys(drawn)).toEqual(Object.keys(outcomes));
    const nobody = Visitor.signedOut(app);
    const callback = await leave();
    for (const [name, value] of visitor.jar) nobody.jar.set(name, value);
    drawn['signed out meanwhile'] = (await nobody.get(callback)).html;
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});

function unreachable(): never {
  throw new Error('no such case');
}
