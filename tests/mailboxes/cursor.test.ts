import { describe, expect, test } from 'vitest';
import { actionOf, type Cursor } from '../../shared/mailboxes/cursor.ts';
import { cursorKind } from '../../shared/mailboxes/mailbox-state-records.ts';
import type { Row } from '../../shared/platform/tables.ts';

const AT = '2026-11-24T10:00:00.000Z';
const LATER = '2026-11-24T10:05:00.000Z';
const full: Cursor = {
  uidValidity: '17',
  folderKey: 'imap.contoso.example/INBOX',
  uid: 4_294_967_295,
  last: { uid: 4_294_967_290, fingerprint: 'abc' },
  left: [
    { uid: 3, fingerprint: 'def' },
    { uid: 5, fingerprint: '' },
  ],
  waiting: [7, 9],
  lastMailAt: AT,
  backlog: 12,
  unfetched: [
    { uid: 11, fingerprint: 'ghi', attempts: 2, since: AT, failed: 'download' },
    { uid: 13, fingerprint: 'jkl', attempts: 1, since: LATER, failed: 'storage' },
  ],
  refusal: {
    action: 'move Done',
    problem: 'The server said: NO.',
    since: AT,
    triedAt: LATER,
    listed: 'digest',
  },
};
const ofBox = (cursor: Cursor) => ({ mailboxId: 'box', ...cursor });

describe('a cursor', () => {
  test.each<[string, Cursor]>([
    ['with everything', full],
    [
      'of a folder that was never read',
      {
        uidValidity: '1',
        folderKey: undefined,
        uid: 0,
        last: undefined,
        left: [],
        waiting: [],
        lastMailAt: undefined,
        backlog: 0,
        unfetched: [],
        refusal: undefined,
      },
    ],
    [
      'after a refusal of which no list is known',
      { ...full, refusal: { action: 'delete', problem: 'No.', since: AT, triedAt: AT } },
    ],
  ])('%s is read back as it was written', (_what, cursor) => {
    expect(cursorKind.fromRow(cursorKind.toRow(ofBox(cursor)))).toEqual(ofBox(cursor));
  });

  test('without what it may lack is read back without it', () => {
    const bare: Cursor = { uidValidity: '1', uid: 2, left: [], waiting: [], lastMailAt: undefined };
    expect(cursorKind.fromRow(cursorKind.toRow(ofBox(bare)))).toEqual(ofBox(bare));
  });

  test('with the thousand messages that may be left fits into its columns', () => {
    const left = Array.from({ length: 1000 }, (_, index) => ({
      uid: 4_294_967_295 - index,
      fingerprint: '0123456789abcdef',
    }));
    expect(String(cursorKind.toRow(ofBox({ ...full, left }))['left']).length).toBeLessThanOrEqual(32_768);
  });

  test.each<[string, string, Partial<Row>]>([
    ['no UID', 'uid', { uid: undefined }],
    ['an empty UID', 'uid', { uid: '' }],
    ['a UID that is a word', 'uid', { uid: 'ten' }],
    ['a UID with a fraction', 'uid', { uid: '1.5' }],
    ['a UID below zero', 'uid', { uid: '-5' }],
    ['a UID with a space behind it', 'uid', { uid: '5 ' }],
    ['a word among the waiting UIDs', 'waiting', { waiting: '3,four' }],
    ['a word among the messages that were left', 'left', { left: '3:a,four:b' }],
    ['a word as its last message', 'last', { last: 'four:b' }],
    ['words as its backlog', 'backlog', { backlog: 'three' }],
    ['half an unfetched message', 'unfetched', { unfetched: '[[1,"a"]]' }],
    ['half a refusal', 'refusal', { refusal: '{"action":"delete"}' }],
  ])('is refused where its row holds %s', (_what, column, columns) => {
    const row = { ...cursorKind.toRow(ofBox(full)), ...columns };
    expect(() => cursorKind.fromRow(row)).toThrow(
      expect.objectContaining({
        code: 'bad-row',
        message: `MailboxState/state/box|cursor: the column ${column} does not hold what Postroom wrote there`,
      }),
    );
  });
});

test('a refusal is about one action, and a move about one folder', () => {
  expect(actionOf({ afterFetch: { kind: 'mark-seen' } })).toBe('mark-seen');
  expect(actionOf({ afterFetch: { kind: 'delete' } })).toBe('delete');
  expect(actionOf({ afterFetch: { kind: 'move', folder: 'Done' } })).toBe('move Done');
});
