import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { collectHealth } from '../../shared/alerts/collect-health.ts';
import { mailboxFindings } from '../../shared/alerts/mailbox-findings.ts';
import { refusalFindings } from '../../shared/alerts/refusal-findings.ts';
import { explainText } from '../../shared/explanations/explain.ts';
import { connectFailureFrom } from '../../shared/mailboxes/connect-inbox.ts';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import { portsInWords } from '../../shared/mailboxes/mailbox-form.ts';
import { remedyOf } from '../../shared/mailboxes/remedy.ts';
import type { VerifiedMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { assets } from '../../shared/ui/assets.ts';
import { axeViolations } from '../harness/browser/axe.ts';
import { serve } from '../harness/browser/serve.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';

const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let visitor: Visitor;
let form: Record<string, string>;
let opened: VerifiedMailbox = { kind: 'opened', unread: 3, total: 12 };
const verifyMailbox = async () => opened;

beforeAll(async () => {
  app = await startDemoApp();
  const { account } = await connectSupport(app);
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] }, { verifyMailbox });
  form = {
    address: SUPPORT,
    account: `${account.providerId}.${account.accountId}`,
    protocol: 'imap',
    host: 'localhost',
    port: '1',
    folder: 'INBOX',
    after: 'mark-seen',
    moveFolder: '',
    interval: '1',
  };
});
afterAll(() => app.stop());

const stored = () => app.services.mailboxes.list();

