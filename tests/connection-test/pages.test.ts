import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { faults } from '../../dev/emulators/mail/exchange-texts.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { readRelayUrl } from '../../shared/alerts/read-relay-url.ts';
import { smtpRefused } from '../../shared/alerts/sending-findings.ts';
import { isWaiting } from '../../shared/connection-test/connection-test.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailSender } from '../../shared/outbox/send-mail.ts';
import { readRefusal } from '../../shared/outbox/smtp-refusal.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { assets } from '../../shared/ui/assets.ts';
import { Reader } from '../harness/browser/reader.ts';
import { serve } from '../harness/browser/serve.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import { plainMail, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';

const HOST = 'localhost';
const mail = useMailServer('npm');
let app: DemoApp;
let visitor: Visitor;
let account: Account;
let form: Record<string, string>;
const drawn: Record<string, string> = {};

beforeAll(async () => {
  setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]);
  app = await startDemoApp({}, { graph: 'http://localhost:1' });
  ({ account } = await connectSupport(app));
  const accessTokens = {
    ...app.services.accessTokens,
    get: async () => ({
      kind: 'token' as const,
      token: new Secret(await mail.lab().token(support)),
      expiresAt: '2026-11-24T09:00:00.000Z',
      user: support,
    }),
  };
  const { config } = app.services;
  // The mail server of this test knows the tokens of its own lab; its clock is the real one.
  const relayUrl = () => readRelayUrl(app.services.channelSecrets);
  const mailSender = createMailSender({ seam: openSeam, config, accessTokens, relayUrl });
  app.services = { ...app.services, seam: openSeam, accessTokens, mailSender };
  const verifyMailbox = async () => ({ kind: 'opened', unread: 0, total: 0 }) as const;
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] }, { verifyMailbox });
  const chosen = `${account.providerId}.${account.accountId}`;
  form = {
    address: support,
    account: chosen,
    host: HOST,
    port: String(mail.server().imap.port),
    smtpAccount: chosen,
    smtpHost: HOST,
    smtpPort: String(mail.server().smtp.port),
    folder: 'INBOX',
    after: 'mark-seen',
    interval: '1',
  };
});
afterAll(() => app?.stop());

async function saved(connectRequest: Record<string, string> = {}): Promise<Mailbox> {
  const [before] = await app.services.mailboxes.list();
  const path = before === undefined ? '/mailboxes/new' : `/mailboxes/${before.id}/edit`;
  const reply = await visitor.post(path, { ...form, ...connectRequest });
  expect(reply.status).toBe(303);
  const [mailbox] = await app.services.mailboxes.list();
  if (mailbox === undefined) throw new Error('not saved');
  return mailbox;
}

