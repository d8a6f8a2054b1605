/** Errors in the demo of `npm start` name the demo's servers, not Microsoft. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import { ALEX, connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SUPPORT = 'support@contoso.example';
const MAILBOX = 'm'.repeat(26);
const EXPIRED =
  'AADSTS7000222: The provided client secret keys are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.';

let app: DemoApp;
let visitor: Visitor;
let account: Account;

beforeAll(async () => {
  app = await startDemoApp({}, { isShownAsDemo: true });
  ({ account } = await connectSupport(app));
  const verifyMailbox = () => Promise.reject(new Error('not opened here'));
  visitor = new Visitor(app, ALEX, { verifyMailbox });
  await app.services.mailboxes.save(mailboxOf(account));
});
afterAll(() => app.stop());
afterEach(() => app.idp.clearFaults());

/** The visible text and the targets of the links, without identifiers such as table names. */
function expectOfDemo(html: string): void {
  expect(html.match(/.{0,80}(?:Microsoft|Entra\b|Exchange).{0,40}/g) ?? []).toEqual([]);
  expect(html.match(/https?:\/\/[^"\s]*(?:microsoft|azure|aka\.ms)[^"\s]*/g) ?? []).toEqual([]);
}

/** The callback of a sign-in whose code the token endpoint answers with an error. */
async function refusedTrip(code: number, error: string, sentence: string): Promise<string> {
  const { callback } = await visitor.leave(account.providerId, { address: SUPPORT }, SUPPORT);
  app.idp.addFault({ match: { path: 'token' }, status: 401, body: aadstsBody(code, error, sentence) });
  return (await visitor.get(callback)).html;
}

const broken = async (failure: 'token-refused' | 'no-access', words: string): Promise<void> => {
  app.services.intake.openInbox = () => Promise.reject(new InboxError(failure, words));
};

describe('in the demo', () => {
  it.each([
    ['an expired client secret', 7000222, 'invalid_client', EXPIRED],
    ['a wrong client secret', 7000215, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.'],
    ['a refused sign-in', 53003, 'access_denied', 'AADSTS53003: Access has been blocked by Microsoft Entra.'],
    ['a disturbance', 90033, 'temporarily_unavailable', 'AADSTS90033: A transient error has occurred.'],
    ['an unknown number', 987654, 'server_error', 'AADSTS987654: Microsoft says no.'],
  ])('%s during a sign-in names the demo and no portal', async (_, code, error, sentence) => {
    const html = await refusedTrip(code, error, sentence);
    expect(html).toContain(`AADSTS${code}`);
    expectOfDemo(html);
  });

  it('an account that stopped names the demo, and explains how to start over', async () => {
    const stored = await app.services.accounts.get(account);
    if (stored === undefined) throw new Error('no account');
    const problem = { code: 'AADSTS7000222', message: EXPIRED } as const;
    await app.services.accounts.save({ ...stored.account, state: 'action-required', problem });
    const { html } = await visitor.get(`/accounts/${account.providerId}/${account.accountId}`);
    await app.services.accounts.save(stored.account);
    expect(html).toContain('AADSTS7000222');
    expect(html).toContain('run npm start');
    expectOfDemo(html);
  });

  it.each([
    ['IMAP is turned off', 'token-refused', 'AUTHENTICATE failed.'],
    ['a right is missing', 'no-access', 'User is authenticated but not connected.'],
  ] as const)('a mailbox for which %s names the demo', async (_, failure, words) => {
    await broken(failure, words);
    expectOfDemo((await visitor.get(`/mailboxes/${MAILBOX}/connected`)).html);
    const asApp = await visitor.post(`/providers/${account.providerId}/app-access`, { address: SUPPORT });
    expect(asApp.status).toBe(422);
    expectOfDemo(asApp.html);
    const step = { name: 'sign-in', state: 'failed', ms: 1, found: '', evidence: words } as const;
    const startedAt = new Date(app.seam.now()).toISOString();
    await app.services.connectionTests.save(MAILBOX, [
      { protocol: 'imap', server: 'x:993', startedAt, steps: [step], transcript: [] },
      {
        protocol: 'smtp',
        server: 'x:587',
        startedAt,
        steps: [
          {
            ...step,
            evidence:
              '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.',
          },
        ],
        transcript: [],
      },
    ]);
    expectOfDemo((await visitor.get(`/mailboxes/${MAILBOX}/test`)).html);
  });

  it('the alert and the list of mailboxes name the demo', async () => {
    const at = new Date(app.seam.now()).toISOString();
    await app.services.mailboxes.setFailure(MAILBOX, {
      state: 'action-required',
      code: 'imap-no-access',
      problem: 'User is authenticated but not connected. Ask Microsoft.',
      since: at,
      triedAt: at,
      nextTryAt: at,
      failures: 3,
    });
    const home = (await visitor.get('/')).html;
    expect(home).toContain(`Not receiving mail from ${SUPPORT}`);
    expectOfDemo(home);
    expectOfDemo((await visitor.get('/mailboxes')).html);
    await app.services.mailboxes.setFailure(MAILBOX, undefined);
  });

  it('the page of a shared mailbox requests no script of an admin', async () => {
    expectOfDemo((await visitor.get(`/providers/${account.providerId}/shared-mailbox`)).html);
  });
});