describe('a mailbox', () => {
  it('is proposed from the consent: its address, its account, the preset’s server', async () => {
    const { html, status } = await visitor.get(`/mailboxes/new?account=${form['account']}&flash=connected`);
    expect(status).toBe(200);
    expect(html).toContain('Signed in.');
    expect(html).toContain(`value="${SUPPORT}"`);
    expect(html).toContain('Leave this empty to use localhost.');
    expect(html).toContain('value="INBOX"');
  });

  it('that cannot be opened is not saved, shows why, keeps the entered values, and can be saved anyway', async () => {
    opened = { kind: 'failed', code: codeFrom('x'), message: 'The mailbox has no license.' };
    const reply = await visitor.post('/mailboxes/new', { ...form, interval: '7' });
    expect(reply.status).toBe(422);
    expect(reply.html).toContain('The mailbox has no license.');
    expect(reply.html).toContain('value="7"');
    expect(await stored()).toEqual([]);
    expect((await visitor.post('/mailboxes/new', { ...form, anyway: 'yes' })).location).toBe(
      '/mailboxes?flash=unopened',
    );
    const [mailbox] = await stored();
    await visitor.post(`/mailboxes/${mailbox?.id}/delete`, {});
    expect(await stored()).toEqual([]);
  });

  it('that can be opened is saved, and its unread email is counted', async () => {
    opened = { kind: 'opened', unread: 3, total: 12 };
    const { location = '' } = await visitor.post('/mailboxes/new', form);
    expect(location).toMatch(/^\/mailboxes\/[a-z2-7]{26}\/connected$/);
    expect(await stored()).toMatchObject([
      { address: SUPPORT, enabled: true, afterFetch: { kind: 'mark-seen' } },
    ]);
    const [entry] = (await app.services.audit.page({ kind: 'mailbox', limit: 1 })).entries;
    expect(entry?.changes).toContainEqual({
      name: 'account',
      after: expect.stringMatching(/^support@contoso\.example \(.+\)$/),
    });
    for (const again of [{}, { address: 'Support@Contoso.EXAMPLE' }, { folder: 'inbox' }]) {
      const reply = await visitor.post('/mailboxes/new', { ...form, ...again });
      expect(reply.status, JSON.stringify(again)).toBe(422);
      expect(reply.html).toContain('already exists');
    }
  });

  it('is paused, resumed and changed', async () => {
    const [mailbox] = await stored();
    const path = `/mailboxes/${mailbox?.id}`;
    await visitor.post(`${path}/pause`, {});
    expect((await stored())[0]?.enabled).toBe(false);
    expect((await visitor.get('/mailboxes')).html).toContain('Paused');
    expect((await visitor.post(`${path}/resume`, {})).location).toBe('/mailboxes?flash=resumed');
    expect((await stored())[0]?.enabled).toBe(true);
    await visitor.post(`${path}/edit`, { ...form, after: 'move', moveFolder: 'Done' });
    expect((await stored())[0]?.afterFetch).toEqual({ kind: 'move', folder: 'Done' });
  });

  it('allows replies from a requester’s colleagues only while that is ticked', async () => {
    const path = `/mailboxes/${(await stored())[0]?.id}/edit`;
    const ticked = async (): Promise<boolean> =>
      /<input[^>]*id="colleaguesJoin"[^>]* checked/.test((await visitor.get(path)).html);
    expect(await ticked()).toBe(false);
    await visitor.post(path, { ...form, colleaguesJoin: 'on' });
    expect([await ticked(), (await stored())[0]?.colleaguesJoin]).toEqual([true, true]);
    await visitor.post(path, form);
    expect([await ticked(), (await stored())[0]?.colleaguesJoin]).toEqual([false, undefined]);
  });

  it('must not duplicate an existing one, in any case', async () => {
    const [mailbox] = await stored();
    const other = { ...form, folder: 'Orders' };
    expect((await visitor.post('/mailboxes/new', other)).status).toBe(303);
    const second = (await stored()).find(({ folder }) => folder === 'Orders');
    const path = `/mailboxes/${second?.id}`;
    for (const folder of ['INBOX', 'Inbox']) {
      const { status, html } = await visitor.post(`${path}/edit`, { ...form, folder });
      expect(status).toBe(422);
      expect(html).toContain('href="#address"');
      expect(html).toContain('Edit that one instead');
    }
    // Folders other than INBOX may differ only in case.
    expect((await visitor.post(`${path}/edit`, { ...form, folder: 'orders' })).status).toBe(303);
    expect((await visitor.post(`/mailboxes/${mailbox?.id}/edit`, { ...form, interval: '2' })).status).toBe(
      303,
    );
    await visitor.post(`/mailboxes/${mailbox?.id}/edit`, form);
    await visitor.post(`${path}/delete`, {});
  });

  it('that fails shows so, with the fix', async () => {
    const [mailbox] = await stored();
    const at = new Date().toISOString();
    const trouble = {
      code: codeFrom('x'),
      problem: 'The sign-in has ended.',
      since: at,
      failures: 1,
      triedAt: at,
      nextTryAt: at,
    };
    await app.services.mailboxes.setFailure(mailbox?.id ?? '', { ...trouble, state: 'action-required' });
    const { html } = await visitor.get('/mailboxes');
    expect(html).toContain('The sign-in has ended.');
    expect(html).toContain(`/connect?mailbox=${mailbox?.id}`);
    await app.services.mailboxes.setFailure(mailbox?.id ?? '', undefined);
  });

  it('with a missing folder leads to its folder, in the list as in the alert, and to no new sign-in', async () => {
    const [mailbox] = await stored();
    if (mailbox === undefined) throw new Error('no mailbox');
    const { kind, code, message } = connectFailureFrom(new InboxError('folder-missing', 'NO'), mailbox);
    const at = new Date().toISOString();
    await app.services.mailboxes.setFailure(mailbox.id, {
      state: kind,
      code,
      problem: message,
      since: at,
      triedAt: at,
      failures: 3,
      nextTryAt: at,
    });
    const { html } = await visitor.get('/mailboxes');
    const facts = await collectHealth(app.services);
    const [alert] = mailboxFindings({ ...facts, suspects: new Set() }, app.seam.now(), {
      isVaultBlamed: false,
    });
    expect(alert?.fix).toEqual({
      label: `Correct the folder of ${mailbox.address}`,
      href: `/mailboxes/${mailbox.id}/edit`,
    });
    expect(html).toContain(`<a href="${alert?.fix.href}">${alert?.fix.label}</a>`);
    expect(html).not.toContain(`/connect?mailbox=${mailbox.id}`);
    // The sentence and the explanation request the same action.
    for (const words of [message, explainText({ text: code }).steps.join(' ')])
      expect(words).toMatch(/[Ee]dit the mailbox and enter the folder’s current name\./);
    await app.services.mailboxes.setFailure(mailbox.id, undefined);
  });

  it.each([
    ['imap-refused', 'The mail server did not mark as read. It said: Permission denied', 'mark-seen'],
    ['imap-target-missing', "The mail server did not move. It said: Done doesn't exist.", 'move Done'],
  ])(
    'whose server refuses with %s leads to its settings in the list as in the alert',
    async (code, problem, action) => {
      const [mailbox] = await stored();
      if (mailbox === undefined) throw new Error('no mailbox');
      const afterFetch =
        action === 'mark-seen'
          ? ({ kind: 'mark-seen' } as const)
          : ({ kind: 'move', folder: 'Done' } as const);
      await app.services.mailboxes.save({ ...mailbox, afterFetch });
      const at = new Date(app.seam.now()).toISOString();
      const cursor = { validity: '1', position: { uid: 9 }, left: [], waiting: [], lastMailAt: undefined };
      await app.services.mailboxes.saveCursor(mailbox.id, {
        ...cursor,
        refusal: { action, problem, since: at, triedAt: at },
      });
      const [alert] = refusalFindings(await collectHealth(app.services));
      expect(alert).toMatchObject({ code, fix: { href: `/mailboxes/${mailbox.id}/edit` } });
      const { html } = await visitor.get('/mailboxes');
      expect(html).toContain(`<a href="${alert?.fix.href}">${alert?.fix.label}</a>`);
      expect(remedyOf(mailbox, code)).toEqual(alert?.fix);
      await app.services.mailboxes.saveCursor(mailbox.id, cursor);
      await app.services.mailboxes.save(mailbox);
    },
  );

  it('that moves email requires a folder, and a port is rejected with the text of its hint', async () => {
    const moves = await visitor.post('/mailboxes/new', { ...form, after: 'move', moveFolder: '' });
    expect(moves.html).toContain('Enter the folder to move email to, for example Processed.');
    expect(moves.html).not.toContain('Enter the folder, usually INBOX.');
    const ports = await visitor.post('/mailboxes/new', { ...form, port: 'imap' });
    expect(ports.html).toContain('Enter 1.');
    expect(ports.html).toMatch(/Mail port<\/label><p[^>]*class="hint"[^>]*>Leave this empty, or enter 1\.</);
    expect(portsInWords('smtp', undefined)).toBe('587 or 465');
    expect(portsInWords('smtp', { port: 587 })).toBe('587');
  });

  it.each([
    ['address', 'nobody'],
    ['account', 'x.y'],
    ['host', 'evil.example'],
    ['port', '70000'],
    ['folder', ''],
    ['interval', '0'],
    ['interval', '1441'],
  ])('with %s %j is rejected with a message at its field', async (field, value) => {
    const { status, html } = await visitor.post('/mailboxes/new', { ...form, [field]: value });
    expect(status).toBe(422);
    expect(html).toContain(`href="#${field}"`);
  });

  it('must not move email into the folder it is fetched from', async () => {
    for (const moveFolder of ['INBOX', 'Inbox']) {
      const { html } = await visitor.post('/mailboxes/new', { ...form, after: 'move', moveFolder });
      expect(html).toContain('href="#moveFolder"');
    }
  });
});

