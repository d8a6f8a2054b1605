/** Reconciliation and “try again” on real mail servers: messages in the folder that Postroom never saw are found and fetched. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { createReconciliationStore, type FolderCheck } from '../../shared/intake/reconciliation-records.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { ImapWorld } from '../harness/stack/imap-world.ts';

// A mail server is started for each.

let world: ImapWorld;
afterEach(() => world?.stop());

const letter = (subject: string): Uint8Array =>
  Buffer.from(
    `From: kim@customer.example\r\nTo: support@contoso.example\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@customer.example>\r\n\r\nHello\r\n`,
  );
const check = (): Promise<FolderCheck | undefined> =>
  createReconciliationStore(world.tables).check(world.mailbox.id);

/** As after an unforeseen fault: they have been read, and are below the cursor. */
async function lose(...subjects: string[]): Promise<void> {
  await world.deliver(...subjects.map(letter));
  await world.asColleague(async (inbox) => inbox.markSeen(await inbox.all()));
  const cursor = await world.cursor();
  if (cursor === undefined) throw new Error('not fetched');
  await createMailboxStore(world.tables).saveCursor(world.mailbox.id, {
    ...cursor,
    position: { uid: (cursor.position as { uid: number }).uid + subjects.length },
  });
}

describe.each(['npm', 'debian'] as MailServerKind[])('on the mail server %s', (kind) => {
  describe.skipIf(kind === 'debian' && mailServerKindHere() !== 'debian')('of our own', () => {
    test('a check finds what is missing, one click fetches it, and then nothing is missing', async () => {
      vi.spyOn(console, 'log').mockImplementation(() => {});
      world = await ImapWorld.start(kind);
      world.mailbox = { ...world.mailbox, createdAt: '2020-01-01T00:00:00.000Z' };
      await world.deliver(...['one', 'two', 'three'].map(letter));
      await world.fetch();
      await lose('four', 'five');
      await world.fetch();
      expect(world.subjects(), 'no fetch looks there').toEqual(['one', 'three', 'two']);
      await world.task({ kind: 'check' });
      expect(await check()).toMatchObject({
        count: { inLedger: 3, waiting: 0, older: 0, missing: 2 },
        missing: [{ messageId: '<four@customer.example>' }, { messageId: '<five@customer.example>' }],
      });
      await world.task({ kind: 'fetch-missing' });
      expect(world.subjects()).toEqual(['five', 'four', 'one', 'three', 'two']);
      expect(await check()).toMatchObject({ count: { inLedger: 5, missing: 0 }, missing: [] });
    });

    test('a message that the server did not return is imported by a retry, and its entry is done', async () => {
      vi.spyOn(console, 'log').mockImplementation(() => {});
      world = await ImapWorld.start(kind);
      await world.deliver(...['one', 'two', 'three'].map(letter));
      world.faults.push({ kind: 'leave-out', uids: (uid) => uid === 2 });
      await world.fetches(4);
      expect(world.subjects()).toEqual(['one', 'three']);
      const quarantine = createQuarantineStore(world);
      expect(await quarantine.open(10)).toHaveLength(1);
      await world.task({ kind: 'check' });
      expect((await check())?.count, 'it is listed as unimported').toMatchObject({ inLedger: 3, missing: 0 });
      await world.task({ kind: 'again', refs: [uidRef(2)], by: 'Mira Sund' });
      expect(await quarantine.open(10), 'not handed out this time either').toHaveLength(1);
      world.faults.splice(0);
      await world.task({ kind: 'again', refs: [uidRef(2)], by: 'Mira Sund' });
      expect(world.subjects()).toEqual(['one', 'three', 'two']);
      expect(await quarantine.open(10)).toEqual([]);
      const { entries } = await quarantine.page(world.mailbox.id, { limit: 10 });
      expect(entries).toMatchObject([
        { handled: { outcome: 'imported', by: 'Mira Sund', ticket: { number: 3 } } },
      ]);
    });
  });
});
