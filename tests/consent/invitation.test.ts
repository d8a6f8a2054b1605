import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import {
  ALEX,
  addressOf,
  allRows,
  type DemoApp,
  ORIGIN,
  type Reply,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';
import { fillInbox, mailboxOf } from '../harness/pages/sample-mailbox.ts';
import { tenant } from '../harness/stack/demo-directory.ts';

const SUPPORT = 'support@contoso.example';
const INFO = 'info@contoso.example';
const ALEX_UPN = 'alex@contoso.example';
const apps: DemoApp[] = [];
let app: DemoApp;
let admin: Visitor;
let providerId: string;

async function start(options: Parameters<typeof startDemoApp>[0] = {}): Promise<void> {
  app = await startDemoApp(options);
  apps.push(app);
  admin = new Visitor(app, ALEX, { verifyMailbox: async () => ({ kind: 'opened', unread: 0, total: 0 }) });
  providerId = await admin.addDemoProvider();
  fillInbox(app, ['First', 'Second', '=?utf-8?q?Gr=C3=BC=C3=9Fe?=', 'Fourth']);
}
beforeEach(() => start());
afterAll(async () => {
  await Promise.all(apps.map((one) => one.stop()));
});

/** An admin creates an invitation link; returns its path. */
const invited = (fields: Record<string, string> = {}): Promise<string> =>
  admin.invite(providerId, { address: SUPPORT, ...fields });

/** The owner, who has no Postroom account, follows the link up to the callback. */
async function follow(owner: Visitor, path: string, as: string): Promise<Reply> {
  const { callback } = await owner.ride(await owner.post(path, {}), as);
  return owner.get(callback);
}

const accounts = () => app.services.accounts.listOf(providerId);
const owner = (): Visitor => Visitor.signedOut(app);

describe('an invitation', () => {
  it('is a link that its creator sees once, and that no table contains', async () => {
    const path = await invited();
    const token = path.split('#').at(-1) ?? '';
    expect(token).toHaveLength(43);
    expect(JSON.stringify(allRows(app))).not.toContain(token);
    const list = (await admin.get('/invitations')).html;
    expect(list).toContain(SUPPORT);
    expect(list).toContain('>Pending<');
    expect(list).not.toContain(token);
  });

  it('lets the owner sign in without seeing anything else, and the admin finish', async () => {
    const path = await invited();
    const person = owner();
    const shown = await person.get(path);
    expect(shown.title).toBe(`Connect ${SUPPORT}`);
    expect(shown.html).toContain('alex asks you');
    const links = [...shown.html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href]) => href);
    expect(links).toEqual(['#content', '/']);

    const done = await follow(person, path, SUPPORT);
    expect(done.status, done.html).toBe(200);
    expect(done.title).toBe('Done, you can close this page');
    expect(done.html).toContain('4 unread of 4 messages in INBOX');
    expect(done.html).toContain('Grüße');
    expect(done.html).not.toContain('Main');

    const [account] = await accounts();
    expect(account).toMatchObject({ user: SUPPORT, state: 'ok', consentedBy: 'invitation' });
    const list = (await admin.get('/invitations')).html;
    expect(list).toContain(`/mailboxes/new?account=${providerId}.${account?.accountId}`);
    expect(list).toContain('Finish setting up');
    expect((await admin.get('/mailboxes')).html).toContain(`Finish setting up ${SUPPORT}`);
    await app.services.mailboxes.save(mailboxOf(account ?? unreachable()));
    for (const path of ['/invitations', '/mailboxes'])
      expect((await admin.get(path)).html).not.toContain('Finish setting up');
  });

  it('is valid for one success, as the second tab, the second browser and the used link are told', async () => {
    const path = await invited();
    const [one, two] = [owner(), owner()];
    const [first, second] = [
      await one.ride(await one.post(path, {}), SUPPORT),
      await two.ride(await two.post(path, {}), SUPPORT),
    ];
    const replies = await Promise.all([one.get(first.callback), two.get(second.callback)]);
    expect(replies.map(({ title }) => title).sort()).toEqual([
      'Done, you can close this page',
      'This invitation is no longer valid',
    ]);
    const after = allRows(app);
    expect((await owner().get(path)).title).toBe('Invitation already used');
    expect((await owner().post(path, {})).title).toBe('Invitation already used');
    expect(allRows(app)).toEqual(after);
  });

  it('keeps its token out of every URL, and its page shows nothing without the link', async () => {
    const path = await invited();
    const token = path.split('#').at(-1) ?? '';
    const person = owner();
    const opened = await person.open(`  ${ORIGIN}${path}\n`);
    expect(opened.status).toBe(303);
    expect(opened.location).toBe(addressOf(path));
    const shown = await person.get(opened.location ?? '');
    expect(shown.title).toBe(`Connect ${SUPPORT}`);
    expect(shown.html).not.toContain(token);
    // The URL alone, from a log or over a shoulder, reveals nothing.
    const stranger = await owner().get(addressOf(path));
    expect([stranger.status, stranger.title]).toEqual([404, 'Unknown invitation']);
    expect(stranger.html).not.toContain(SUPPORT);
    expect((await owner().post(addressOf(path), {})).status).toBe(404);
    expect((await owner().get(`/invite/${token}`)).status).toBe(404);
  });

  it('is independent of another one that the same browser has opened', async () => {
    const [one, two] = [await invited(), await invited({ address: INFO, who: 'shared', signIn: SUPPORT })];
    const person = owner();
    const first = await person.ride(await person.post(one, {}), SUPPORT);
    expect((await person.get(two)).title).toBe(`Connect ${INFO}`);
    expect((await person.get(addressOf(one))).title).toBe(`Connect ${SUPPORT}`);
    expect((await person.get(first.callback)).title).toBe('Done, you can close this page');
    expect((await person.get(addressOf(two))).title).toBe(`Connect ${INFO}`);
  });

  it('is created once: a reload shows its link again, another browser does not', async () => {
    const made = await admin.post(`/providers/${providerId}/invite`, { address: SUPPORT, who: 'self' });
    expect(made.status).toBe(303);
    const [shown, again] = [await admin.get(made.location ?? ''), await admin.get(made.location ?? '')];
    expect(shown.html).toMatch(/\/invite#[\w-]{43}"/);
    expect(again.html).toBe(shown.html);
    expect(await app.services.invitations.list()).toHaveLength(1);
    const elsewhere = await new Visitor(app).get(made.location ?? '');
    expect(elsewhere.location).toBe('/invitations?flash=link-gone');
  });

  it('can be retried after a failed attempt', async () => {
    const path = await invited({ choose: 'on' });
    const person = owner();
    const declined = await follow(person, path, 'cancel');
    expect(declined.title).toMatch(/cancelled|declined/);
    expect(declined.html).toContain(`href="${addressOf(path)}"`);
    const wrong = await follow(owner(), path, ALEX_UPN);
    expect(wrong.title).toBe('Wrong account');
    expect(wrong.html).not.toContain('/providers/');
    expect((await follow(owner(), path, SUPPORT)).title).toBe('Done, you can close this page');
  });

  it('offers another account after a wrong one, and says whom to ask about a shared mailbox', async () => {
    const path = await invited();
    const person = owner();
    const wrong = await follow(person, path, ALEX_UPN);
    expect(wrong.title).toBe('Wrong account');
    expect(wrong.html).toContain('Use a different account');
    expect(wrong.html).toContain('ask the person who invited you for an invitation to a shared mailbox');
    expect(wrong.html).not.toContain('This is a shared mailbox');
    const [, action, name, value] =
      /<form method="post" action="([^"]+)"[^>]*><input type="hidden" name="(\w+)" value="(\w+)"/.exec(
        wrong.html,
      ) ?? [];
    expect(action).toBe(addressOf(path));
    const handover = await person.post(action ?? '', { [name ?? '']: value ?? '' });
    const { callback, authorization } = await person.ride(handover, SUPPORT);
    expect(authorization.searchParams.get('prompt')).toBe('select_account');
    expect((await person.get(callback)).title).toBe('Done, you can close this page');
  });

  it('says who can help if the attempt fails for a reason that the owner cannot fix', async () => {
    const path = await invited();
    const person = owner();
    const { callback } = await person.ride(await person.post(path, {}), SUPPORT);
    const body = aadstsBody(7000222, 'invalid_client', 'The provided client secret keys are expired.');
    app.idp.addFault({ match: { path: 'token' }, status: 401, body });
    const reply = await person.get(callback);
    expect(reply.title).toBe('The client secret has expired');
    expect(reply.html).toContain('A Postroom admin: show them this page');
    expect(reply.html).toContain(`href="${addressOf(path)}"`);
    expect(reply.html).not.toContain('/providers/');
  });

  it('connects a shared mailbox for a user who may open it', async () => {
    const path = await invited({ address: INFO, who: 'shared', signIn: SUPPORT });
    expect((await follow(owner(), path, SUPPORT)).title).toBe('Done, you can close this page');
    expect(await accounts()).toMatchObject([{ user: SUPPORT, address: INFO }]);
  });

  it('reconnects a mailbox and fixes what stopped it', async () => {
    await follow(owner(), await invited(), SUPPORT);
    const [account] = await accounts();
    const mailbox = mailboxOf(account ?? unreachable());
    await app.services.mailboxes.save(mailbox);
    const at = '2026-11-24T00:00:00.000Z';
    const trouble = {
      code: codeFrom('x'),
      problem: 'Ended.',
      since: at,
      failures: 1,
      triedAt: at,
      nextTryAt: at,
    };
    await app.services.mailboxes.setFailure(mailbox.id, { ...trouble, state: 'action-required' });
    const path = await invited({ mailbox: mailbox.id });
    expect((await follow(owner(), path, SUPPORT)).title).toBe('Done, you can close this page');
    expect((await app.services.mailboxes.health()).get(mailbox.id)?.state).toBe('ok');
  });

  it('that was revoked, has expired or never existed lets no visitor continue, and writes nothing', async () => {
    const path = await invited();
    const person = owner();
    const { callback } = await person.ride(await person.post(path, {}), SUPPORT);
    const key = (await app.services.invitations.list())[0]?.key;
    expect((await admin.post(`/invitations/${key}/revoke`, {})).location).toBe('/invitations?flash=revoked');
    expect((await admin.post(`/invitations/${key}/revoke`, {})).location).toBe('/invitations?flash=over');
    expect((await owner().get(path)).title).toBe('This invitation was revoked');
    expect((await owner().post(path, {})).title).toBe('This invitation was revoked');
    expect((await person.get(callback)).title).toBe('This invitation is no longer valid');
    expect(await accounts()).toEqual([]);

    const late = await invited();
    app.seam.skewMs = 8 * 86_400_000;
    const before = allRows(app);
    expect((await owner().get(late)).title).toBe('This invitation has expired');
    expect((await owner().post(late, {})).title).toBe('This invitation has expired');
    for (const unknown of ['x', 'A'.repeat(43), 'a'.repeat(52), encodeURIComponent('../../tickets')]) {
      expect((await owner().get(`/invite/${unknown}`)).title).toBe('Unknown invitation');
      expect((await owner().post(`/invite/${unknown}`, {})).title).toBe('Unknown invitation');
      expect((await owner().post('/invite', { link: unknown })).title).toBe('Unknown invitation');
    }
    expect(allRows(app)).toEqual(before);
  });

  it('waits for an admin of the tenant if only an admin may consent, and continues', async () => {
    await start({ tenants: [tenant({ userConsent: false })] });
    const path = await invited();
    const person = owner();
    const away = await follow(person, path, 'no-approval');
    expect(away.location).toBe(addressOf(path));
    const waiting = await person.get(path);
    expect(waiting.title).toBe('Admin consent required');
    expect((await admin.get('/invitations')).html).toContain('>Pending admin consent<');
    const link = /value="(http[^"]+adminconsent[^"]+)"/.exec(waiting.html)?.[1] ?? '';
    const approver = owner();
    await approver.get(await approver.walk(link.replaceAll('&amp;', '&'), SUPPORT));
    expect((await person.get(path)).html).toContain('Admin consent is granted.');
    expect((await follow(person, path, SUPPORT)).title).toBe('Done, you can close this page');
  });

  it('shows complete, accessible pages to the owner and to the admin', async () => {
    const path = await invited();
    const shared = { address: INFO, who: 'shared', signIn: SUPPORT };
    const shown = await admin.post(`/providers/${providerId}/invite`, shared);
    const drawn: Record<string, string> = {
      'no invitations': (await (await another()).get('/invitations')).html,
      'invitation made': (await admin.get(shown.location ?? '')).html,
      'invitation to open': (await owner().get('/invite')).html,
      invited: (await owner().get(path)).html,
      'on the way by invitation': (await owner().post(path, {})).html,
      'another account by invitation': (await follow(owner(), await invited({ address: INFO }), ALEX_UPN))
        .html,
      'invitation done': (await follow(owner(), path, SUPPORT)).html,
      'invitation is done': (await owner().get(path)).html,
      'invitation unknown': (await owner().get('/invite/x')).html,
    };
    drawn['invitations'] = (await admin.get('/invitations?flash=revoked')).html;
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});

async function another(): Promise<Visitor> {
  const bare = await startDemoApp();
  apps.push(bare);
  return new Visitor(bare);
}

function unreachable(): never {
  throw new Error(`no account at ${ORIGIN}`);
}
