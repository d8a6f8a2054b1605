import { describe, expect, test } from 'vitest';
import type { ConnectDeps } from '../../shared/mailboxes/connect-inbox.ts';
import { type Inbox, InboxError } from '../../shared/mailboxes/inbox.ts';
import { previewMailbox } from '../../shared/mailboxes/preview-mailbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { Secret } from '../../shared/platform/secret.ts';

/** Where the contract's mail lies. */
export interface InboxWorld {
  /** Empties the folder, puts these emails into it in this order, unread. */
  fill(raws: readonly Uint8Array[]): Promise<void>;
  /** A session of its own. */
  open(): Promise<Inbox>;
}

const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;

const mail = (subject: string, body = 'Hello'): Buffer =>
  Buffer.from(
    `From: kim@customer.example\r\nTo: support@contoso.example\r\nSubject: ${subject}\r\n` +
      `Message-ID: <${subject}@customer.example>\r\n\r\n${body}\r\n`,
  );
const large = mail('large', `${'0123456789abcdef'.repeat(64)}\r\n`.repeat((9 * MB) / 1026));

const lookedInto: Mailbox = {
  id: 'm'.repeat(26),
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'localhost',
  port: 993,
  folder: 'INBOX',
  providerId: 'p'.repeat(26),
  accountId: 'a'.repeat(26),
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T00:00:00.000Z',
};

async function sourcesOf(inbox: Inbox, uids: readonly number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  await inbox.sources(uids, (uid, raw) => found.set(uid, Buffer.from(raw).toString('latin1')));
  return found;
}

