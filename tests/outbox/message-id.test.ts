import { beforeEach, describe, expect, test } from 'vitest';
import { createMessageIds, messageIdKeyName } from '../../shared/outbox/message-id.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

const ref = { ticketId: 'k7m2p4q8r3s5t9v1w6x0y2z4ab', id: 'reply1' };
let vault: MemoryVault;
let points: string[];
const ids = (now = 0) => createMessageIds(vault, { now: () => now });

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
  });

  test('stays readable when the key is replaced', async () => {
    const before = await ids().make(ref, 'contoso.example');
    const value = new Secret(Buffer.alloc(32, 7).toString('base64'));
    await vault.set(messageIdKeyName, value, { contentType: 'x' });
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
