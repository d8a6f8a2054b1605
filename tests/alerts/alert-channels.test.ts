import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { servicesOn } from '../../functions/services.ts';
import { runMonitor } from '../../functions/triggers/monitor.ts';
import { createWeb } from '../../functions/web.ts';
import { tokenContext } from '../../shared/accounts/account.ts';
import { shownOf } from '../../shared/alerts/alert.ts';
import { parseConfig } from '../../shared/platform/config.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { silent } from '../harness/memory/sample-findings.ts';
import { signedInSettings } from '../harness/pages/principal-header.ts';
import { principalHeader, sampleProvider } from '../harness/pages/sample-postroom.ts';
import { sales, sam } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';
import { SIGNING_KEY, setChannels } from './channel-vault.ts';
import { ACCOUNT, PROVIDER, sampleAccount } from './monitored-postroom.ts';

const mail = useMailServer('npm');
beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));
beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const appWith = (
  settings: Record<string, string>,
  { seam = openSeam, vault = new MemoryVault(seam) }: { seam?: Seam; vault?: MemoryVault } = {},
) => {
  const config = {
    ...parseConfig({
      DataStorage: 'UseDevelopmentStorage=true',
      KEY_VAULT_URI: 'https://vault.example',
      PUBLIC_URL: 'https://desk.example',
      ...settings,
    }),
    local: true,
  };
  return servicesOn({
    config,
    seam,
    tables: new MemoryTables(seam),
    blobs: new MemoryBlobs(seam),
    queues: new MemoryQueues(seam),
    vault,
  });
};

test('settings and vault define the channels: one alert is sent by email over the relay and by webhook, once each', async () => {
  const posted: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      posted.push(body);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => new Promise<void>((closed) => server.close(() => closed())));
  const inbox = await mail.emptyInbox(sales);
  const { host, port } = mail.server().drop;
  const vault = new MemoryVault();
  await setChannels(vault, {
    'smtp-relay-url': `smtp://${host}:${port}`,
    'alert-webhook-url': `http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`,
    'alert-webhook-key': SIGNING_KEY,
  });
  const { alerts } = appWith({ ALERT_EMAIL: sales }, { vault });
  await alerts.observe({ source: 'watch', findings: [silent()] });
  await alerts.deliver();
  await alerts.deliver();
  expect(await mail.received(inbox, '[Postroom] support@contoso.example is not fetched')).toContain(
    'https://desk.example/mailboxes/support/test',
  );
  expect(posted.map((body) => JSON.parse(body).type)).toEqual(['alert.opened']);
  const [open] = await alerts.open();
  expect((await alerts.deliveries(open?.id ?? '')).map(({ channel }) => channel).sort()).toEqual([
    'email',
    'webhook',
  ]);
});

test('an alert about the failed account that would send its email is opened once, and blames no server', async () => {
  const app = appWith({ ALERT_EMAIL: sales });
  const { smtp } = mail.server();
  const sending = { ...smtp, providerId: 'p', accountId: 'removed' };
  await app.mailboxes.save({ ...mailboxOf({ kind: 'mark-seen' }), sending });
  const dead = silent('removed', {
    kind: 'consent-dead',
    subject: { kind: 'account', id: 'removed', name: 'sam' },
  });
  await app.alerts.observe({ source: 'watch', findings: [dead] });
  await app.alerts.deliver();
  expect((await app.alerts.open()).map(({ key }) => key)).toEqual(['consent-dead|account|removed']);
});

test('while storage is unavailable and no relay exists, an alert is sent once, through a mailbox that this process has cached', async () => {
  let away = false;
  const seam: Seam = {
    ...openSeam,
    call: (point, effect) =>
      away && point.startsWith('table.')
        ? Promise.reject(new PostroomError('table-storage', 'no answer'))
        : effect(),
  };
  const app = appWith({ ALERT_EMAIL: sales }, { seam });
  const account = { ...sampleAccount, user: sam };
  const provider = { ...sampleProvider, id: PROVIDER, mailHosts: { smtp: mail.server().smtp.host } };
  await app.providers.save(provider);
  const access = await app.sealer.seal(
    new Secret(await mail.lab().token(sam)),
    tokenContext(account, 'access', provider),
  );
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  const tokens = { ...account.tokens, access, accessExpiresAt: inAnHour, refreshAt: inAnHour };
  await app.accounts.save({ ...account, tokens });
  const sending = { ...mail.server().smtp, providerId: PROVIDER, accountId: ACCOUNT };
  await app.mailboxes.save({ ...mailboxOf({ kind: 'mark-seen' }), address: sam, sending });
  await runMonitor(app);
  const inbox = await mail.emptyInbox(sales);
  away = true;
  await runMonitor(app);
  expect(await mail.received(inbox, 'Postroom’s storage does not respond')).toMatch(
    /^From: Postroom <sam@contoso\.example>/m,
  );
  away = false;
  await runMonitor(app);
  await mail.received(inbox, 'Resolved: ');
  const [over] = (await app.alerts.past({ limit: 5 })).alerts;
  expect((await app.alerts.deliveries(over?.id ?? '')).map(({ what, result }) => [what, result])).toEqual([
    ['opened', 'delivered'],
    ['closed', 'delivered'],
  ]);
});