describe('"Test connection"', () => {
  test('is offered before the mailbox is saved, saves nothing and sends nothing', async () => {
    const client = await mail.emptyInbox(support);
    const reply = await visitor.post('/mailboxes/new', { ...form, folder: 'Missing', test: 'yes' });
    expect(reply.status).toBe(200);
    expect(reply.html).toContain('IMAP failed at “open the folder”.');
    expect(reply.html).toContain('Nothing is saved yet.');
    expect(reply.html).toContain('value="Missing"');
    expect(await app.services.mailboxes.list()).toEqual([]);
    await client.noop();
    expect(await client.search({ all: true })).toEqual([]);
    drawn['unsaved'] = reply.html;
  });

  test('announces its steps, runs them, waits for its email and finds it', async () => {
    const client = await mail.emptyInbox(support);
    await mail.server().deliver(support, plainMail({ subject: 'secret of a customer' }));
    const { id } = await saved();
    const before = await visitor.get(`/mailboxes/${id}/test`);
    expect(before.html).toContain('Not tested yet');
    drawn['not tested'] = before.html;
    const [mailbox] = await app.services.mailboxes.list();
    if (mailbox === undefined) throw new Error('not saved');
    const refused = {
      ...readRefusal('554 5.7.60 SMTP; Client does not have permissions', 0),
      permanent: true,
    };
    await app.services.alerts.observe({
      source: 'sending',
      findings: [smtpRefused(mailbox, refused, Date.now())],
    });
    expect((await visitor.post(`/mailboxes/${id}/test`, {})).location).toBe(`/mailboxes/${id}/test`);
    const [entry] = (await app.services.audit.page({ kind: 'mailbox', id, limit: 1 })).entries;
    expect([entry?.action, entry?.principal.id]).toEqual(['connection tested', 'alex']);
    await mail.received(client, 'Sending test');
    const after = await visitor.get(`/mailboxes/${id}/test`);
    expect(after.html).toContain('IMAP and SMTP work.');
    // Its own mail may have come before the others were counted.
    expect(after.html).toMatch(/[12] unread, of [12] emails?\./);
    expect(after.html).toContain(`The email is in ${support}.`);
    expect(after.html).not.toContain('data-reload');
    drawn['works'] = after.html;
    expect(await app.services.alerts.open(), 'the server takes mail again').toEqual([]);

    const transcript = (await visitor.get(`/mailboxes/${id}/test/transcript`)).html;
    expect(transcript).toContain('C: t2 EXAMINE "INBOX"');
    expect(transcript).toMatch(/^S: 250/m);
    expect(transcript).not.toContain('secret of a customer');
    expect(transcript).not.toMatch(/[A-Za-z0-9+/=]{100}/);
  });

  test('checks again while its email has not arrived, and ends after two minutes', async () => {
    const { id } = await saved();
    const sentAt = new Date(Date.now() - 60_000).toISOString();
    const [imap] = await app.services.connectionTests.of(id);
    const waiting = (until: number): Parameters<typeof app.services.connectionTests.save>[1] => [
      ...(imap === undefined ? [] : [imap]),
      {
        protocol: 'smtp',
        server: 'localhost:587',
        startedAt: sentAt,
        transcript: [],
        steps: [{ name: 'arrival', state: 'waiting', ms: 0, found: 'The mail is looked for.' }],
        expected: { mark: 'postroom-lost', sentAt, until: new Date(until).toISOString() },
      },
    ];
    await app.services.connectionTests.save(id, waiting(Date.now() + 60_000));
    const first = (await visitor.get(`/mailboxes/${id}/test`)).html;
    expect(first).toContain('data-reload="5"');
    expect(first).toContain('Check again');
    drawn['waits'] = first;
    await app.services.connectionTests.save(id, waiting(Date.now() - 1));
    const given = (await visitor.get(`/mailboxes/${id}/test`)).html;
    expect(given).toContain('The test email did not arrive');
    expect(given).not.toContain('data-reload');
    expect((await app.services.connectionTests.of(id)).some(isWaiting), 'and remembers it').toBe(false);
    drawn['never came'] = given;
  });

  test('explains the first failing step of each protocol, with its diagnosis', async () => {
    const target = mail.server();
    const { tls } = mail.lab().options;
    const imap = await startExchangeSkin({ protocol: 'imap', target: target.imap, tls });
    const smtp = await startExchangeSkin({ protocol: 'smtp', target: target.smtp, tls });
    try {
      imap.faults.push(faults.notConnected(10));
      smtp.faults.push(faults.smtpAuthDisabled());
      const { id } = await saved({ port: String(imap.port), smtpPort: String(smtp.port) });
      await visitor.post(`/mailboxes/${id}/test`, {});
      const { html } = await visitor.get(`/mailboxes/${id}/test`);
      expect(html).toContain('IMAP failed at “open the folder”. SMTP failed at “sign in”.');
      expect(html).toContain('Diagnosis:');
      expect(html).toContain('Sending over SMTP is turned off in the tenant');
      expect(html).toContain('Not run');
      expect(html).toContain('IMAP is probably switched off');
      drawn['fails'] = html;
    } finally {
      await Promise.all([imap.stop(), smtp.stop()]);
    }
  });

  test('signs in to the SMTP relay and sends over it, once there is one, without its address', async () => {
    const { id } = await saved();
    const mailbox = await app.services.mailboxes.get(id);
    if (mailbox === undefined) throw new Error('not saved');
    const overRelay: Mailbox = { ...mailbox, sending: { protocol: 'relay' } };
    await app.services.mailboxes.save(overRelay);
    drawn['form without a relay'] = (await visitor.get(`/mailboxes/${id}/edit`)).html;
    await visitor.post(`/mailboxes/${id}/test`, {});
    const missing = await visitor.get(`/mailboxes/${id}/test`);
    expect(missing.html).toContain('SMTP relay failed at “sign in”.');
    expect(missing.html).toContain('There is no SMTP relay');
    drawn['no relay'] = missing.html;

    const { host, port } = mail.server().drop;
    const url = new Secret(`smtp://${host}:${port}/canary`);
    await app.vault.set('smtp-relay-url', url, { contentType: 'text/plain' });
    app.seam.skewMs += 600_000;
    drawn['form with a relay'] = (await visitor.get(`/mailboxes/${id}/edit`)).html;
    const unsaved = await visitor.post(`/mailboxes/${id}/edit`, {
      ...form,
      smtpAccount: 'relay',
      test: 'yes',
    });
    expect(unsaved.html).toContain('IMAP and SMTP relay work.');
    const refusal = { ...readRefusal('535 5.7.8 No', 0), permanent: true };
    await app.services.alerts.observe({
      source: 'sending',
      findings: [smtpRefused(overRelay, refusal, Date.now())],
    });
    const client = await mail.emptyInbox(support);
    await visitor.post(`/mailboxes/${id}/test`, {});
    await mail.received(client, 'Sending test');
    const works = await visitor.get(`/mailboxes/${id}/test`);
    expect(works.html).toContain('IMAP and SMTP relay work.');
    expect(works.html).toContain('The relay responds. Its URL has no username, so there is no sign-in.');
    expect(works.html).toContain(`The email is in ${support}.`);
    expect(await app.services.alerts.open(), 'what waited can leave').toEqual([]);
    drawn['relay works'] = works.html;
    const { html } = await visitor.get(`/mailboxes/${id}/connected`);
    expect(html).toContain('Sending works too.');
    expect(JSON.stringify([works, unsaved, await app.services.connectionTests.of(id)])).not.toContain(
      'canary',
    );
  });

  test('is deleted with its mailbox', async () => {
    const { id } = await saved();
    expect(await app.services.connectionTests.of(id)).not.toEqual([]);
    drawn['form'] = (await visitor.get(`/mailboxes/${id}/edit`)).html;
    drawn['list'] = (await visitor.get('/mailboxes')).html;
    await visitor.post(`/mailboxes/${id}/delete`, {});
    expect(await app.services.connectionTests.of(id)).toEqual([]);
    expect((await visitor.get(`/mailboxes/${id}/test`)).status).toBe(404);
  });
});

