import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CountingProxy, countingProxy } from '../../dev/emulators/mail/counting-proxy.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { ImapWorld, letter } from '../harness/stack/imap-world.ts';

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Dovecot', 'debian'],
];

describe.each(kinds)('a look at an idle mailbox on %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: looks on Dovecot, which is not here.');
  describe.skipIf(!here)('that was fetched before', () => {
    let world: ImapWorld;
    let proxy: CountingProxy;
    beforeAll(async () => {
      world = await ImapWorld.start(kind);
      proxy = await countingProxy({ target: world.imap, tls: world.lab.options.tls });
      world.via = proxy;
    });
    afterAll(async () => {
      await proxy?.stop();
      await world?.stop();
    });

    test('takes one connection, at most seven commands, and no write to storage of its own', async () => {
      await world.deliver(letter('before'), letter('before too'));
      expect(await world.fetch()).toMatchObject({ kind: 'fetched' });
      expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
      proxy.reset();
      world.calls.length = 0;
      expect(await world.fetch()).toEqual({ kind: 'nothing-new' });

      const commands = proxy.counts();
      const total = Object.values(commands).reduce((sum, count) => sum + count, 0);
      expect(total, JSON.stringify(commands)).toBeLessThanOrEqual(7);
      expect(commands['SELECT'], 'the folder is not even selected').toBeUndefined();
      expect(proxy.totals().connections).toBe(1);
      const writes = world.calls.filter((point) => /^table\..*\.commit$|^blob\.(?!read|stream)/.test(point));
      expect(writes, 'one row of the shard').toEqual(['table.MailboxState.commit']);
    });

    test('finds a new message, also one that a colleague has opened', async () => {
      await world.fetch();
      await world.deliver(letter('new'));
      expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
      await world.deliver(letter('opened by a colleague'));
      await world.asColleague(async (inbox) => inbox.markSeen(await inbox.latest(1)));
      expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
      expect(world.subjects()).toContain('opened by a colleague');
    });
  });
});
