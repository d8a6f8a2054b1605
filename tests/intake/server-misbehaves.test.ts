import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { ImapWorld, letter } from '../harness/stack/imap-world.ts';

// Mail servers that break the design's assumptions: real ones, behind a proxy with configurable misbehavior.

// A mail server is started for each, beside other work of the machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: ImapWorld;
let running = false;

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(async () => {
  if (running) await world.stop();
  running = false;
});

async function start(kind: MailServerKind, afterFetch?: Mailbox['afterFetch']): Promise<void> {
  world = await ImapWorld.start(kind, afterFetch);
  running = true;
}

const numbered = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, index) => `mail ${String(from + index).padStart(3, '0')}`);
const letters = (subjects: readonly string[]): Buffer[] => subjects.map((subject) => letter(subject));
const uids =
  (...numbers: number[]) =>
  (uid: number): boolean =>
    numbers.includes(uid);
const all = (): boolean => true;

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Dovecot', 'debian'],
];

describe.each(kinds)('%s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: misbehaviour of Dovecot, which is not here.');
  describe.skipIf(!here)('that', () => {
    describe('was restored from a backup and reuses UIDs', () => {
      test('has its new messages fetched before they are marked', async () => {
        await start(kind);
        await world.deliver(letter('before'));
        await world.fetch();
        const restore = await world.backup();
        await world.deliver(letter('lost with the backup'));
        await world.fetch();
        await restore();
        await world.deliver(letter('given the same UID'));
        expect(await world.unread()).toHaveLength(1);
        await world.fetch();
        expect(world.subjects()).toEqual(['before', 'given the same UID', 'lost with the backup']);
        expect(await world.unread()).toEqual([]);
        expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
        expect(world.entries()).toEqual([]);
      });

      test('has nothing deleted that was not fetched, and restored messages are deleted again', async () => {
        await start(kind, { kind: 'delete' });
        await world.deliver(letter('in the backup'));
        // Dovecot numbers a message when a session first sees it.
        expect(await world.unread()).toEqual([1]);
        const restore = await world.backup();
        await world.fetch();
        await world.deliver(...letters(['lost 1', 'lost 2']));
        await world.fetch();
        await restore();
        await world.deliver(...letters(['new 1', 'new 2', 'new 3']));
        await world.fetch();
        expect(world.subjects()).toEqual(['in the backup', 'lost 1', 'lost 2', 'new 1', 'new 2', 'new 3']);
        expect(await world.asColleague(async ({ total }) => total)).toBe(0);
        expect(world.entries()).toEqual([]);
      });

      test('has messages that a colleague read first fetched, too, as long as the server is behind its old position', async () => {
        await start(kind);
        await world.deliver(letter('before'));
        await world.fetch();
        const restore = await world.backup();
        await world.deliver(...letters(['lost 1', 'lost 2', 'lost 3']));
        await world.fetch();
        await restore();
        await world.deliver(letter('read by a colleague'));
        await world.asColleague(async (inbox) => inbox.markSeen((await inbox.list({})).refs));
        await world.fetch();
        expect(world.subjects()).toContain('read by a colleague');
      });

      test('has them fetched with the next new message once it is no longer behind', async () => {
        await start(kind);
        await world.deliver(letter('before'));
        await world.fetch();
        const restore = await world.backup();
        await world.deliver(...letters(['lost 1', 'lost 2']));
        await world.fetch();
        await restore();
        await world.deliver(...letters(['read by a colleague', 'read, too']));
        await world.asColleague(async (inbox) => inbox.markSeen((await inbox.list({})).refs));
        await world.deliver(letter('the next one'));
        await world.fetch();
        expect(world.subjects()).toEqual([
          'before',
          'lost 1',
          'lost 2',
          'read by a colleague',
          'read, too',
          'the next one',
        ]);
        expect(world.entries()).toEqual([]);
        expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
      });
    });

    describe('refuses to mark, and was restored from a backup', () => {
      test('has its new messages fetched in the next minute if they are among those that were marked', async () => {
        await start(kind);
        await world.deliver(letter('before'));
        await world.fetch();
        const restore = await world.backup();
        await world.deliver(...letters(['lost 1', 'lost 2']));
        await world.fetch();
        await world.deliver(letter('lost 3'));
        world.faults.push({ kind: 'refuse', command: 'UID STORE' });
        await world.fetch();
        await restore();
        await world.deliver(...letters(['new 1', 'new 2', 'new 3']));
        await world.fetch();
        expect(world.subjects()).toEqual(['before', 'lost 1', 'lost 2', 'lost 3', 'new 1', 'new 2', 'new 3']);
      });

      test('has them fetched at the next attempt if all of them were unmarked, however many', async () => {
        await start(kind);
        const lost = numbered(130);
        await world.deliver(letter('before'));
        await world.fetch();
        const restore = await world.backup();
        await world.deliver(...letters(lost));
        world.faults.push({ kind: 'refuse', command: 'UID STORE' });
        await world.fetch();
        await restore();
        const fresh = numbered(130, 201);
        await world.deliver(...letters(fresh));
        await world.fetch(16);
        expect(world.subjects()).toEqual(['before', ...lost, ...fresh]);
      });
    });

    describe('temporarily refuses to mark', () => {
      test('has its email marked minutes later', async () => {
        await start(kind);
        await world.deliver(letter('kept waiting'));
        world.faults.push({ kind: 'refuse', command: 'UID STORE', says: '[UNAVAILABLE] Busy.', times: 1 });
        await world.fetch();
        expect(await world.unread()).toHaveLength(1);
        await world.fetches(2);
        expect(await world.unread()).toEqual([]);
        expect((await world.cursor())?.refusal).toBeUndefined();
      });
    });

    describe('returns no UIDNEXT', () => {
      test.each([
        ['in SELECT', ['SELECT']],
        ['at all', ['SELECT', 'STATUS']],
      ] as const)(
        '%s: email is fetched and marked, read email is not fetched, and the position is kept',
        async (_where, leftOutOf) => {
          await start(kind);
          world.faults.push({ kind: 'no-uidnext', leftOutOf });
          expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
          await world.deliver(...letters(['first', 'second']));
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 2 });
          expect((await world.cursor())?.position).toMatchObject({ uid: 2 });
          await world.deliver(letter('read by a colleague'));
          await world.asColleague(async (inbox) => inbox.markSeen((await inbox.list({})).refs));
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
          expect((await world.cursor())?.position).toMatchObject({ uid: 3 });
          expect(await world.unread()).toEqual([]);
          expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
          expect(world.entries()).toEqual([]);
        },
      );
    });

    describe('disconnects at one message', () => {
      test.each(['break-off', 'fail-fetch'] as const)(
        '(%s): the others are stored at once, and that one ends in quarantine, unread',
        async (fault) => {
          await start(kind);
          const subjects = numbered(60);
          await world.deliver(...letters(subjects));
          world.faults.push({ kind: fault, uids: uids(7, 31) });
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 58, more: false });
          const stored = subjects.filter((_, index) => index !== 6 && index !== 30);
          expect(world.subjects()).toEqual(stored);
          expect(await world.cursor()).toMatchObject({
            backlog: 2,
            unfetched: [
              { ref: uidRef(7), attempts: 1, failed: 'download' },
              { ref: uidRef(31), attempts: 1, failed: 'download' },
            ],
          });
          expect(world.entries()).toEqual([]);
          await world.fetches(2);
          const reason = expect.stringContaining('the mail server lists this message but did not return it');
          expect(world.entries()).toEqual([
            { kind: 'quarantined', reason },
            { kind: 'quarantined', reason },
          ]);
          expect(await world.unread()).toEqual([7, 31]);
          expect(await world.cursor()).toMatchObject({ backlog: 0, unfetched: [] });
          expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
          const { [fault]: struck } = world.struck;
          await world.deliver(letter('later'));
          await world.fetch();
          expect(world.subjects()).toEqual(['later', ...stored].sort());
          expect(world.entries()).toHaveLength(2);
          expect(world.struck[fault], 'they are not asked for any more').toBe(struck);
        },
      );

      test('once only: all are stored in the same fetch', async () => {
        await start(kind);
        await world.deliver(...letters(numbered(5)));
        world.faults.push({ kind: 'break-off', uids: uids(3), times: 1 });
        expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 5 });
        expect(await world.unread()).toEqual([]);
        expect(await world.cursor()).toMatchObject({ unfetched: [], waiting: [] });
      });

      test('that is too large for memory: the others are stored, and no storage is blamed', async () => {
        await start(kind);
        const large = letter('large', `${'0123456789abcdef'.repeat(64)}\r\n`.repeat(9000));
        await world.deliver(letter('before'), large, letter('after'));
        world.faults.push({ kind: 'break-off', uids: uids(2) });
        for (let number = 0; number < 3; number += 1)
          expect(await world.fetch()).toMatchObject({ kind: 'fetched' });
        expect(world.subjects()).toEqual(['after', 'before']);
        expect(world.entries()).toHaveLength(1);
        expect(await world.unread()).toEqual([2]);
      });
    });

    describe('omits a message from its response', () => {
      test.each(['leave-out', 'leave-out-facts'] as const)(
        '(%s): it waits, is requested again, and is not lost if a colleague opens it meanwhile',
        async (fault) => {
          await start(kind);
          await world.deliver(...letters(numbered(5)));
          world.faults.push({ kind: fault, uids: uids(3), times: 1 });
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 4 });
          expect(await world.cursor()).toMatchObject({
            backlog: 1,
            unfetched: [{ ref: uidRef(3), attempts: 1 }],
          });
          await world.asColleague((inbox) => inbox.markSeen([uidRef(3)]));
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
          expect(world.subjects()).toEqual(numbered(5));
          expect(await world.cursor()).toMatchObject({ backlog: 0, unfetched: [] });
        },
      );

      test.each(['leave-out', 'leave-out-facts'] as const)(
        '(%s) permanently: it ends in quarantine, once, and is left unread',
        async (fault) => {
          await start(kind);
          await world.deliver(...letters(numbered(3)));
          world.faults.push({ kind: fault, uids: uids(2) });
          await world.fetches(4);
          expect(world.subjects()).toEqual(['mail 001', 'mail 003']);
          // Next to new email, it is not begun again.
          for (const subject of numbered(4, 4)) {
            await world.deliver(letter(subject));
            await world.fetch();
          }
          expect(world.subjects()).toHaveLength(6);
          expect(world.entries()).toHaveLength(1);
          expect(await world.unread()).toEqual([2]);
        },
      );

      test('that was deleted: nothing waits for it', async () => {
        await start(kind);
        await world.deliver(...letters(numbered(3)));
        world.faults.push({ kind: 'leave-out', uids: uids(2), times: 1 });
        await world.fetch();
        await world.asColleague((inbox) => inbox.remove([uidRef(2)]));
        await world.fetch();
        expect(await world.cursor()).toMatchObject({ backlog: 0, unfetched: [], waiting: [] });
        expect(world.entries()).toEqual([]);
      });
    });

    describe('refuses to', () => {
      const refusals: [string, Mailbox['afterFetch'], string][] = [
        ['mark', { kind: 'mark-seen' }, 'UID STORE'],
        ['move', { kind: 'move', folder: 'Archive' }, 'UID MOVE'],
        ['flag what is to be deleted', { kind: 'delete' }, 'UID STORE'],
        ['expunge', { kind: 'delete' }, 'UID EXPUNGE'],
      ];
      test.each(refusals)(
        '%s: all are stored, and later email is, too',
        async (_what, afterFetch, command) => {
          await start(kind, afterFetch);
          await world.deliver(...letters(numbered(250)));
          world.faults.push({ kind: 'refuse', command, says: '[NOPERM] You may only read here.' });
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 250, more: false });
          const { refusal } = (await world.cursor()) ?? {};
          expect(refusal?.problem).toContain('You may only read here.');
          await world.deliver(letter('one more'));
          expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
          expect((await world.cursor())?.refusal?.since).toBe(refusal?.since);
          expect(world.subjects()).toHaveLength(251);
          expect(world.entries()).toEqual([]);
          expect(await world.asColleague(async ({ total }) => total)).toBe(251);
        },
      );

      test('mark: such email is not checked each minute, and is marked once that is allowed', async () => {
        await start(kind);
        await world.deliver(...letters(numbered(120)));
        world.faults.push({ kind: 'refuse', command: 'UID STORE' });
        await world.fetch();
        world.calls.length = 0;
        expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
        expect(world.calls.filter((point) => /facts|sources|Ledger/.test(point))).toEqual([]);
        world.faults.length = 0;
        await world.fetch(16);
        expect((await world.cursor())?.refusal).toBeUndefined();
        await world.fetch();
        expect(await world.unread()).toEqual([]);
        expect(world.subjects()).toEqual(numbered(120));
        expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
      });

      test('move into a missing folder: the next folder is tried at once', async () => {
        await start(kind, { kind: 'move', folder: 'Nowhere' });
        await world.deliver(...letters(numbered(3)));
        expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 3 });
        expect((await world.cursor())?.refusal).toMatchObject({ action: 'move Nowhere' });
        world.mailbox = { ...world.mailbox, afterFetch: { kind: 'move', folder: 'Archive' } };
        await world.fetch();
        expect((await world.cursor())?.refusal).toBeUndefined();
        expect(await world.asColleague(async ({ total }) => total)).toBe(0);
      });
    });

    describe('returns less of a large message than it announced', () => {
      const body = `${'0123456789abcdef'.repeat(64)}\r\n`.repeat(9000);
      const large = letter('large', body);
      const rawOf = (): number => {
        const [row] = world.rows();
        return world.blobs.stored.get(String(row?.['rawBlob']))?.byteLength ?? 0;
      };
      const notes = (): string => String(world.rows()[0]?.['notes'] ?? '');

      test('in small chunks: it is stored completely, without a note', async () => {
        await start(kind);
        await world.deliver(large);
        world.faults.push({ kind: 'small-pieces', uids: all, bytes: 1_000_000 });
        expect(await world.fetch()).toMatchObject({ kind: 'fetched', opened: 1 });
        expect(rawOf()).toBe(large.byteLength);
        expect(notes()).not.toContain('announced');
      });

      test('once: it is read again, and stored completely', async () => {
        await start(kind);
        await world.deliver(large);
        world.faults.push({ kind: 'short', uids: all, bytes: 1_000_000, times: 2 });
        await world.fetch();
        expect(rawOf()).toBe(large.byteLength);
        expect(notes()).not.toContain('announced');
        expect(await world.unread()).toEqual([]);
      });

      test('each time: the available part is stored, and the message says so', async () => {
        await start(kind);
        await world.deliver(large);
        world.faults.push({ kind: 'short', uids: all, bytes: 1_000_000 });
        await world.fetch();
        expect(rawOf()).toBe(1_000_000);
        expect(notes()).toContain('announced 9.2 MB but returned 1.0 MB');
        expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
      });

      test('by a wrong RFC822.SIZE, with a closed last boundary: it is complete, without a note', async () => {
        await start(kind);
        const parts = `--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n\r\n${body}\r\n--b--\r\n`;
        await world.deliver(
          Buffer.from(
            `From: kim@customer.example\r\nSubject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts}`,
          ),
        );
        world.faults.push({ kind: 'wrong-size', uids: all, size: 12_300_000 });
        await world.fetch();
        expect(world.subjects()).toEqual(['parts']);
        expect(notes()).not.toContain('announced');
      });

      test('or of a small one, by less than half and once: it is read again, and stored completely', async () => {
        await start(kind);
        const small = letter('small', 'x'.repeat(3000));
        await world.deliver(small);
        world.faults.push({ kind: 'short', uids: all, bytes: 2_000, times: 1 });
        await world.fetch();
        expect(rawOf()).toBe(small.byteLength);
        expect(notes()).not.toContain('announced');
      });

      test('or of a small one by an RFC822.SIZE that is an estimate: it is complete, without a note', async () => {
        await start(kind);
        const small = letter('small', 'x'.repeat(3000));
        await world.deliver(small);
        world.faults.push({ kind: 'wrong-size', uids: all, size: small.byteLength + 500 });
        await world.fetch();
        expect(rawOf()).toBe(small.byteLength);
        expect(notes()).not.toContain('announced');
        expect(await world.fetch()).toEqual({ kind: 'nothing-new' });
      });

      test('or of a small one, by more than half: it is read again, then stored with a note', async () => {
        await start(kind);
        await world.deliver(letter('small', 'x'.repeat(3000)));
        world.faults.push({ kind: 'short', uids: all, bytes: 500 });
        await world.fetch();
        expect(rawOf()).toBe(500);
        expect(notes()).toContain('returned 500 bytes');
      });
    });

    test('disconnects in the middle of a message, which is not blamed', async () => {
      await start(kind);
      await world.deliver(...letters(numbered(2)));
      world.beforeCall = (point) => {
        if (point === 'imap.sources') void world.unplug();
      };
      for (let number = 0; number < 5; number += 1) {
        expect(await world.fetch(40)).toMatchObject({ kind: 'failed' });
        await world.plugIn();
      }
      world.beforeCall = () => {};
      expect(await world.fetch(40)).toMatchObject({ kind: 'fetched', opened: 2 });
      expect(world.entries()).toEqual([]);
    });
  });
});
