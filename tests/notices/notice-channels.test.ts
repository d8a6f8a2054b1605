import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { servicesOn } from '../../functions/services.ts';
import { sweepAll } from '../../functions/sweep.ts';
import { tokenContext } from '../../shared/accounts/account.ts';
import { parseConfig } from '../../shared/platform/config.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryVault } from '../accounts/memory-vault.ts';
import { mailboxOf } from '../harness/intake-world.ts';
import { MemoryBlobs } from '../harness/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory-queues.ts';
import { MemoryTables } from '../harness/memory-tables.ts';
import { sales, sam } from '../peers/mail-lab.ts';
import { useMailServer } from '../peers/mail-under-test.ts';
import { silent } from './sample-conditions.ts';
import { sampleProvider } from '../ui/sample-desk.ts';
import { ACCOUNT, PROVIDER, sampleAccount } from './watched-desk.ts';

const mail = useMailServer('npm');
beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));
beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const appWith = (settings: Record<string, string>, seam: Seam = openSeam) => {
  const config = parseConfig({
    DataStorage: 'UseDevelopmentStorage=true',
    KEY_VAULT_URI: 'https://vault.example',
    PUBLIC_URL: 'https://desk.example',
    POSTROOM_LOCAL: 'true',
    ...settings,
  });
  return servicesOn({
    config,
    seam,
    tables: new MemoryTables(seam),
    blobs: new MemoryBlobs(seam),
    queues: new MemoryQueues(seam),
    vault: new MemoryVault(seam),
  });
};

test('the settings make the channels: one notice leaves by mail over the relay and by webhook, once each', async () => {
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
  const { notices } = appWith({
    NOTICE_EMAIL: sales,
    SMTP_RELAY_URL: `smtp://${host}:${port}`,
    NOTICE_WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    NOTICE_WEBHOOK_KEY: 'k',
  });
  await notices.observe({ source: 'watch', conditions: [silent()] });
  await notices.deliver();
  await notices.deliver();
  expect(await mail.received(inbox, '[Postroom] support@contoso.example is not fetched')).toContain(
    'https://desk.example/mailboxes/support/test',
  );
  expect(posted.map((body) => JSON.parse(body).type)).toEqual(['notice.opened']);
  const [open] = await notices.open();
  expect((await notices.deliveries(open?.id ?? '')).map(({ channel }) => channel).sort()).toEqual([
    'email',
    'webhook',
  ]);
});

test('a dead account over which the notice of it was to be mailed is that one notice, and no server is blamed', async () => {
  const app = appWith({ NOTICE_EMAIL: sales });
  const { smtp } = mail.server();
  const sending = { ...smtp, providerId: 'p', accountId: 'removed' };
  await app.mailboxes.save({ ...mailboxOf({ kind: 'mark-seen' }), sending });
  const dead = silent('removed', {
    kind: 'consent-dead',
    subject: { kind: 'account', id: 'removed', name: 'sam' },
  });
  await app.notices.observe({ source: 'watch', conditions: [dead] });
  await app.notices.deliver();
  expect((await app.notices.open()).map(({ key }) => key)).toEqual(['consent-dead|account|removed']);
});

test('with storage away and no relay a notice leaves over a mailbox that this process knew before, once', async () => {
  let away = false;
  const seam: Seam = {
    ...openSeam,
    call: (point, effect) =>
      away && point.startsWith('table.')
        ? Promise.reject(new PostroomError('table-storage', 'no answer'))
        : effect(),
  };
  const app = appWith({ NOTICE_EMAIL: sales }, seam);
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
  await sweepAll(app);
  const inbox = await mail.emptyInbox(sales);
  away = true;
  await sweepAll(app);
  expect(await mail.received(inbox, 'the storage of Postroom does not answer')).toMatch(
    /^From: Postroom <sam@contoso\.example>/m,
  );
  away = false;
  await sweepAll(app);
  await mail.received(inbox, 'Over: ');
  const [over] = (await app.notices.past({ limit: 5 })).notices;
  expect((await app.notices.deliveries(over?.id ?? '')).map(({ what, result }) => [what, result])).toEqual([
    ['opened', 'delivered'],
    ['closed', 'delivered'],
  ]);
});

test('without any setting the pages alone tell, and nothing waits for a channel that is not there', async () => {
  const { notices } = appWith({});
  await notices.observe({ source: 'watch', conditions: [silent()] });
  await notices.deliver();
  const [open] = await notices.open();
  expect(open?.told).toBe(1);
  expect(await notices.deliveries(open?.id ?? '')).toEqual([]);
});