describe('every mailbox page', () => {
  it('is complete, accessible, and fits 320 pixels', async () => {
    const bare = await startDemoApp();
    const empty = new Visitor(bare, { id: 'alex', roles: ['admin'] }, { verifyMailbox });
    const [mailbox] = await stored();
    opened = { kind: 'failed', code: codeFrom('x'), message: 'No license.' };
    const drawn: Record<string, string> = {};
    for (const [name, reply] of Object.entries({
      empty: empty.get('/mailboxes'),
      'no provider': empty.get('/mailboxes/new'),
      list: visitor.get('/mailboxes'),
      new: visitor.get(`/mailboxes/new?account=${form['account']}`),
      edit: visitor.get(`/mailboxes/${mailbox?.id}/edit`),
      delete: visitor.get(`/mailboxes/${mailbox?.id}/delete`),
      mistakes: visitor.post('/mailboxes/new', {}),
      unopened: visitor.post('/mailboxes/new', { ...form, folder: 'Other' }),
    }))
      drawn[name] = (await reply).html;
    await bare.stop();
    for (const [name, html] of Object.entries(drawn)) {
      const { headings, ...faults } = readPage(html);
      expect({ name, ...faults }).toEqual({
        name,
        repeatedIds: [],
        unlabelled: [],
        danglingIds: [],
        inline: [],
      });
      expect(headingsInOrder(headings), name).toBe(true);
    }
    if (!hasChromium) return;
    const browser = await openChromium();
    const served = await serve(async (path) => {
      const html = drawn[decodeURIComponent(path.slice(1))];
      const asset = assets.find((one) => one.path === path);
      const type = html === undefined ? (asset?.contentType ?? 'text/plain') : 'text/html; charset=utf-8';
      return new Response(html ?? asset?.body ?? '', { headers: { 'content-type': type } });
    });
    const page = await browser.newPage({ viewport: { width: 320, height: 800 } });
    for (const name of Object.keys(drawn)) {
      await page.goto(`${served.url}/${encodeURIComponent(name)}`);
      const found = await axeViolations(page);
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect({ name, found, tooWide }).toEqual({ name, found: [], tooWide: false });
    }
    await browser.close();
    await served.close();
  });
});
