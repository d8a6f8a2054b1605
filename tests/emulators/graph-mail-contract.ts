import { describe, expect, test } from 'vitest';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, plainMail, sales, sam, support } from '../harness/stack/mail-lab.ts';

const SIZE = "$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')";

/** What Graph shows of the mailboxes of either mail server. */
export function describeGraphMail(kind: MailServerKind): void {
  const { ask, token, graph, server, empty, mailbox, imapAs, lab, restartGraph } = useGraphMail(kind);

  const subjects = (rows: readonly Record<string, unknown>[] | undefined): unknown[] =>
    (rows ?? []).map(({ subject }) => subject);
  const at = (day: number): Date => new Date(Date.UTC(2026, 10, day, 12));
  async function fill(count: number): Promise<Buffer[]> {
    await empty(support);
    const raws = Array.from({ length: count }, (_, index) =>
      plainMail({ subject: `mail ${index + 1}`, from: `Kim <kim${index + 1}@customer.example>` }),
    );
    for (const [index, raw] of raws.entries()) await server().deliver(support, raw, at(index + 1));
    return raws;
  }

  test('lists the standard folders with their counts, in pages', async () => {
    await fill(3);
    const bearer = await token(support);
    const first = await ask(bearer, 'me/mailFolders?$top=4&$count=true');
    expect(first.body['@odata.count']).toBe(6);
    const second = await ask(bearer, String(first.body['@odata.nextLink']));
    const names = [...(first.body.value ?? []), ...(second.body.value ?? [])].map(
      (row) => row['displayName'],
    );
    expect(names).toEqual(['Archive', 'Deleted Items', 'Drafts', 'Inbox', 'Junk Email', 'Sent Items']);
    expect(second.body['@odata.nextLink']).toBeUndefined();
    const inbox = await ask(bearer, 'me/mailFolders/inbox');
    expect(inbox.body).toMatchObject({ displayName: 'Inbox', totalItemCount: 3, unreadItemCount: 3 });
    const same = await ask(bearer, `users/${support}/mailFolders/${String(inbox.body['id'])}`);
    expect(same.body).toEqual(inbox.body);
    expect((await ask(bearer, 'me/mailFolders/nowhere')).body.error?.code).toBe('ErrorInvalidIdMalformed');
  });

  test('creates folders and finds them below their parent by name', async () => {
    const bearer = await token(support);
    const made = await ask(bearer, 'me/mailFolders', {
      method: 'POST',
      body: { displayName: `Fälle ${kind}` },
    });
    expect(made.status).toBe(201);
    const below = `me/mailFolders/${String(made.body['id'])}/childFolders`;
    expect((await ask(bearer, below, { method: 'POST', body: { displayName: 'Done' } })).status).toBe(201);
    const found = await ask(bearer, `${below}?$filter=displayName eq 'Done'`);
    expect(found.body.value).toMatchObject([{ displayName: 'Done', parentFolderId: made.body['id'] }]);
    const again = await ask(bearer, below, { method: 'POST', body: { displayName: 'Done' } });
    expect([again.status, again.body.error?.code]).toEqual([409, 'ErrorFolderExists']);
  });

  test('lists messages newest first, in pages, with the fields that were asked for', async () => {
    await fill(5);
    const bearer = await token(support);
    const path = 'me/mailFolders/inbox/messages';
    const first = await ask(bearer, `${path}?$select=subject,receivedDateTime&$top=3`);
    expect(subjects(first.body.value)).toEqual(['mail 5', 'mail 4', 'mail 3']);
    expect(Object.keys(first.body.value?.[0] ?? {}).sort()).toEqual([
      '@odata.etag',
      'id',
      'receivedDateTime',
      'subject',
    ]);
    expect(first.body.value?.[0]?.['receivedDateTime']).toBe('2026-11-05T12:00:00Z');
    const second = await ask(bearer, String(first.body['@odata.nextLink']));
    expect(subjects(second.body.value)).toEqual(['mail 2', 'mail 1']);
    const oldest = await ask(bearer, `${path}?$orderby=receivedDateTime asc&$top=1`);
    expect(oldest.body.value).toMatchObject([
      {
        subject: 'mail 1',
        isRead: false,
        internetMessageId: '<mail-1@customer.example>',
        from: { emailAddress: { name: 'Kim', address: 'kim1@customer.example' } },
        toRecipients: [{ emailAddress: { address: support } }],
        body: { contentType: 'text' },
      },
    ]);
  });

  test.each([
    ['receivedDateTime ge 2026-11-03T12:00:00Z and receivedDateTime lt 2026-11-04T12:00:00Z', ['mail 3']],
    ["internetMessageId eq '<mail-2@customer.example>'", ['mail 2']],
    ["from/emailAddress/address eq 'KIM1@customer.example'", ['mail 1']],
    ['isRead eq true', ['mail 4']],
  ])('filters messages by %s', async (filter, expected) => {
    await fill(4);
    const bearer = await token(support);
    const files = mailbox(support);
    const newest = ((await files.emails('INBOX')) ?? []).at(-1);
    if (newest !== undefined) await files.setSeen(newest, true);
    const query = new URLSearchParams({ $filter: filter, $select: 'subject' });
    const answer = await ask(bearer, `me/mailFolders/inbox/messages?${query}`);
    expect(subjects(answer.body.value)).toEqual(expected);
  });

  test('refuses a filter that it does not understand, and one that Exchange finds too complex', async () => {
    const bearer = await token(support);
    const list = 'me/mailFolders/inbox/messages';
    expect((await ask(bearer, `${list}?$filter=hasAttachments eq true`)).status).toBe(400);
    const complex = await ask(bearer, `${list}?$filter=isRead eq false&$orderby=receivedDateTime desc`);
    expect(complex.body.error?.code).toBe('InefficientFilter');
  });

  test('shows the header of an email that is nested too deeply to be read', async () => {
    await empty(support);
    const nested = Array.from(
      { length: 300 },
      (_, level) => `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n`,
    );
    await server().deliver(support, Buffer.from(`Subject: deep\r\n${nested.join('')}`));
    const list = await ask(await token(support), 'me/mailFolders/inbox/messages?$select=subject');
    expect(subjects(list.body.value)).toEqual(['deep']);
  });

  test('returns the whole MIME text and ignores a range', async () => {
    const [raw = Buffer.alloc(0)] = await fill(1);
    const bearer = await token(support);
    const list = await ask(bearer, `me/mailFolders/inbox/messages?$select=id&${SIZE}`);
    const [row = {}] = list.body.value ?? [];
    expect(row['singleValueExtendedProperties']).toEqual([
      { id: 'Integer 0xe08', value: String(raw.length + 2048) },
    ]);
    const whole = await ask(bearer, `me/messages/${String(row['id'])}/$value`, {
      headers: { range: 'bytes=0-9' },
    });
    expect([whole.status, whole.text]).toEqual([200, raw.toString()]);
    expect(whole.headers.get('content-type')).toBe('text/plain');
  });

  test('changes an id with a move unless the id is immutable', async () => {
    await fill(1);
    const bearer = await token(support);
    const immutable = { headers: { prefer: 'IdType="ImmutableId"' } };
    const list = 'me/mailFolders/inbox/messages?$select=id';
    const usual = String((await ask(bearer, list)).body.value?.[0]?.['id']);
    const kept = await ask(bearer, list, immutable);
    expect(kept.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    const constant = String(kept.body.value?.[0]?.['id']);
    const moved = await ask(bearer, `me/messages/${usual}/move`, {
      method: 'POST',
      body: { destinationId: 'archive' },
    });
    expect(moved.status).toBe(201);
    expect(moved.body['id']).not.toBe(usual);
    expect((await ask(bearer, `me/messages/${usual}`)).body.error?.code).toBe('ErrorItemNotFound');
    const after = await ask(bearer, `me/messages/${constant}`, immutable);
    expect(after.body).toMatchObject({ id: constant, subject: 'mail 1' });
    expect((await ask(bearer, 'me/mailFolders/archive')).body['totalItemCount']).toBe(1);
  });

  test('marks as read, deletes into Deleted Items, and there for good', async () => {
    await fill(1);
    const bearer = await token(support);
    const path = async (folder: string): Promise<string> => {
      const rows = (await ask(bearer, `me/mailFolders/${folder}/messages?$select=id`)).body.value ?? [];
      return `me/messages/${String(rows[0]?.['id'])}`;
    };
    const read = await ask(bearer, await path('inbox'), { method: 'PATCH', body: { isRead: true } });
    expect(read.body['isRead']).toBe(true);
    expect((await ask(bearer, 'me/mailFolders/inbox')).body['unreadItemCount']).toBe(0);
    expect((await ask(bearer, await path('inbox'), { method: 'DELETE' })).status).toBe(204);
    expect((await ask(bearer, await path('deleteditems'), { method: 'DELETE' })).status).toBe(204);
    expect(await mailbox(support).emails('Deleted Items')).toEqual([]);
  });

  test('shows over IMAP what was changed over Graph, and the reverse', async () => {
    const [first = Buffer.alloc(0)] = await fill(2);
    const bearer = await token(support);
    const rows = (await ask(bearer, 'me/mailFolders/inbox/messages?$select=id')).body.value ?? [];
    const [newer, older] = rows.map(({ id }) => `me/messages/${String(id)}`);
    await ask(bearer, String(older), { method: 'PATCH', body: { isRead: true } });
    await ask(bearer, `${older}/move`, { method: 'POST', body: { destinationId: 'archive' } });
    const client = await imapAs(support);
    await client.mailboxOpen('Archive');
    const there = await client.fetchOne('*', { source: true, flags: true });
    expect(there === false ? undefined : [String(there.source), there.flags?.has('\\Seen')]).toEqual([
      String(first),
      true,
    ]);
    await client.mailboxOpen('INBOX');
    expect(await client.search({ seen: false })).toHaveLength(1);
    await client.messageFlagsAdd('1', ['\\Seen']);
    expect((await ask(bearer, String(newer))).body['isRead']).toBe(true);
    await client.messageMove('1', 'Junk Email');
    expect((await ask(bearer, String(newer))).status).toBe(404);
    expect((await ask(bearer, 'me/mailFolders/junkemail')).body['totalItemCount']).toBe(1);
  });

  test('shows copies that were made over IMAP as messages of their own', async () => {
    await fill(1);
    const bearer = await token(support);
    const client = await imapAs(support);
    await client.mailboxOpen('INBOX');
    await client.messageCopy('1', 'INBOX');
    await client.messageCopy('1', 'Archive');
    const list = 'me/messages?$select=subject,parentFolderId';
    const all = (await ask(bearer, list)).body.value ?? [];
    expect(subjects(all)).toEqual(['mail 1', 'mail 1', 'mail 1']);
    expect(new Set(all.map(({ id }) => id)).size).toBe(3);
    for (const { id } of all)
      expect((await ask(bearer, `me/messages/${String(id)}/$value`)).status).toBe(200);
    const inbox = (await ask(bearer, 'me/mailFolders/inbox')).body['id'];
    for (const { id } of all.filter(({ parentFolderId }) => parentFolderId === inbox))
      await ask(bearer, `me/messages/${String(id)}/move`, {
        method: 'POST',
        body: { destinationId: 'archive' },
      });
    expect((await ask(bearer, 'me/mailFolders/archive')).body['totalItemCount']).toBe(3);
  });

  describe('delta', () => {
    const start = 'me/mailFolders/inbox/messages/delta?$select=subject,isRead';
    const small = { headers: { prefer: 'odata.maxpagesize=2' } };
    async function round(
      bearer: string,
      from: string,
    ): Promise<{ rows: Record<string, unknown>[]; link: string }> {
      const rows: Record<string, unknown>[] = [];
      for (let link = from; ; ) {
        const { body, headers } = await ask(bearer, link, small);
        expect(headers.get('preference-applied')).toBe('odata.maxpagesize=2');
        expect(body.value?.length).toBeLessThanOrEqual(2);
        rows.push(...(body.value ?? []));
        if (body['@odata.deltaLink'] !== undefined) return { rows, link: String(body['@odata.deltaLink']) };
        link = String(body['@odata.nextLink']);
      }
    }

    test('tells all messages in pages, then only what changed, also after a restart', async () => {
      await fill(3);
      const bearer = await token(support);
      const first = await round(bearer, start);
      expect(subjects(first.rows)).toEqual(['mail 3', 'mail 2', 'mail 1']);
      await restartGraph();
      expect((await round(bearer, first.link)).rows).toEqual([]);
      const gone = String(first.rows[0]?.['id']);
      await ask(bearer, `me/messages/${gone}/move`, { method: 'POST', body: { destinationId: 'archive' } });
      await ask(bearer, `me/messages/${String(first.rows[2]?.['id'])}`, {
        method: 'PATCH',
        body: { isRead: true },
      });
      await server().deliver(support, plainMail({ subject: 'mail 4' }), at(4));
      const second = await round(bearer, first.link);
      expect(second.rows).toHaveLength(3);
      expect(second.rows).toContainEqual({ '@removed': { reason: 'deleted' }, id: gone });
      expect(second.rows).toContainEqual(expect.objectContaining({ subject: 'mail 1', isRead: true }));
      expect(second.rows).toContainEqual(expect.objectContaining({ subject: 'mail 4', isRead: false }));
      expect((await round(bearer, second.link)).rows).toEqual([]);
    });

    test('tells only new messages to who asks for created ones', async () => {
      await fill(1);
      const bearer = await token(support);
      const first = await round(bearer, `${start}&changeType=created`);
      await ask(bearer, `me/messages/${String(first.rows[0]?.['id'])}`, {
        method: 'PATCH',
        body: { isRead: true },
      });
      await server().deliver(support, plainMail({ subject: 'newer' }), at(2));
      expect(subjects((await round(bearer, first.link)).rows)).toEqual(['newer']);
    });

    test('refuses an expired token and names where to start again', async () => {
      await fill(1);
      const bearer = await token(support);
      const { link } = await round(bearer, start);
      graph().makeMailTrouble({ action: 'expire-delta', mailbox: support });
      const refused = await ask(bearer, link);
      expect([refused.status, refused.body.error?.code]).toEqual([410, 'SyncStateNotFound']);
      const again = await round(bearer, String(refused.headers.get('location')));
      expect(again.rows).toHaveLength(1);
    });

    test('refuses a token that is no token of this folder', async () => {
      const bearer = await token(support);
      const bad = await ask(bearer, 'me/mailFolders/inbox/messages/delta?$deltatoken=abc');
      expect([bad.status, bad.body.error?.code]).toEqual([400, 'SyncStateInvalid']);
    });
  });

  test('answers four requests of a mailbox at a time, also those of a batch', async () => {
    const bearer = await token(support);
    const requests = Array.from({ length: 6 }, (_, index) => ({
      id: String(index),
      method: 'GET',
      url: '/me/mailFolders/inbox',
    }));
    const { body } = await ask(bearer, '$batch', { method: 'POST', body: { requests } });
    const responses = body['responses'] as { status: number; body: { error?: { message: string } } }[];
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429]);
    expect(responses[4]?.body.error?.message).toContain('MailboxConcurrency');
    const many = Array.from({ length: 21 }, (_, index) => ({ ...requests[0], id: String(index) }));
    expect((await ask(bearer, '$batch', { method: 'POST', body: { requests: many } })).status).toBe(400);
  });

  test('throttles and fails as a fault tells it, with a request id on each answer', async () => {
    const bearer = await token(support);
    graph().faults.push({ match: { path: '/mailFolders' }, status: 429, headers: { 'retry-after': '7' } });
    graph().faults.push({ match: { path: '/mailFolders' }, status: 503 });
    const throttled = await ask(bearer, 'me/mailFolders');
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await ask(bearer, 'me/mailFolders')).status).toBe(503);
    const answer = await ask(bearer, 'me/mailFolders', { headers: { 'client-request-id': 'mine' } });
    expect(answer.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('client-request-id')).toBe('mine');
  });

  describe('authorization', () => {
    test('gives nothing without a token for Graph', async () => {
      const outlook = await lab().token(support);
      const expired = await token(support, { lifetime: -60 });
      for (const bearer of ['', outlook, expired]) {
        const answer = await ask(bearer, 'me/mailFolders');
        expect([answer.status, answer.body.error?.code]).toEqual([401, 'InvalidAuthenticationToken']);
      }
    });

    test('shows no body with Mail.ReadBasic and changes nothing with Mail.Read', async () => {
      await fill(1);
      const basic = await token(support, { scp: 'Mail.ReadBasic' });
      const list = await ask(basic, 'me/mailFolders/inbox/messages');
      const [row = {}] = list.body.value ?? [];
      expect(row).toMatchObject({ subject: 'mail 1' });
      expect(row).not.toHaveProperty('body');
      expect(row).not.toHaveProperty('bodyPreview');
      const message = `me/messages/${String(row['id'])}`;
      const reader = await token(support, { scp: 'Mail.Read' });
      expect((await ask(reader, `${message}/$value`)).status).toBe(200);
      for (const refused of [
        await ask(basic, `${message}/$value`),
        await ask(basic, `${message}?$select=body`),
        await ask(reader, message, { method: 'PATCH', body: { isRead: true } }),
        await ask(reader, message, { method: 'DELETE' }),
        await ask(await token(support, { scp: 'Mail.Send' }), message),
      ])
        expect([refused.status, refused.body.error?.code]).toEqual([403, 'ErrorAccessDenied']);
    });

    test('opens a shared mailbox to its delegates with a shared scope only', async () => {
      const shared = { scp: 'Mail.ReadWrite.Shared' };
      const folder = `users/${info}/mailFolders/inbox`;
      expect((await ask(await token(sam, shared), folder)).status).toBe(200);
      expect((await ask(await token(sam), folder)).status).toBe(403);
      expect((await ask(await token(sales, shared), folder)).status).toBe(403);
    });

    test('opens to an app the mailboxes that it is allowed', async () => {
      const app = await token('', { roles: ['Mail.ReadWrite'] });
      expect((await ask(app, `users/${info}/mailFolders/inbox`)).status).toBe(200);
      expect((await ask(app, `users/${sam}/mailFolders/inbox`)).body.error?.code).toBe('ErrorAccessDenied');
      expect((await ask(app, 'users/nobody@contoso.example/mailFolders')).body.error?.code).toBe(
        'ErrorInvalidUser',
      );
      expect((await ask(app, 'me/mailFolders')).status).toBe(400);
    });
  });
}
