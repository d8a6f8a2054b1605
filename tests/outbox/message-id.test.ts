import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createMessageIds, messageIdKeyName } from '../../shared/outbox/message-id.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

const ref = { ticketId: 'k7m2p4q8r3s5t9v1w6x0y2z4ab', id: 'reply1' };
let vault: MemoryVault;
let points: string[];
const ids = (now = 0) => createMessageIds(vault, { now: () => now });

const replaceKey = (byte: number, length = 32) =>
  vault.set(messageIdKeyName, new Secret(Buffer.alloc(length, byte).toString('base64')), {
    contentType: 'x',
  });

beforeEach(() => {
  points = [];
  vault = new MemoryVault({
    ...openSeam,
    call: (point, effect) => {
      points.push(point);
      return effect();
    },
  });
});

describe('a Message-ID', () => {
  test('names the email it was made for, in every process', async () => {
    const messageId = await ids().make(ref, 'Contoso.example');
    expect(messageId).toMatch(
      /^<k7m2p4q8r3s5t9v1w6x0y2z4ab\.reply1\.[0-9a-z]{1,8}\.[0-9a-f]{32}@contoso\.example>$/,
    );
    expect(await ids().make(ref, 'contoso.example')).toBe(messageId);
    expect(await ids().read(messageId)).toEqual(ref);
    expect(await ids().read(messageId.toUpperCase()), 'a server changed the case').toEqual(ref);
    expect(await ids().read(messageId.slice(1, -1)), 'without brackets').toEqual(ref);
    expect(await ids().read(` ${messageId}\t`), 'between spaces').toEqual(ref);
  });

  test('is the same in every release: HMAC-SHA-256 over what is before it, and the domain in small letters', async () => {
    const { version } = await replaceKey(7);
    const short = version.slice(0, 8);
    const signed = `${ref.ticketId}.${ref.id}.${short}`;
    const tag = createHmac('sha256', Buffer.alloc(32, 7)).update(`${signed}@contoso.example`).digest('hex');
    expect(await ids().make(ref, 'Contoso.Example')).toBe(`<${signed}.${tag.slice(0, 32)}@contoso.example>`);
  });

  test('has only the start of a long key version in it', async () => {
    await replaceKey(7);
    const [key] = vault.versions.get(messageIdKeyName) ?? [];
    if (key === undefined) throw new Error('There is no key.');
    key.version = '0123456789ABCDEF0123456789ABCDEF';
    const messageId = await ids().make(ref, 'contoso.example');
    expect(messageId).toContain('.01234567.');
    expect(await ids().read(messageId)).toEqual(ref);
  });

  test('stays readable when the key is replaced', async () => {
    const before = await ids().make(ref, 'contoso.example');
    await replaceKey(7);
    const after = await ids().make(ref, 'contoso.example');
    expect(after).not.toBe(before);
    expect(await ids().read(before)).toEqual(ref);
    expect(await ids().read(after)).toEqual(ref);
  });

  test('that was changed in any part is none of ours', async () => {
    const messageId = await ids().make(ref, 'contoso.example');
    const forged = [
      messageId.replace('reply1', 'reply2'),
      messageId.replace('k7m2', 'k7m3'),
      messageId.replace('@contoso', '@c0ntoso'),
      messageId.replace(
        /\.([0-9a-f])([0-9a-f]{31})@/,
        (_all, first: string, rest: string) => `.${first === '0' ? '1' : '0'}${rest}@`,
      ),
      messageId.replace(/\.[0-9a-f]{32}@/, `.${'0'.repeat(32)}@`),
      messageId.replace(/[0-9a-f]@/, '@'),
    ];
    for (const each of forged) {
      expect(each).not.toBe(messageId);
      expect(await ids().read(each), each).toBeUndefined();
    }
  });

  test('that is somebody else’s asks the vault nothing, and one with a made-up version asks once', async () => {
    const own = ids();
    for (const other of ['<CAF=x@mail.example>', '<1@customer.example>', '', '<a.b.c.d@e>'])
      expect(await own.read(other)).toBeUndefined();
    expect(points).toEqual([]);
    const madeUp = `<ticket.id.zzzzzzzz.${'a'.repeat(32)}@contoso.example>`;
    expect(await own.read(madeUp)).toBeUndefined();
    const asked = points.length;
    expect(await own.read(madeUp)).toBeUndefined();
    expect(points).toHaveLength(asked);
  });
});

describe('the key', () => {
  const HOUR = 3_600_000;
  const clock = { now: 0 };
  const process = () => createMessageIds(vault, { now: () => clock.now });
  const tagOf = (messageId: string): string => messageId.split('.')[3] ?? '';
  beforeEach(() => {
    clock.now = 0;
  });

  test('is made at first use, and read once an hour: one that was replaced is used for an hour at most', async () => {
    const own = process();
    const first = await own.make(ref, 'contoso.example');
    expect(points).toEqual(['vault.get', 'vault.set']);
    expect(vault.versions.get(messageIdKeyName)?.[0]?.contentType).toBe('application/octet-stream;base64');
    await replaceKey(9);
    points.length = 0;
    clock.now = HOUR - 1;
    expect(await own.make(ref, 'contoso.example')).toBe(first);
    expect(points).toEqual([]);
    clock.now = HOUR;
    expect(tagOf(await own.make(ref, 'contoso.example'))).not.toBe(tagOf(first));
    expect(points).toEqual(['vault.get']);
  });

  test('that a process has made or read is not asked for again', async () => {
    const [own, other] = [process(), process()];
    const messageId = await own.make(ref, 'contoso.example');
    points.length = 0;
    expect(await own.read(messageId)).toEqual(ref);
    expect(points).toEqual([]);
    expect([await other.read(messageId), await other.read(messageId)]).toEqual([ref, ref]);
    expect(points.filter((point) => point === 'vault.get')).toHaveLength(1);
  });

  test('that was missing is looked for again after an hour', async () => {
    const messageId = await process().make(ref, 'contoso.example');
    const own = process();
    const kept = [...(vault.versions.get(messageIdKeyName) ?? [])];
    vault.versions.set(messageIdKeyName, []);
    expect(await own.read(messageId)).toBeUndefined();
    vault.versions.set(messageIdKeyName, kept);
    clock.now = HOUR - 1;
    expect(await own.read(messageId)).toBeUndefined();
    clock.now = HOUR;
    expect(await own.read(messageId)).toEqual(ref);
  });

  test('that was disabled proves nothing any more', async () => {
    const messageId = await process().make(ref, 'contoso.example');
    for (const { version } of vault.versions.get(messageIdKeyName) ?? [])
      await vault.disable(messageIdKeyName, version);
    expect(await process().read(messageId)).toBeUndefined();
  });

  test('is remembered as missing for a thousand made-up versions, which take no more memory', async () => {
    const own = process();
    const madeUp = (number: number): string =>
      `<ticket.id.${number.toString(36).padStart(8, 'z')}.${'a'.repeat(32)}@contoso.example>`;
    const asks = async (number: number): Promise<boolean> => {
      points.length = 0;
      await own.read(madeUp(number));
      return points.length > 0;
    };
    for (let number = 0; number < 1_000; number += 1) expect(await asks(number)).toBe(true);
    expect(await asks(0)).toBe(false);
    expect(await asks(1_000)).toBe(true);
    expect([await asks(1_000), await asks(0)]).toEqual([false, true]);
  });

  test('of another length is refused', async () => {
    await replaceKey(7, 16);
    await expect(process().make(ref, 'contoso.example')).rejects.toMatchObject({
      code: 'bad-encryption-key',
    });
  });
});
