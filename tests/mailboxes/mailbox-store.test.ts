import { describe, expect, test } from 'vitest';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { routeOf } from '../../shared/outbox/send-mail.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory-tables.ts';

const login = { host: 'mail.contoso.example', port: 587, providerId: 'q', accountId: 'b' };
const before: Omit<Mailbox, 'id'> = {
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'mail.contoso.example',
  port: 993,
  folder: 'INBOX',
  providerId: 'p',
  accountId: 'a',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T08:00:00.000Z',
};

describe('a stored mailbox', () => {
  test('of an earlier version, which neither sends nor knows POP3, is read as it was', async () => {
    const tables = new MemoryTables(openSeam);
    const row = { partitionKey: 'mailbox', rowKey: 'old', json: JSON.stringify(before) };
    await tables.open('Mailboxes').commit('mailbox', [{ kind: 'put', row }]);
    const mailbox = await createMailboxStore(tables).get('old');
    expect(mailbox).toEqual({ ...before, id: 'old' });
    expect(mailbox && routeOf(mailbox)).toBeUndefined();
  });

  test('keeps a server and an account for each protocol', async () => {
    const mailboxes = createMailboxStore(new MemoryTables(openSeam));
    const mailbox: Mailbox = { ...before, id: 'new', sending: login, pop3: { ...login, port: 995 } };
    await mailboxes.save(mailbox);
    expect(await mailboxes.get('new')).toEqual(mailbox);
    expect(routeOf(mailbox)).toEqual({
      kind: 'mailbox',
      host: 'mail.contoso.example',
      port: 587,
      user: 'support@contoso.example',
      account: { providerId: 'q', accountId: 'b' },
    });
  });
});
