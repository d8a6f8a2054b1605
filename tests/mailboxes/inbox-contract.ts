import { describe, expect, test } from 'vitest';
import type { ConnectDeps } from '../../shared/mailboxes/connect-inbox.ts';
import { graphRef } from '../../shared/mailboxes/graph-ref.ts';
import { uidOf, uidRef } from '../../shared/mailboxes/imap-position.ts';
import { type Inbox, InboxError, type ListRequest, type PositionData } from '../../shared/mailboxes/inbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { type MessageRef, sortedRefs } from '../../shared/mailboxes/message-ref.ts';
import { uidlRef } from '../../shared/mailboxes/pop3-position.ts';
import { previewMailbox } from '../../shared/mailboxes/preview-mailbox.ts';
import { Secret } from '../../shared/platform/secret.ts';

/** Where the contract's email is. */
export interface InboxWorld {
  /** Empties the folder, and adds these emails in this order, unread. */
  fill(raws: readonly Uint8Array[]): Promise<void>;
  /** A separate session. */
  open(): Promise<Inbox>;
  /** Absent: IMAP. */
  protocol?: ProtocolTraits;
}

/** What differs by protocol, as documented in the port. */
interface ProtocolTraits {
  /** The server knows which messages are unread; otherwise those after the position are, or all without one. */
  hasUnread: boolean;
  /** Refs sort in the order of arrival, and the position is a place in it; otherwise it is a set of messages. */
  hasOrder: boolean;
  /** There are other folders to move to. */
  hasFolders: boolean;
  /** Messages can be added. */
  appends?: true;
  /** Sizes are estimates. */
  estimatesSize?: true;
  /** Each message is a request: there is no command line that many of them could overflow. */
  asksOneByOne?: true;
  /** A ref of no message, beyond all of these if there is an order. */
  absent(refs: readonly MessageRef[], steps: number): MessageRef;
}

const imapTraits: ProtocolTraits = {
  hasUnread: true,
  hasOrder: true,
  hasFolders: true,
  appends: true,
  absent: (refs, steps) => uidRef(Math.max(...refs.map(uidOf)) + steps),
};
export const pop3Traits: ProtocolTraits = {
  hasUnread: false,
  hasOrder: false,
  hasFolders: false,
  absent: (_refs, steps) => uidlRef(`absent ${steps}`),
};
export const graphTraits: ProtocolTraits = {
  hasUnread: true,
  hasOrder: false,
  hasFolders: true,
  estimatesSize: true,
  asksOneByOne: true,
  absent: (_refs, steps) => graphRef(`AAkALabsent${steps}=`, '2100-01-01T00:00:00Z'),
};
const threeOf = ([first = uidRef(0), second = uidRef(0), third = uidRef(0)]: readonly MessageRef[]) =>
  [first, second, third] as const;

const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;

