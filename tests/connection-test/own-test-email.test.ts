import { describe, expect, test } from 'vitest';
import { createConnectionTestStore } from '../../shared/connection-test/connection-test-store.ts';
import { letterToOneself, markIn, messageIdOf, newMark } from '../../shared/connection-test/test-smtp.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';

const SUPPORT = 'support@contoso.example';
const raw = (messageId: string, subject: string): Buffer =>
  Buffer.from(
    `Message-ID: ${messageId}\r\nFrom: ${SUPPORT}\r\nTo: ${SUPPORT}\r\nSubject: ${subject}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\n${subject}\r\n`,
  );

/** The intake as the app has it, with the marks of the tests. */
const world = (afterFetch: 'mark-seen' | 'delete'): IntakeWorld =>
  new IntakeWorld({
    afterFetch: { kind: afterFetch },
    design: (deps, shard) =>
      fetchShard(
        {
          ...deps,
          isOwnTest: async (messageId) => {
            const mark = markIn(messageId);
            return mark !== undefined && createConnectionTestStore(deps.tables).takeMark(mark);
          },
        },
        shard,
      ),
  });

describe('the email of a connection test', () => {
  test.each(['mark-seen', 'delete'] as const)(
    'leaves no ticket: it is skipped, visibly, also with %s; one that only looks like it becomes a ticket',
    async (afterFetch) => {
      const postroom = world(afterFetch);
      const store = createConnectionTestStore(postroom.tables);
      const [sent, madeUp] = [newMark(), newMark()];
      await store.expectMark(sent, postroom.now);
      for (const [id, subject] of [
        [messageIdOf(SUPPORT, sent), 'Sending test'],
        [messageIdOf(SUPPORT, madeUp), 'Made up'],
        ['<question@fabrikam.example>', 'A question'],
      ] as const)
        postroom.folder.deliver(raw(id, subject), new Date(postroom.now).toISOString());
      await postroom.runUntilQuiet();
      const { tickets } = await postroom.tickets.page('open', { limit: 10 });
      expect(tickets.map(({ subject }) => subject).sort()).toEqual(['A question', 'Made up']);
      const { entries } = await createQuarantineStore(postroom).page('support', { limit: 10 });
      expect(entries.map(({ kind, reason }) => [kind, reason])).toEqual([
        ['skipped', 'the test email that “Test connection” sent to this mailbox'],
      ]);
      expect([await store.isTaken(sent), await store.isTaken(madeUp)]).toEqual([true, false]);
      expect(postroom.folder.all.every(({ settled }) => settled)).toBe(true);
    },
  );

  test('is recognized by its Message-ID, and no other Message-ID has a mark', () => {
    const mark = newMark();
    const { text, messageId } = letterToOneself(SUPPORT, mark);
    expect(text).toContain('opens no ticket');
    expect(markIn(messageId ?? '')).toBe(mark);
    for (const other of [
      '<x@contoso.example>',
      `<a-${mark}@contoso.example>`,
      `<${mark}0@contoso.example>`,
      '',
    ])
      expect(markIn(other)).toBeUndefined();
  });
});
