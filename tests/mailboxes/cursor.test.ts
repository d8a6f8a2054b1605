import { describe, expect, test } from 'vitest';
import { actionOf, type Cursor, cursorColumns, cursorOf } from '../../shared/mailboxes/cursor.ts';
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
const rowOf = (columns: Record<string, unknown>): Row =>
  ({ partitionKey: 'state', rowKey: 'box|cursor', ...columns }) as Row;

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
    expect(cursorOf(rowOf(cursorColumns(cursor)))).toEqual(cursor);
  });

  test('without what it may lack is written as one that has none of it', () => {
    const bare: Cursor = { uidValidity: '1', uid: 2, left: [], waiting: [], lastMailAt: undefined };
    expect(cursorOf(rowOf(cursorColumns(bare)))).toEqual({ ...bare, backlog: 0, unfetched: [] });
  });

  test('whose row has fewer columns is read as far as it goes', () => {
    expect(cursorOf(rowOf({ uidValidity: '1', uid: '2', backlog: 'three' }))).toEqual({
      uidValidity: '1',
      folderKey: undefined,
      uid: 2,
      last: undefined,
      left: [],
      waiting: [],
      lastMailAt: undefined,
      backlog: undefined,
      unfetched: [],
      refusal: undefined,
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['no UID', { uid: undefined }],
    ['an empty UID', { uid: '' }],
    ['a UID that is a word', { uid: 'ten' }],
    ['a UID with a fraction', { uid: '1.5' }],
    ['a word among the waiting UIDs', { waiting: '3,four' }],
    ['a word among the messages that were left', { left: '3:a,four:b' }],
  ])('is refused where its row holds %s', (_what, columns) => {
    const row = rowOf({ ...cursorColumns(full), ...columns });
    expect(() => cursorOf(row)).toThrow(
      expect.objectContaining({
        code: 'bad-row',
        message: expect.stringContaining('MailboxState/box|cursor does not hold a cursor'),
      }),
    );
  });
});

test('a refusal is about one action, and a move about one folder', () => {
  expect(actionOf({ afterFetch: { kind: 'mark-seen' } })).toBe('mark-seen');
  expect(actionOf({ afterFetch: { kind: 'delete' } })).toBe('delete');
  expect(actionOf({ afterFetch: { kind: 'move', folder: 'Done' } })).toBe('move Done');
});
