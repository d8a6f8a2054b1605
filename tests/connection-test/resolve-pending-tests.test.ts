import { beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import type { ConnectionTest } from '../../shared/connection-test/connection-test.ts';
import { createConnectionTestStore } from '../../shared/connection-test/connection-test-store.ts';
import { resolvePendingTests } from '../../shared/connection-test/resolve-pending-tests.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SENT = Date.parse('2026-11-24T08:00:00.000Z');
const MARK = 'postroom-0011223344556677';
const account = { address: 'support@contoso.example', providerId: 'p', accountId: 'a' } as Account;
const mailbox = mailboxOf(account, { afterFetch: { kind: 'delete' } });

let now: number;
let store: ReturnType<typeof createConnectionTestStore>;
let mailboxes: Mailbox[];

beforeEach(() => {
  now = SENT + 30_000;
  store = createConnectionTestStore(new MemoryTables(openSeam));
  mailboxes = [mailbox];
});

const smtp = (startedAt = SENT): ConnectionTest => ({
  protocol: 'smtp',
  server: 'localhost:587',
  startedAt: new Date(startedAt).toISOString(),
  steps: [
    { name: 'send', state: 'passed', ms: 1, found: '' },
    { name: 'arrival', state: 'waiting', ms: 0, found: '' },
  ],
  transcript: [],
  expected: {
    mark: MARK,
    sentAt: new Date(startedAt).toISOString(),
    until: new Date(startedAt + 120_000).toISOString(),
  },
});
const imap: ConnectionTest = { ...smtp(), protocol: 'imap', steps: [], expected: undefined };
const unused = () => Promise.reject(new Error('not part of this test'));

/** The mailbox itself cannot be looked into: there is no token for it. */
const monitor = (more: Partial<Parameters<typeof resolvePendingTests>[0]> = {}): Promise<void> =>
  resolvePendingTests({
    seam: { ...openSeam, now: () => now },
    config: { local: true },
    accessTokens: { get: async () => ({ kind: 'retrying', code: codeFrom('away'), message: 'Later.' }) },
    mailSender: { signIn: unused, send: unused },
    isTaken: (mark) => store.isTaken(mark),
    connectionTests: store,
    mailboxes: { get: async (id) => mailboxes.find((one) => one.id === id) },
    ...more,
  });
const arrival = async () => (await store.of(mailbox.id)).at(-1)?.steps.at(-1);

describe('a test that waits for its email', () => {
  it('ends without anyone at its page: the intake fetched the email and deleted it', async () => {
    await store.save(mailbox.id, [imap, smtp()]);
    expect(await store.waiting()).toHaveLength(1);
    await store.expectMark(MARK, SENT);
    expect(await store.takeMark(MARK)).toBe(true);
    await monitor();
    const found = 'The email arrived and was skipped as a test.';
    expect(await arrival()).toEqual({ name: 'arrival', state: 'passed', ms: 30_000, found });
    expect(await store.waiting()).toEqual([]);
  });

  it('recognizes its own mark for a week, and no mark that was not sent', async () => {
    await store.expectMark(MARK, SENT);
    expect(await store.takeMark('postroom-ffffffffffffffff')).toBe(false);
    expect(await store.isTaken(MARK)).toBe(false);
    await store.expectMark('postroom-0000000000000001', SENT + 7 * 86_400_000);
    expect(await store.takeMark(MARK)).toBe(true);
    await store.expectMark('postroom-0000000000000002', SENT + 7 * 86_400_000 + 1);
    expect(await store.takeMark(MARK)).toBe(false);
  });

  it('is abandoned after two minutes and not before, and is then not checked again', async () => {
    await store.save(mailbox.id, [smtp()]);
    await monitor();
    expect(await arrival()).toMatchObject({ state: 'waiting' });
    now = SENT + 120_000;
    await monitor();
    expect(await arrival()).toMatchObject({ state: 'failed', evidence: 'away: Later.' });
    await monitor({ isTaken: unused });
  });

  it('of a deleted mailbox, or already completed by a page, is dropped', async () => {
    await store.save(mailbox.id, [smtp()]);
    mailboxes = [];
    await monitor({ isTaken: unused });
    expect(await store.waiting()).toEqual([]);
    mailboxes = [mailbox];
    await store.save(mailbox.id, [smtp()]);
    await store.saveResult(mailbox.id, { ...smtp(), steps: [] });
    await monitor({ isTaken: unused });
    expect(await store.waiting()).toEqual([]);
  });

  it('keeps waiting if the row of its mailbox cannot be read, and the test of another mailbox still ends', async () => {
    await store.save('broken', [smtp()]);
    await store.save(mailbox.id, [smtp()]);
    await store.expectMark(MARK, SENT);
    await store.takeMark(MARK);
    const get = async (id: string): Promise<Mailbox> => {
      if (id === 'broken') throw new PostroomError('bad-row', 'Mailboxes/mailbox/broken cannot be read');
      return mailbox;
    };
    await monitor({ mailboxes: { get } });
    expect(await arrival()).toMatchObject({ state: 'passed' });
    expect((await store.waiting()).map(({ mailboxId }) => mailboxId)).toEqual(['broken']);
  });

  it('stays on the list if it started while the previous one was completed', async () => {
    await store.save(mailbox.id, [smtp()]);
    await monitor({
      isTaken: async () => {
        await store.save(mailbox.id, [smtp(SENT + 20_000)]);
        return true;
      },
    });
    expect(await arrival()).toMatchObject({ state: 'waiting' });
    expect(await store.waiting()).toHaveLength(1);
  });
});
