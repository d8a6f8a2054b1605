/** Replies that need attention, as Chromium draws them: long lines of servers, several recipients, two buttons. */
import { beforeEach, expect, it } from 'vitest';
import type { Delivery } from '../../shared/outbox/delivery.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { email } from '../harness/memory/outbox-emails.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const at = '2026-11-24T10:00:12.000Z';
const due = '2026-11-24T10:05:00.000Z';
const unavailable = {
  code: codeFrom('smtp-unreachable'),
  reason: 'The server does not answer.',
  isVerdict: false,
};
const lost = { code: codeFrom('smtp-answer-lost'), reason: 'The connection ended.', isVerdict: false };
const busy = {
  code: codeFrom('smtp-concurrent-connections'),
  reason:
    '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=AM0PR02MB1234.eurprd02.prod.outlook.com 2026-11-24T10:00:12.000Z 08DD0C0A1B2C3D4E]',
  isVerdict: true,
};
const refused = {
  code: codeFrom('smtp-recipient-unknown'),
  reason:
    '550 5.1.1 <kim@customer.example>: Recipient address rejected: User unknown in virtual mailbox table',
  isVerdict: true,
};
const switchedOff = {
  code: codeFrom('smtp-auth-disabled-tenant'),
  reason:
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AS4P190CA0033.EURP190.PROD.OUTLOOK.COM 2026-11-24T10:00:12.000Z 08DD0C0A1B2C3D4E]',
  isVerdict: true,
};
const accepted = '250 2.0.0 Ok: queued as 4XyZ1a2B3c4D5e';

const states: Readonly<Record<string, Delivery['status']>> = {
  retrying: { state: 'retrying', at, due, why: busy },
  unreachable: { state: 'retrying', at, due, why: unavailable },
  failed: { state: 'failed', at, why: refused, isOfWayOut: false },
  unanswered: { state: 'failed', at, why: unavailable, isOfWayOut: false },
  held: { state: 'failed', at, why: switchedOff, isOfWayOut: true },
  searched: { state: 'unknown', at, due, why: lost, searches: 0 },
  unknown: { state: 'unknown', at, why: lost, searches: 2 },
  partly: {
    state: 'sent',
    at,
    answer: accepted,
    foundInSent: false,
    refused: ['warehouse@fabrikam.example', 'accounts-payable.department@subsidiary.fabrikam.example'].map(
      (address) => ({ address, line: `550 5.1.1 <${address}>: Recipient address rejected: User unknown` }),
    ),
  },
};

let postroom: SamplePostroom;
let ticket: string;
beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox({
    sending: { host: 'smtp.office365.com', port: 587, providerId: 'p1', accountId: 'a1' },
  });
  ticket = await postroom.file({ minutesAgo: 60, text: 'The printer says no.\nAda' });
});

/** The ticket's page with one reply in each of these states. */
async function drawn(names: readonly string[], role: 'admin' | 'agent'): Promise<string> {
  for (const name of names) {
    const status = states[name];
    if (status === undefined) throw new Error(`There is no state ${name}.`);
    const text = { kind: 'inline', text: `Reply in the state ${name}` } as const;
    const message = email(name, {
      ticketId: ticket,
      by: 'Mira Sund',
      to: ['ada@fabrikam.example'],
      cc: ['warehouse@fabrikam.example', 'accounts-payable.department@subsidiary.fabrikam.example'],
      text,
      source: text,
      written: { personId: 'm', quotes: false },
      delivery: { status, attempts: 3 },
    });
    expect(await postroom.services.outbox.queue(message)).toMatchObject({ ok: true });
    if (name === 'held') await postroom.services.outbox.hold(message);
  }
  return (await postroom.ask(`/tickets/${ticket}`, { role })).text();
}

it('replies that were not sent, or nobody knows, are whole and accessible', async () => {
  const waiting = await drawn(['retrying', 'unreachable', 'held'], 'admin');
  const open = await drawn(['failed', 'unanswered', 'searched', 'unknown', 'partly'], 'agent');
  for (const name of Object.keys(states)) expect(open).toContain(`id="o-${name}"`);
  expect(waiting.split('SmtpClientAuthentication is disabled'), 'the server’s line once').toHaveLength(2);
  const explained = waiting.replaceAll('<details>', '<details open="">');
  const pages = { 'every state': open, explained };
  expectWhole(pages);
  await expectUsableInBrowser(pages);
});
