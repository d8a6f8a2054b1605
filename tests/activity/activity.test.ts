import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { refreshActivity } from '../../shared/accounts/record-refresh.ts';
import { type Activity, fetchSentence } from '../../shared/activity/activity.ts';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { activityOf } from '../../shared/intake/fetch-activity.ts';
import type { FetchFailure } from '../../shared/mailboxes/mailbox.ts';
import { recordSends } from '../../shared/outbox/record-sends.ts';
import type { MailSender } from '../../shared/outbox/send-mail.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import type { Tables } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const DAY_MS = 86_400_000;
const entry = (at: number, change: Partial<Activity> = {}): Activity => ({
  kind: 'fetch',
  at: new Date(at).toISOString(),
  aboutId: 'support',
  about: 'support@contoso.example',
  result: 'done',
  what: `at ${new Date(at).toISOString()}`,
  ...change,
});

let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const kinds: [string, () => Tables][] = [
  ['in memory', () => new MemoryTables(openSeam)],
  [
    'in Azurite',
    () => azureTables({ kind: 'connection-string', connectionString: azurite.connectionString }, openSeam),
  ],
];

describe.each(kinds)('activity %s', (_kind, tables) => {
  test('is stored for thirty days, newest first over all kinds, and read page by page', async () => {
    const store = createActivityStore(tables());
    const hours = Array.from({ length: 60 }, (_value, index) => entry(NOW - index * 3_600_000));
    const others = [
      entry(NOW - 90_000, { kind: 'refresh', what: 'renewed', ms: 12 }),
      entry(NOW - 26 * 3_600_000 + 1, { kind: 'send', what: 'sent' }),
      entry(NOW - 31 * DAY_MS, { what: 'too old' }),
    ];
    await store.note([...hours, ...others]);
    const read: Activity[] = [];
    let after: string | undefined;
    do {
      const page = await store.page({ after, limit: 25 }, NOW);
      read.push(...page.entries);
      after = page.next;
    } while (after !== undefined);
    const expected = [...hours, ...others.slice(0, 2)].toSorted((a, b) => (a.at < b.at ? 1 : -1));
    expect(read.map(({ what }) => what)).toEqual(expected.map(({ what }) => what));
    expect((await store.page({ kind: 'refresh', limit: 5 }, NOW)).entries).toEqual([others[0]]);
    expect(await store.forgetOld(NOW)).toBe(1);
    expect(await store.forgetOld(NOW + 27 * DAY_MS)).toBe(0);
    expect(await store.forgetOld(NOW + 33 * DAY_MS)).toBe(62);
  });
});

test('a page of activity reads one range of each requested kind, however old its rows are', async () => {
  let asked = 0;
  const seam: Seam = {
    ...openSeam,
    call: (name, effect) => {
      if (name.startsWith('table.')) asked += 1;
      return openSeam.call(name, effect);
    },
  };
  const store = createActivityStore(new MemoryTables(seam));
  await store.note([entry(NOW - 29 * DAY_MS), entry(NOW - 28 * DAY_MS, { kind: 'send' })]);
  asked = 0;
  expect((await store.page({ kind: 'fetch', limit: 50 }, NOW)).entries).toHaveLength(1);
  expect(asked).toBe(1);
  expect((await store.page({ limit: 50 }, NOW)).entries).toHaveLength(2);
  expect(asked).toBe(1 + 3);
});

test('a row that cannot be written does not affect anything else', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  const seam: Seam = {
    ...openSeam,
    call: () => Promise.reject(new PostroomError('table-storage', 'away')),
  };
  await createActivityStore(new MemoryTables(seam)).note([entry(NOW)]);
  expect(errors).toHaveBeenCalledOnce();
  errors.mockRestore();
});