test('without settings only the pages show alerts, and nothing waits for a channel that does not exist', async () => {
  const { alerts } = appWith({});
  await alerts.observe({ source: 'watch', findings: [silent()] });
  await alerts.deliver();
  const [open] = await alerts.open();
  expect(open?.notificationCount).toBe(1);
  expect(await alerts.deliveries(open?.id ?? '')).toEqual([]);
});

describe('a secret of a channel that cannot be used', () => {
  const broken = {
    'smtp-relay-url': 'hunter2 at relay',
    'alert-webhook-url': 'https://hooks.contoso.example/x',
    'alert-webhook-key': 'whsec_hunter2',
  };

  test('is one alert of its channel with its fix, and affects neither pages nor fetches', async () => {
    const vault = new MemoryVault();
    await setChannels(vault, broken);
    const app = appWith(signedInSettings, { vault });
    await runMonitor(app);
    const open = (await app.alerts.open()).map(shownOf);
    expect(open.map(({ kind, severity, subject }) => [kind, severity, subject.id]).sort()).toEqual([
      ['channel-unusable', 'warning', 'alert-webhook-key'],
      ['channel-unusable', 'warning', 'smtp-relay-url'],
    ]);
    const words = open.map(({ headline, cause }) => `${headline} ${cause}`).join('\n');
    expect(words).toContain('smtp://user:password@host:587');
    expect(words).toContain('at least 24');
    expect(words).not.toContain('hunter2');
    for (const { fix } of open) expect(fix.href).toMatch(/^https:\/\/portal\.azure\.com\//);
    expect(await app.watch.glance()).toBe(true);
    const web = createWeb(() => app);
    for (const path of ['/', '/health', '/alerts']) {
      const page = await web.request(`https://desk.example${path}`, { headers: principalHeader('admin') });
      expect([path, page.status]).toEqual([path, 200]);
      expect(await page.text()).not.toContain('hunter2');
    }
  });

  test('is resolved as soon as it is fixed, and what waited for the webhook is sent', async () => {
    const posted: string[] = [];
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(204).end());
      posted.push(String(request.headers['webhook-signature']));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => new Promise<void>((closed) => server.close(() => closed())));
    let now = Date.now();
    const seam: Seam = { ...openSeam, now: () => now };
    const vault = new MemoryVault();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await setChannels(vault, { 'alert-webhook-url': 'nowhere', 'alert-webhook-key': SIGNING_KEY });
    const app = appWith({}, { vault, seam });
    await runMonitor(app);
    await setChannels(vault, { 'alert-webhook-url': url });
    for (let minute = 0; minute < 5; minute++) {
      now += 60_000;
      await runMonitor(app);
    }
    expect(await app.alerts.open()).toEqual([]);
    const [over] = (await app.alerts.past({ limit: 1 })).alerts;
    const deliveries = await app.alerts.deliveries(over?.id ?? '');
    expect(deliveries.map(({ what, result }) => [what, result])).toEqual([
      ['opened', 'delivered'],
      ['closed', 'delivered'],
    ]);
    expect(posted).toHaveLength(2);
  });

  test('has no separate alert while the whole vault refuses', async () => {
    const seam: Seam = {
      ...openSeam,
      call: (point, effect) =>
        point.startsWith('vault.')
          ? Promise.reject(new PostroomError('key-vault-denied', 'Key Vault did not get x (status 403)'))
          : effect(),
    };
    const app = appWith({}, { seam });
    await runMonitor(app);
    expect((await app.alerts.open()).map(shownOf).map(({ kind }) => kind)).toEqual(['vault-failing']);
  });

  test('leaves no pending notification for a webhook that turns out not to be configured', async () => {
    let now = Date.now();
    let away = true;
    const seam: Seam = {
      now: () => now,
      call: (point, effect) =>
        away && point.startsWith('vault.')
          ? Promise.reject(new PostroomError('key-vault', 'no answer'))
          : effect(),
    };
    const app = appWith({}, { seam });
    await runMonitor(app);
    away = false;
    for (let minute = 0; minute < 25; minute++) {
      now += 60_000;
      await runMonitor(app);
    }
    const tables = app.tables.open('Alerts');
    const rows = await tables.list('alert');
    expect(rows.filter(({ rowKey }) => /^(?:outgoing|sent)\|/.test(rowKey))).toEqual([]);
  });
});