describe('a permission that the sign-in lacks', () => {
  test('is reported at its field, with a link to sign in again', async () => {
    const stored = await app.services.accounts.get(account);
    if (stored === undefined) throw new Error('no account');
    const scopes = stored.account.scopes.filter((scope) => !/SMTP/i.test(scope));
    await app.services.accounts.save({ ...stored.account, scopes });
    const fresh = (await visitor.get(`/mailboxes/new?account=${account.providerId}.${account.accountId}`))
      .html;
    expect(fresh).toContain(': SMTP, Microsoft Graph not granted');
    const { status, html } = await visitor.post('/mailboxes/new', form);
    expect(status).toBe(422);
    expect(html).toContain('href="#smtpAccount"');
    expect(html).toContain('SMTP was not granted to this account.');
    expect(html).toContain(
      `href="/providers/${account.providerId}/connect?address=${encodeURIComponent(support)}"`,
    );
    drawn['not granted'] = html;
  });
});

test('every page of the test is whole, accessible in light and dark, and fits a phone', async () => {
  expect(Object.keys(drawn)).toHaveLength(13);
  for (const [name, html] of Object.entries(drawn)) {
    const { headings, ...faultsFound } = readPage(html);
    expect({ name, ...faultsFound }).toEqual({
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
  const reader = new Reader(
    // Colours change at once: a check in the middle of a transition would see neither scheme.
    await browser.newPage({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' }),
    process.env['POSTROOM_PICTURES'],
  );
  for (const name of Object.keys(drawn)) {
    await reader.page.goto(`${served.url}/${encodeURIComponent(name)}`);
    await reader.look(name);
  }
  await browser.close();
  await served.close();
  expect(reader.findings).toEqual({});
});
