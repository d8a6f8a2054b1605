/** The first import, and what is left or deleted afterwards, on real mail servers. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { ImapWorld, letter } from '../harness/stack/imap-world.ts';

const DAY_MINUTES = 24 * 60;
const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Dovecot', 'debian'],
];

describe.each(kinds)('%s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: the first import from Dovecot, which is not here.');
  describe.skipIf(!here)('has email that', () => {
    let world: ImapWorld;
    beforeEach(async () => {
      for (const level of ['log', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {});
      world = await ImapWorld.start(kind);
    });
    afterEach(() => world.stop());

    test('arrived since a day: read or unread, it is imported once, and left unchanged', async () => {
      world.mailbox = {
        ...world.mailbox,
        fetchSince: new Date(world.now).toISOString().slice(0, 10),
        afterFetch: { kind: 'leave' },
      };
      await world.deliver(letter('read before'), letter('unread'));
      await world.asColleague(async (inbox) => inbox.markSeen((await inbox.list({})).refs.slice(0, 1)));
      expect(await world.connect()).toMatchObject({ unread: 1, first: 2 });
      await world.fetch();
      expect(world.subjects()).toEqual(['read before', 'unread']);
      expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
      await world.deliver(letter('new'));
      expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
      expect(world.entries()).toEqual([]);
      expect(await world.unread()).toHaveLength(2);
    });

    test('arrived before the day: it is never imported', async () => {
      const tomorrow = new Date(world.now + 48 * 3_600_000).toISOString().slice(0, 10);
      world.mailbox = { ...world.mailbox, fetchSince: tomorrow };
      await world.deliver(letter('older'));
      expect(await world.connect()).toMatchObject({ unread: 1, first: 0 });
      await world.fetches(2);
      expect(world.subjects()).toEqual([]);
      await world.deliver(letter('new'));
      await world.fetch();
      expect(world.subjects()).toEqual(['new']);
    });

    test('is stored: it is deleted after its days, and nothing else', async () => {
      world.mailbox = {
        ...world.mailbox,
        afterFetch: { kind: 'delete-later', days: 5 },
        classes: { list: 'skip' },
      };
      await world.deliver(letter('read before it was connected'));
      await world.asColleague(async (inbox) => inbox.markSeen((await inbox.list({})).refs));
      await world.connect();
      const list = Buffer.from(`List-Id: <talk.example>\r\n${letter('of a list').toString()}`);
      await world.deliver(letter('a ticket'), list);
      await world.fetch();
      expect(await world.unread()).toEqual([]);
      expect(await world.asColleague(async ({ total }) => total)).toBe(3);
      await world.fetch(4 * DAY_MINUTES);
      expect(await world.asColleague(async ({ total }) => total)).toBe(3);
      await world.fetch(3 * DAY_MINUTES);
      expect(await world.asColleague(async ({ total }) => total)).toBe(2);
      expect(world.subjects()).toEqual(['a ticket']);
      expect(world.entries().map(({ reason }) => reason)).toEqual([
        'skipped by the settings of the mailbox: Mailing list',
      ]);
    });
  });
});
