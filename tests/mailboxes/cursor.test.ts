import { describe, expect, test } from 'vitest';
import { actionOf, type Cursor } from '../../shared/mailboxes/cursor.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { cursorKind } from '../../shared/mailboxes/mailbox-state-records.ts';
import type { Row } from '../../shared/platform/tables.ts';

const AT = '2026-11-24T10:00:00.000Z';
const LATER = '2026-11-24T10:05:00.000Z';
const full: Cursor = {
  validity: '17',
  folderKey: 'imap.contoso.example/INBOX',
  position: { uid: 4_294_967_295, last: { uid: 4_294_967_290, fingerprint: 'abc' } },
  left: [
    { ref: uidRef(3), fingerprint: 'def' },
    { ref: uidRef(5), fingerprint: '' },
  ],
  waiting: [uidRef(7), uidRef(9)],
  lastMailAt: AT,
  backlog: 12,
  unfetched: [
    { ref: uidRef(11), fingerprint: 'ghi', attempts: 2, since: AT, failed: 'download' },
    { ref: uidRef(13), fingerprint: 'jkl', attempts: 1, since: LATER, failed: 'storage' },
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
        validity: '1',
        folderKey: undefined,
        position: { uid: 0 },
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

  test('without its optional fields is read back without them', () => {
    const bare: Cursor = {
      validity: '1',
      position: { uid: 2 },
      left: [],
      waiting: [],
      lastMailAt: undefined,
    };
    expect(cursorKind.fromRow(cursorKind.toRow(ofBox(bare)))).toEqual(ofBox(bare));
  });

  test('with the maximum of a thousand remaining messages fits into its columns', () => {
    const left = Array.from({ length: 1000 }, (_, index) => ({
      ref: uidRef(4_294_967_295 - index),
      fingerprint: '0123456789abcdef',
    }));
    expect(String(cursorKind.toRow(ofBox({ ...full, left }))['left']).length).toBeLessThanOrEqual(32_768);
  });

  test.each<[string, string, Partial<Row>]>([
    ['no position', 'position', { position: undefined }],
    ['an empty position', 'position', { position: '' }],
    ['half a position', 'position', { position: '{"uid":' }],
    ['text among the waiting refs', 'waiting', { waiting: '3,four five' }],
    ['no ref among the messages that were left', 'left', { left: '3:a,:b' }],
    ['text as its backlog', 'backlog', { backlog: 'three' }],
    ['half an unfetched message', 'unfetched', { unfetched: '[[1,"a"]]' }],
    ['half a refusal', 'refusal', { refusal: '{"action":"delete"}' }],
  ])('is rejected if its row contains %s', (_what, column, columns) => {
    const row = { ...cursorKind.toRow(ofBox(full)), ...columns };
    expect(() => cursorKind.fromRow(row)).toThrow(
      expect.objectContaining({
        code: 'bad-row',
        message: `MailboxState/state/box|cursor: the column ${column} does not contain what Postroom wrote there`,
      }),
    );
  });
});

test('a refusal is about one action, and a move about one folder', () => {
  expect(actionOf({ afterFetch: { kind: 'mark-seen' } })).toBe('mark-seen');
  expect(actionOf({ afterFetch: { kind: 'delete' } })).toBe('delete');
  expect(actionOf({ afterFetch: { kind: 'move', folder: 'Done' } })).toBe('move Done');
});