/** What every inbox keeps to: the one in memory, and IMAP on real servers. */
export function describeInbox(world: InboxWorld): void {
  const three = [mail('first'), mail('second', 'longer than the first'), mail('third')];
  /** Fills the folder and gives a session and the UIDs in order. */
  const filled = async (raws: readonly Uint8Array[]): Promise<{ inbox: Inbox; uids: number[] }> => {
    await world.fill(raws);
    const inbox = await world.open();
    return { inbox, uids: await inbox.search({}) };
  };
  const unread = async (): Promise<number[]> => {
    const other = await world.open();
    try {
      return await other.search({});
    } finally {
      await other.close();
    }
  };

  test('says how it found the folder', async () => {
    const { inbox, uids } = await filled(three);
    expect(inbox.total).toBe(3);
    expect(inbox.uidValidity).toMatch(/^[1-9]\d{0,9}$/);
    expect(inbox.uidNext).toBeGreaterThan(Math.max(...uids));
    expect(await inbox.currentUidValidity()).toBe(inbox.uidValidity);
    await inbox.close();
  });

  test('is looked into: counted, its latest emails the newest first, and nothing is marked', async () => {
    await world.fill([...three, mail('fourth')]);
    const readSubject = async (beginning: Uint8Array): Promise<string> =>
      /^Subject: (.*?)\r?$/m.exec(Buffer.from(beginning).toString('latin1'))?.[1] ?? '';
    const accessTokens: ConnectDeps['accessTokens'] = {
      get: async () => ({ kind: 'token', token: new Secret('of the session that the world opens') }),
    };
    const deps = { accessTokens, openInbox: () => world.open(), readSubject };
    const look = await previewMailbox(deps, lookedInto);
    if (look.kind !== 'opened') throw new Error(look.message);
    expect(look).toMatchObject({ unread: 4, total: 4 });
    expect(look.latest.map(({ subject }) => subject)).toEqual(['fourth', 'third', 'second']);
    expect(await unread()).toHaveLength(4);
  });

  test('finds nothing in an empty folder', async () => {
    const { inbox, uids } = await filled([]);
    expect(inbox.total).toBe(0);
    expect(uids).toEqual([]);
    expect(await inbox.search({ from: 1, since: '2020-01-01T00:00:00.000Z' })).toEqual([]);
    await inbox.close();
  });

  test('finds unread mail, ascending, and what the search adds', async () => {
    const { inbox, uids } = await filled(three);
    const [first = 0, second = 0, third = 0] = uids;
    expect(uids).toEqual(uids.toSorted((a, b) => a - b));
    await inbox.markSeen([first, second, third]);
    expect(await inbox.search({})).toEqual([]);
    expect(await inbox.search({ from: second })).toEqual([second, third]);
    expect(await inbox.search({ from: third + 1 }), 'n:* would give the newest mail').toEqual([]);
    expect(await inbox.search({ also: [first, third, third + 7] })).toEqual([first, third]);
    expect(await inbox.search({ from: third, also: [first] })).toEqual([first, third]);
    const today = new Date().toISOString();
    expect(await inbox.search({ since: new Date(Date.now() - 24 * HOUR_MS).toISOString() })).toEqual(uids);
    expect(await inbox.search({ since: new Date(Date.parse(today) + 72 * HOUR_MS).toISOString() })).toEqual(
      [],
    );
    await inbox.close();
  });

  test('leaves unread mail out, or takes it since a day alone, where the search says so', async () => {
    const { inbox, uids } = await filled(three);
    const [first = 0, second = 0, third = 0] = uids;
    await inbox.markSeen([second]);
    const yesterday = new Date(Date.now() - 24 * HOUR_MS).toISOString();
    const soon = new Date(Date.now() + 72 * HOUR_MS).toISOString();
    expect(await inbox.search({ unread: false })).toEqual([]);
    expect(await inbox.search({ unread: false, from: second })).toEqual([second, third]);
    expect(await inbox.search({ unread: false, since: yesterday })).toEqual(uids);
    expect(await inbox.search({ unread: { since: yesterday } })).toEqual([first, third]);
    expect(await inbox.search({ unread: { since: soon } })).toEqual([]);
    expect(await inbox.search({ unread: { since: soon }, also: [second] })).toEqual([second]);
    expect(await inbox.receivedBefore(yesterday)).toEqual([]);
    expect(await inbox.receivedBefore(soon)).toEqual(uids);
    await inbox.close();
  });

  test('tells size and time of arrival, ascending, and leaves out what is gone', async () => {
    const { inbox, uids } = await filled(three);
    const facts = await inbox.facts([...uids, Math.max(...uids) + 9].toReversed());
    expect(facts.map(({ uid }) => uid)).toEqual(uids);
    expect(facts.map(({ size }) => size)).toEqual(three.map(({ byteLength }) => byteLength));
    expect(facts.map(({ messageId }) => messageId)).toEqual(
      ['first', 'second', 'third'].map((name) => `<${name}@customer.example>`),
    );
    for (const { receivedAt } of facts) {
      expect(receivedAt).toBe(new Date(receivedAt).toISOString());
      expect(Math.abs(Date.now() - Date.parse(receivedAt))).toBeLessThan(HOUR_MS);
    }
    await inbox.close();
  });

  test('takes more UIDs than a command line has room for', async () => {
    const { inbox, uids } = await filled(three);
    const last = Math.max(...uids);
    // What is gone: of three thousand emails, none a neighbour of another.
    const many = [...uids, ...Array.from({ length: 3000 }, (_, index) => last + 2 + 2 * index)];
    expect(await inbox.search({ also: many })).toEqual(uids);
    expect((await inbox.facts(many)).map(({ uid }) => uid)).toEqual(uids);
    expect([...(await sourcesOf(inbox, many)).keys()].toSorted((a, b) => a - b)).toEqual(uids);
    await inbox.markSeen(many);
    expect(await inbox.search({})).toEqual([]);
    expect(await inbox.search({ also: many.toReversed() })).toEqual(uids);
    await inbox.move(many, 'Archive');
    expect(await inbox.facts(many)).toEqual([]);
    await inbox.close();
  });

  test('hands over the very bytes of each email, and leaves out what is gone', async () => {
    const { inbox, uids } = await filled(three);
    const found = await sourcesOf(inbox, [...uids, Math.max(...uids) + 9]);
    expect([...found.keys()].toSorted((a, b) => a - b)).toEqual(uids);
    expect(uids.map((uid) => found.get(uid))).toEqual(three.map((raw) => raw.toString('latin1')));
    await inbox.close();
  });

  test('gives a large email in pieces of at most 4 MB, and its beginning alone', async () => {
    const { inbox, uids } = await filled([mail('before'), large]);
    const [small = 0, uid = 0] = uids;
    const pieces = await Array.fromAsync(inbox.pieces(uid, large.byteLength));
    expect(pieces.map(({ byteLength }) => byteLength)).toEqual([4 * MB, 4 * MB, large.byteLength - 8 * MB]);
    expect(Buffer.concat(pieces).equals(large)).toBe(true);
    expect(Buffer.from(await inbox.beginning(uid, 100)).equals(large.subarray(0, 100))).toBe(true);
    expect(
      Buffer.concat(await Array.fromAsync(inbox.pieces(small, mail('before').byteLength))).equals(
        mail('before'),
      ),
    ).toBe(true);
    await inbox.close();
  });

  test('refuses a piece of an email that is gone', async () => {
    const { inbox, uids } = await filled(three);
    await expect(inbox.beginning(Math.max(...uids) + 9, 100)).rejects.toBeInstanceOf(InboxError);
    await inbox.close();
  });

  test('marks nothing by reading', async () => {
    const { inbox, uids } = await filled(three);
    await inbox.facts(uids);
    await sourcesOf(inbox, uids);
    for (const uid of uids) await Array.fromAsync(inbox.pieces(uid, 100));
    await inbox.beginning(uids[0] ?? 0, 10);
    await inbox.close();
    expect(await unread()).toEqual(uids);
  });

  test('marks what it is told, for every session, and nothing else', async () => {
    const { inbox, uids } = await filled(three);
    const [first = 0, second = 0, third = 0] = uids;
    await inbox.markSeen([first, third]);
    expect(await unread()).toEqual([second]);
    await inbox.markSeen([first, third]);
    expect(await unread()).toEqual([second]);
    await inbox.close();
  });

  test('moves what it is told into the folder, and nothing else', async () => {
    const { inbox, uids } = await filled(three);
    const [first = 0, second = 0, third = 0] = uids;
    await inbox.move([first, third], 'Archive');
    expect(await unread()).toEqual([second]);
    expect(await inbox.facts(uids)).toHaveLength(1);
    await inbox.close();
  });

  test('removes what it is told, and nothing else', async () => {
    const { inbox, uids } = await filled(three);
    const [first = 0, second = 0, third = 0] = uids;
    await inbox.remove([first, third]);
    expect(await inbox.facts(uids)).toHaveLength(1);
    expect(await unread()).toEqual([second]);
    await inbox.close();
  });

  test('sees with a new session what arrived after another one was opened', async () => {
    const { inbox, uids } = await filled([mail('first')]);
    await inbox.close();
    await world.fill([mail('later')]);
    const later = await world.open();
    const [uid = 0] = await later.search({});
    expect(later.uidValidity).toBe(inbox.uidValidity);
    expect(uid, 'a UID is never given twice').toBeGreaterThan(uids[0] ?? 0);
    await later.close();
  });

  test('lets go at once when it is dropped, also of a call under way', async () => {
    const { inbox, uids } = await filled([large]);
    const reading = Array.fromAsync(inbox.pieces(uids[0] ?? 0, large.byteLength)).catch(
      (error: unknown) => error,
    );
    const began = Date.now();
    inbox.drop();
    expect(await reading).toBeInstanceOf(InboxError);
    await expect(inbox.search({})).rejects.toBeInstanceOf(InboxError);
    await inbox.close();
    expect(Date.now() - began, 'nobody waited for the server').toBeLessThan(5_000);
    expect(await unread()).toEqual(uids);
  });

  describe('a session that is closed', () => {
    test('refuses every call', async () => {
      const { inbox, uids } = await filled(three);
      await inbox.close();
      await expect(inbox.search({})).rejects.toBeInstanceOf(InboxError);
      await expect(inbox.markSeen(uids)).rejects.toBeInstanceOf(InboxError);
      await expect(sourcesOf(inbox, uids)).rejects.toBeInstanceOf(InboxError);
      expect(await unread()).toEqual(uids);
    });
  });
}
