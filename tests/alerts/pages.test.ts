import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { glanceAt, isCalm } from '../../dev/drill/home-page.ts';
import { promisedOnce } from '../../functions/pages/alerts/alert-views.tsx';
import { MailChart } from '../../functions/pages/status/home-views.tsx';
import { servicesOn } from '../../functions/services.ts';
import { createWeb } from '../../functions/web.ts';
import { type Drawn, expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { silent, storageDown } from '../harness/memory/sample-findings.ts';
import { postrooms } from '../harness/pages/alert-pages.ts';
import { NOW, origin, principalHeader, type SamplePostroom } from '../harness/pages/sample-postroom.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const made = new Map<string, SamplePostroom>();
const postroomNamed = async (name: string): Promise<SamplePostroom> => {
  const postroom = made.get(name) ?? (await postrooms[name]?.());
  if (postroom === undefined) throw new Error(`no installation ${name}`);
  made.set(name, postroom);
  return postroom;
};
const page = async (name: string, path: string, role: 'admin' | 'agent' = 'admin'): Promise<string> =>
  (await (await postroomNamed(name)).ask(path, { role })).text();

describe('the home page', () => {
  test.each([
    [
      'a dead sign-in',
      'Not receiving mail from billing@contoso.example and support@contoso.example: someone has to sign in again',
      '/providers/p1/connect?mailbox=billing',
    ],
    ['several faults', 'Not receiving mail: the timer fetchMail is not running', '/health'],
    ['a warning', 'The client secret of Contoso ends in 30 days', '/providers/p1/edit'],
  ])(
    '%s: the first sentence says what is wrong, the first link leads to the fix',
    async (name, says, leads) => {
      expect(glanceAt(await page(name, '/'))).toEqual({ says, leads });
    },
  );

  test('is one calm line if nothing is wrong', async () => {
    const html = await page('calm', '/');
    expect(glanceAt(html).says).toBe('Mail is flowing');
    expect(html).toContain('All mailboxes are up to date. No action needed.');
    expect(html).not.toContain('class="findings"');
    expect(isCalm(html)).toBe(true);
    for (const name of ['a dead sign-in', 'several faults', 'a warning', 'a hiccup'])
      expect(isCalm(await page(name, '/'))).toBe(false);
  });

  test('shows no mailbox as working while the fetch timer is late', async () => {
    const late = await page('a late timer', '/');
    expect(late.match(/Not fetched</g)).toHaveLength(2);
    expect(late).not.toContain('OK<');
    expect(late).not.toContain('Each minute<');
    expect(await page('a late timer', '/activity')).not.toContain('OK<');
    expect(await page('calm', '/')).toContain('OK<');
  });

  test('shows how much waits, when each mailbox is retried, and the email of each hour', async () => {
    const html = await page('a dead sign-in', '/');
    expect(html).toContain('No mail is lost: at least 14 unread emails wait in 2 mailboxes.');
    expect(html).toContain('14 emails');
    expect(html).toContain('189 emails received. Busiest hour: 21:00 UTC (31).');
    expect(html.match(/<rect /g)).toHaveLength(24);
  });

  test('uses the singular for one email, also if all came in one hour', () => {
    const hours = (...emails: number[]) =>
      String(
        MailChart({
          hours: emails.map((count, index) => ({
            hour: `2026-11-24T0${index}`,
            emails: count,
            quarantined: 0,
          })),
        }),
      );
    expect(hours(0, 1)).toContain('1 email received, in the hour from 01:00 UTC.');
    expect(hours(0, 3)).toContain('3 emails received, all in the hour from 01:00 UTC.');
    expect(hours(1, 3)).toContain('4 emails received. Busiest hour: 01:00 UTC (3).');
  });

  test('and every other page say only once that no email is lost', async () => {
    for (const name of ['a dead sign-in', 'several faults', 'a warning', 'a hiccup'])
      for (const path of ['/', '/alerts'])
        expect(
          ((await page(name, path)).match(/no mail is lost|none is lost/gi) ?? []).length,
          `${name} ${path}`,
        ).toBeLessThan(2);
    const waits = (affected: string) => silent('support', { affected });
    const words = promisedOnce([
      waits('Mail flows.'),
      waits('No mail is lost: it waits in the mailbox.'),
      waits('No mail is lost: it waits in 2 mailboxes.'),
      waits('No mail is lost: at least 14 unread emails wait in the mailbox.'),
      waits('No mail is lost, and new email becomes tickets.'),
      waits('No mail is lost. Mailboxes go on until their tokens end.'),
    ]).map(({ affected }) => affected);
    expect(words).toEqual([
      'Mail flows.',
      'No mail is lost: it waits in the mailbox.',
      'Mail waits in 2 mailboxes.',
      'At least 14 unread emails wait in the mailbox.',
      'New email becomes tickets.',
      'Mailboxes go on until their tokens end.',
    ]);
  });

  test('shows an agent what is wrong, without links to admin pages', async () => {
    const html = await page('several faults', '/', 'agent');
    expect(html).toContain('An administrator can fix this.');
    for (const adminOnly of ['href="/health"', 'href="/mailboxes/', 'href="/providers/'])
      expect(html).not.toContain(adminOnly);
  });
});

describe('the alerts page', () => {
  test('shows what is open, who was notified, and what is resolved', async () => {
    const html = await page('what is over', '/alerts');
    expect(html).toContain('The client secret of Contoso ends in 30 days.');
    expect(html).toContain('Not sent by email or webhook.');
    expect(html.indexOf('support@contoso.example is not fetched.')).toBeGreaterThan(
      html.indexOf('Resolved alerts'),
    );
  });

  test('says so if there are none', async () => {
    expect(await page('calm', '/alerts')).toContain('No active alerts.');
  });
});

describe('the health page', () => {
  test('shows an admin each service, each timer, and who is notified, but no webhook URL', async () => {
    const html = await page('several faults', '/health');
    for (const part of [
      'Tables',
      'Blobs',
      'Queues',
      'Key Vault',
      'fetchMail',
      'monitor',
      'vault-events-poison',
    ])
      expect(html).toContain(part);
    expect(html).toContain('Late');
    expect(html).toContain('ALERT_EMAIL is not set');
  });

  test('names the channel secret that cannot be used, and shows nothing of it', async () => {
    const html = await page('channels that cannot be used', '/health');
    expect(html).toContain('the secret alert-webhook-url cannot be used');
    expect(html).not.toContain('hooks.example');
    const alerts = await page('channels that cannot be used', '/alerts');
    expect(alerts).toContain(
      'Alerts cannot be sent through the SMTP relay: the secret smtp-relay-url cannot be used.',
    );
    expect(alerts).toContain('The key has 1 byte, and at least 24 are needed.');
  });

  test('is not for agents', async () => {
    expect((await (await postroomNamed('calm')).ask('/health', { role: 'agent' })).status).toBe(403);
  });
});

describe('while storage is unavailable', () => {
  const brokenPostroom = async () => {
    const seam = new FaultySeam({
      now: () => NOW,
      faultAt: (_call, point) => (point.startsWith('table.') ? 'failBefore' : undefined),
    });
    const postroom = await postroomNamed('calm');
    const services = servicesOn({
      config: postroom.services.config,
      seam,
      tables: new MemoryTables(seam),
      blobs: new MemoryBlobs(seam),
      queues: new MemoryQueues(seam),
      vault: new MemoryVault(seam),
    });
    const web = createWeb(() => services);
    const ask = (role?: 'admin' | 'agent') =>
      web.request(`${origin}/`, { headers: role === undefined ? {} : principalHeader(role) });
    return { services, ask };
  };

  test('every page says so first, and leads an admin to the storage account', async () => {
    const { ask } = await brokenPostroom();
    const answer = await ask('admin');
    expect(answer.status).toBe(503);
    const { says, leads } = glanceAt(await answer.text());
    expect(says).toBe('Not receiving mail: Postroom’s storage does not respond');
    expect(leads).toContain('https://portal.azure.com/');
    expect(await (await ask('agent')).text()).not.toContain('portal.azure.com');
  });

  test('the page shows the alert in memory, with the time it was seen', async () => {
    const { services, ask } = await brokenPostroom();
    await services.alerts.keepInMemory([{ ...storageDown, headline: 'Held in memory.' }]);
    expect(glanceAt(await (await ask('admin')).text()).says).toBe('Held in memory');
  });

  test('a visitor who is not signed in sees no details', async () => {
    const { ask } = await brokenPostroom();
    expect((await ask()).status).toBe(302);
  });
});

describe('every state', () => {
  const drawn: Record<string, string> = {};
  beforeAll(async () => {
    for (const name of ['a dead sign-in', 'several faults', 'a hiccup'])
      drawn[`home, ${name}`] = await page(name, '/');
    drawn['alerts'] = await page('what is over', '/alerts');
    for (const path of ['/alerts', '/health', '/'])
      drawn[`channels at ${path.slice(1) || 'home'}`] = await page('channels that cannot be used', path);
    drawn['health, a late timer'] = await page('several faults', '/health');
  });

  test('is a complete page', () => {
    expectWhole(drawn satisfies Drawn);
    for (const html of Object.values(drawn)) expect(html).not.toContain('Something went wrong');
  });

  test('passes axe in light and dark mode, and fits a phone', async () => {
    await expectUsableInBrowser(drawn);
  });
});