describe('a fetch', () => {
  const mailbox = mailboxOf({ kind: 'mark-seen' });
  const failure: FetchFailure = {
    state: 'retrying',
    code: 'imap-unavailable',
    problem: 'x',
    since: '2026-11-24T09:00:00.000Z',
    failures: 3,
    triedAt: '2026-11-24T09:09:00.000Z',
    nextTryAt: '2026-11-24T09:10:00.000Z',
  };
  const counts = { opened: 2, replies: 1, quarantined: 0, skipped: 0, backlog: 0, more: false };
  const failed = {
    kind: 'failed' as const,
    failure: { kind: 'retrying' as const, code: 'imap-unavailable' as const, message: 'No answer.' },
  };

  test.each([
    ['that finds nothing leaves no row', { kind: 'nothing-new' as const }, undefined, undefined],
    ['that another run does leaves none', { kind: 'busy' as const }, undefined, undefined],
    ['that fails as before leaves none', failed, failure, undefined],
    ['that begins to fail leaves one', failed, undefined, 'No answer.'],
    [
      'that works again leaves one',
      { kind: 'nothing-new' as const },
      failure,
      'Fetching works again; no new email.',
    ],
    [
      'of email that was marked unread again creates none',
      { kind: 'fetched' as const, ...counts, opened: 0, replies: 0 },
      undefined,
      undefined,
    ],
    [
      'that brings mail leaves one',
      { kind: 'fetched' as const, ...counts },
      undefined,
      '2 tickets opened, 1 reply added.',
    ],
  ])('%s', (_case, result, before, what) => {
    expect(activityOf(mailbox, result, before, NOW, 5)?.what).toBe(what);
  });

  test('summarizes its results in a sentence, without zero counts', () => {
    expect(fetchSentence({ opened: 1, replies: 0, quarantined: 2, skipped: 1 })).toBe(
      '1 ticket opened, 2 emails not imported, 1 email skipped.',
    );
  });
});

describe('a sent email', () => {
  const mail = { subject: 'CANARY', text: 'CANARY' } as unknown as Parameters<MailSender['send']>[1];
  const relay = { kind: 'relay' as const };
  const senderThat = (send: MailSender['send']): MailSender => ({
    send,
    signIn: async () => ({ kind: 'accepted', answer: '' }),
  });
  const refused = {
    kind: 'refused',
    code: 'smtp-554',
    reason: '554 no',
    retryAt: undefined,
    asked: true,
  } as const;

  test.each<[string, MailSender['send'], Partial<Activity>]>([
    [
      'that leaves',
      async () => ({ kind: 'sent', answer: '250 ok', refusedRecipients: [] }),
      { result: 'done', what: '1 email sent.' },
    ],
    [
      'that is refused for good',
      async () => ({ ...refused, permanent: true }),
      { result: 'action-required', what: 'Email refused: 554 no' },
    ],
    [
      'that is refused for now',
      async () => ({ ...refused, permanent: false, retryAt: '2026-11-24T10:05:00.000Z' }),
      { result: 'retrying' },
    ],
    [
      'without an answer',
      () => Promise.reject(new PostroomError('smtp-unreachable', 'away')),
      { result: 'retrying' },
    ],
  ])('%s creates a row without recipient and text', async (_case, send, expected) => {
    const activity = createActivityStore(new MemoryTables(openSeam));
    const seam = { now: () => NOW };
    await recordSends(senderThat(send), { seam, activity })
      .send(relay, mail)
      .catch(() => undefined);
    const { entries } = await activity.page({ limit: 9 }, NOW);
    expect(entries).toMatchObject([{ kind: 'send', about: 'SMTP relay', ...expected }]);
    expect(JSON.stringify(entries)).not.toContain('CANARY');
  });
});

test('a refresh that fails all night creates one row', () => {
  const account = {
    accountId: 'a',
    user: 'support@contoso.example',
    state: 'retrying',
    problem: { code: 'no-answer', message: 'No answer came.' },
  } as unknown as Parameters<typeof refreshActivity>[0];
  const outcome = { kind: 'retrying' as const, account };
  const works = { ...account, state: 'ok', problem: undefined } as unknown as typeof account;
  expect(refreshActivity(works, outcome, NOW, 1)).toMatchObject({
    result: 'retrying',
    what: 'No answer came.',
  });
  expect(refreshActivity(account, outcome, NOW, 1)).toBeUndefined();
});

test('an activity whose row cannot be read is left out and reported, and the others are shown and removed', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const tables = new MemoryTables(openSeam);
  const store = createActivityStore(tables);
  await store.note([1, 2, 3].map((ms) => entry(NOW - ms)));
  const [, spoiled] = tables.dump('Activity');
  if (spoiled === undefined) throw new Error('no activity was kept');
  await tables.open('Activity').commit('fetch', [{ kind: 'put', row: { ...spoiled, result: 'pondered' } }]);
  const { entries } = await store.page({ limit: 10 }, NOW);
  expect(entries.map(({ at }) => at)).toEqual([NOW - 1, NOW - 3].map((ms) => new Date(ms).toISOString()));
  const { partitionKey, rowKey } = spoiled;
  expect(unreadableRows(tables)).toEqual([{ table: 'Activity', partitionKey, rowKey }]);
  expect(await store.forgetOld(NOW + 40 * DAY_MS)).toBe(3);
});