const received = `Received: from mx by localhost; ${new Date().toUTCString()}\r\n`;
const mail = (subject: string, body = 'Hello'): Buffer =>
  Buffer.from(
    `${received}From: kim@customer.example\r\nTo: support@contoso.example\r\nSubject: ${subject}\r\n` +
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

async function sourcesOf(inbox: Inbox, refs: readonly MessageRef[]): Promise<Map<MessageRef, string>> {
  const found = new Map<MessageRef, string>();
  await inbox.fetchRaw(refs, (ref, raw) => found.set(ref, Buffer.from(raw).toString('latin1')));
  return found;
}

/** What every inbox must do: those in memory, IMAP and POP3 on real servers, and Graph on its emulator. */
export function describeInbox(world: InboxWorld): void {
  const {
    hasUnread,
    hasOrder,
    hasFolders,
    appends = false,
    estimatesSize,
    asksOneByOne,
    absent: beyond,
  } = world.protocol ?? imapTraits;
  const unreadIn = async (inbox: Inbox): Promise<readonly MessageRef[]> => (await inbox.list({})).refs;
  const three = [mail('first'), mail('second', 'longer than the first'), mail('third')];
  /** Fills the folder and returns a session and the refs in order. */
  const filled = async (
    raws: readonly Uint8Array[],
  ): Promise<{ inbox: Inbox; refs: readonly MessageRef[] }> => {
    await world.fill(raws);
    const inbox = await world.open();
    return { inbox, refs: await unreadIn(inbox) };
  };
  const unread = async (): Promise<readonly MessageRef[]> => {
    const other = await world.open();
    try {
      return await unreadIn(other);
    } finally {
      await other.close();
    }
  };

  test('reports the state of the folder', async () => {
    const { inbox, refs } = await filled(three);
    expect(inbox.total).toBe(3);
    expect(inbox.validity).toMatch(/^[1-9]\d{0,9}$/);
    const { position } = await inbox.list({});
    expect(refs.map((ref) => position.covers(ref))).toEqual([true, true, true]);
    expect(position.covers(beyond(refs, 1))).toBe(false);
    expect(await inbox.currentValidity()).toBe(inbox.validity);
    await inbox.close();
  });

  test('previews: counts, lists its latest emails newest first, and marks nothing', async () => {
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
    const { inbox, refs } = await filled([]);
    expect(inbox.total).toBe(0);
    expect(refs).toEqual([]);
    expect((await inbox.list({ since: '2020-01-01T00:00:00.000Z' })).refs).toEqual([]);
    expect(await inbox.latest(3)).toEqual([]);
    await inbox.close();
  });

  test('finds unread email, in the order of arrival, and what the search adds', async () => {
    const { inbox, refs } = await filled(three);
    const [first, second, third] = threeOf(refs);
    if (hasOrder) expect(refs).toEqual(sortedRefs(refs));
    const names = (await inbox.fetchMeta(refs.toReversed())).map(({ messageId }) => messageId);
    expect(names).toEqual(['first', 'second', 'third'].map((name) => `<${name}@customer.example>`));
    await inbox.markSeen([first, second, third]);
    const { position: end } = await inbox.list({});
    const found = async (request: ListRequest): Promise<readonly MessageRef[]> =>
      (await inbox.list(request)).refs;
    expect(await found({})).toEqual(hasUnread ? [] : refs);
    const before = (ref: MessageRef): PositionData => end.uncover([ref]).toData();
    const again = await found({ position: before(second) });
    if (hasOrder) expect(again).toEqual([second, third]);
    // Where refs are hashes, a message in the middle of its group makes the whole group be listed again.
    else expect(again).toContain(second);
    expect(await found({ position: end.toData() }), 'n:* would give the newest mail').toEqual([]);
    expect(await found({ also: [first, third, beyond(refs, 7)], unread: false })).toEqual([first, third]);
    expect(await found({ position: before(third), also: [first] })).toEqual([first, third]);
    const today = Date.now();
    const since = (hours: number): ListRequest => ({
      since: new Date(today + hours * HOUR_MS).toISOString(),
      unread: false,
    });
    expect(await found(since(-24))).toEqual(refs);
    expect(await found(since(72))).toEqual([]);
    expect(await found({ ...since(-24), position: end.toData() }), 'the position says more').toEqual([]);
    expect(await found({ ...since(-24), position: end.toData(), isVoid: true })).toEqual(refs);
    await inbox.close();
  });

  test('excludes unread email, or includes only that since a day, if requested', async () => {
    const { inbox, refs } = await filled(three);
    const [first, second, third] = threeOf(refs);
    await inbox.markSeen([second]);
    const { position: end } = await inbox.list({});
    const yesterday = new Date(Date.now() - 24 * HOUR_MS).toISOString();
    const soon = new Date(Date.now() + 72 * HOUR_MS).toISOString();
    const found = async (request: ListRequest): Promise<readonly MessageRef[]> =>
      (await inbox.list(request)).refs;
    expect(await found({ unread: false })).toEqual([]);
    const position = end.uncover([second]).toData();
    expect(await found({ unread: false, position })).toEqual(hasOrder ? [second, third] : [second]);
    expect(await found({ unread: false, since: yesterday })).toEqual(refs);
    expect(await found({ unread: { since: yesterday } })).toEqual(hasUnread ? [first, third] : refs);
    expect(await found({ unread: { since: soon } })).toEqual([]);
    expect(await found({ unread: { since: soon }, also: [second] })).toEqual([second]);
    await inbox.close();
  });

  test('separates what was received since a day, read or unread, from what came before it', async () => {
    const { inbox, refs } = await filled(three);
    await inbox.markSeen(refs.slice(1));
    const yesterday = new Date(Date.now() - 24 * HOUR_MS).toISOString();
    const soon = new Date(Date.now() + 72 * HOUR_MS).toISOString();
    expect([await inbox.receivedSince(yesterday), await inbox.receivedBefore(yesterday)]).toEqual([refs, []]);
    expect([await inbox.receivedSince(soon), await inbox.receivedBefore(soon)]).toEqual([[], refs]);
    await inbox.close();
  });

  test('returns size and arrival time, in the order of arrival, without deleted messages', async () => {
    const { inbox, refs } = await filled(three);
    const facts = await inbox.fetchMeta([...refs, beyond(refs, 9)].toReversed());
    expect(facts.map(({ ref }) => ref)).toEqual(refs);
    if (estimatesSize === true) for (const meta of facts) expect(meta).toMatchObject({ isEstimate: true });
    else expect(facts.map(({ size }) => size)).toEqual(three.map(({ byteLength }) => byteLength));
    for (const { size } of facts) expect(size).toBeGreaterThan(0);
    expect(facts.map(({ messageId }) => messageId)).toEqual(
      ['first', 'second', 'third'].map((name) => `<${name}@customer.example>`),
    );
    for (const { receivedAt } of facts) {
      expect(receivedAt).toBe(new Date(receivedAt).toISOString());
      expect(Math.abs(Date.now() - Date.parse(receivedAt))).toBeLessThan(HOUR_MS);
    }
    await inbox.close();
  });

  test('accepts more refs than fit into a command line', async () => {
    const { inbox, refs } = await filled(three);
    // Deleted: of three thousand emails, no two adjacent.
    const length = asksOneByOne === true ? 50 : 3000;
    const many = [...refs, ...Array.from({ length }, (_, index) => beyond(refs, 2 + 2 * index))];
    expect((await inbox.list({ also: many })).refs).toEqual(refs);
    expect((await inbox.fetchMeta(many)).map(({ ref }) => ref)).toEqual(refs);
    expect(sortedRefs((await sourcesOf(inbox, many)).keys())).toEqual(sortedRefs(refs));
    await inbox.markSeen(many);
    expect(await unreadIn(inbox)).toEqual(hasUnread ? [] : refs);
    expect((await inbox.list({ also: many.toReversed() })).refs).toEqual(refs);
    await (hasFolders ? inbox.move(many, 'Archive') : inbox.remove(many));
    expect(await inbox.fetchMeta(many)).toEqual([]);
    await inbox.close();
  });

  test('returns the exact bytes of each email, without deleted messages', async () => {
    const { inbox, refs } = await filled(three);
    const found = await sourcesOf(inbox, [...refs, beyond(refs, 9)]);
    expect(sortedRefs(found.keys())).toEqual(sortedRefs(refs));
    expect(refs.map((ref) => found.get(ref))).toEqual(three.map((raw) => raw.toString('latin1')));
    await inbox.close();
  });

  test('returns a large email in chunks of at most 4 MB, or only its beginning', async () => {
    const { inbox, refs } = await filled([mail('before'), large]);
    const [small, big] = threeOf(refs);
    const pieces = await Array.fromAsync(inbox.streamRaw(big, large.byteLength));
    expect(pieces.map(({ byteLength }) => byteLength)).toEqual([4 * MB, 4 * MB, large.byteLength - 8 * MB]);
    expect(Buffer.concat(pieces).equals(large)).toBe(true);
    expect(Buffer.from(await inbox.fetchHead(big, 100)).equals(large.subarray(0, 100))).toBe(true);
    expect(
      Buffer.concat(await Array.fromAsync(inbox.streamRaw(small, mail('before').byteLength))).equals(
        mail('before'),
      ),
    ).toBe(true);
    await inbox.close();
  });

  test('rejects a chunk of a deleted email', async () => {
    const { inbox, refs } = await filled(three);
    await expect(inbox.fetchHead(beyond(refs, 9), 100)).rejects.toBeInstanceOf(InboxError);
    await inbox.close();
  });

  test('marks nothing by reading', async () => {
    const { inbox, refs } = await filled(three);
    await inbox.fetchMeta(refs);
    await sourcesOf(inbox, refs);
    for (const ref of refs) await Array.fromAsync(inbox.streamRaw(ref, 100));
    await inbox.fetchHead(refs[0] ?? uidRef(0), 10);
    await inbox.close();
    expect(await unread()).toEqual(refs);
  });

  test('marks the given messages, for every session, and no others', async () => {
    const { inbox, refs } = await filled(three);
    const [first, second, third] = threeOf(refs);
    await inbox.markSeen([first, third]);
    expect(await unread()).toEqual(hasUnread ? [second] : refs);
    await inbox.markSeen([first, third]);
    expect(await unread()).toEqual(hasUnread ? [second] : refs);
    await inbox.close();
  });

  test('finds messages by a part of the sender or subject, and by Message-ID, read or unread', async () => {
    const { inbox, refs } = await filled([...three, mail('Grüße')]);
    const [first, second, third] = threeOf(refs);
    const fourth = refs[3];
    expect(await inbox.all()).toEqual(refs);
    await inbox.markSeen([second]);
    const find = (words: string, messageId?: string): Promise<MessageRef[]> =>
      inbox.find({ words, messageId });
    expect(await find('econ')).toEqual([second]);
    expect(await find('KIM@customer')).toEqual([first, second, third, fourth]);
    expect(await find('', '<third@customer.example>')).toEqual([third]);
    expect(await find('first', '<third@customer.example>')).toEqual([first, third]);
    expect(await find('grüße')).toEqual([fourth]);
    expect(await find('nobody')).toEqual([]);
    expect(await find('')).toEqual([]);
    await inbox.close();
  });

  test('finds the server’s junk folder, if there are folders', async () => {
    const inbox = await world.open();
    expect(await inbox.junkFolder()).toBe(hasFolders ? 'Junk Email' : undefined);
    await inbox.close();
  });

  test('moves the given messages into the folder, and no others; without folders, is refused', async () => {
    const { inbox, refs } = await filled(three);
    const [first, second, third] = threeOf(refs);
    if (!hasFolders) {
      await expect(inbox.move([first, third], 'Archive')).rejects.toMatchObject({ failure: 'refused' });
      expect(await inbox.fetchMeta(refs)).toHaveLength(3);
      await inbox.close();
      return;
    }
    await inbox.move([first, third], 'Archive');
    expect(await unread()).toEqual([second]);
    expect(await inbox.fetchMeta(refs)).toHaveLength(1);
    await inbox.close();
  });

  test('deletes the given messages, and no others', async () => {
    const { inbox, refs } = await filled(three);
    const [first, second, third] = threeOf(refs);
    await inbox.remove([first, third]);
    expect(await inbox.fetchMeta(refs)).toHaveLength(1);
    expect(await unread()).toEqual([second]);
    await inbox.close();
  });

  test('adds a message that counts as read, if the protocol can', async () => {
    const { inbox, refs } = await filled([mail('first')]);
    expect(inbox.append === undefined).toBe(!appends);
    await inbox.append?.(mail('copy'));
    await inbox.close();
    const later = await world.open();
    expect(await unreadIn(later)).toEqual(refs);
    expect(await later.find({ words: '', messageId: '<copy@customer.example>' })).toHaveLength(
      appends ? 1 : 0,
    );
    await later.close();
  });

  test('sees with a new session what arrived after another one was opened', async () => {
    const { inbox, refs } = await filled([mail('first')]);
    await inbox.close();
    await world.fill([mail('later')]);
    const later = await world.open();
    const [ref = ''] = await unreadIn(later);
    expect(later.validity).toBe(inbox.validity);
    const isNew = hasOrder ? ref > (refs[0] ?? '') : ref !== refs[0];
    expect(isNew, 'a ref is never given twice').toBe(true);
    await later.close();
  });

  test('disconnects at once when it is destroyed, even during a call', async () => {
    const { inbox, refs } = await filled([large]);
    const reading = Array.fromAsync(inbox.streamRaw(refs[0] ?? uidRef(0), large.byteLength)).catch(
      (error: unknown) => error,
    );
    const began = Date.now();
    inbox.destroy();
    expect(await reading).toBeInstanceOf(InboxError);
    await expect(inbox.list({})).rejects.toBeInstanceOf(InboxError);
    await inbox.close();
    expect(Date.now() - began, 'nobody waited for the server').toBeLessThan(5_000);
    expect(await unread()).toEqual(refs);
  });

  describe('a closed session', () => {
    test('rejects every call', async () => {
      const { inbox, refs } = await filled(three);
      await inbox.close();
      await expect(inbox.list({})).rejects.toBeInstanceOf(InboxError);
      await expect(inbox.markSeen(refs)).rejects.toBeInstanceOf(InboxError);
      await expect(sourcesOf(inbox, refs)).rejects.toBeInstanceOf(InboxError);
      expect(await unread()).toEqual(refs);
    });
  });
}
