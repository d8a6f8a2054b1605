/** Rows of the ledger: what is written, and what is read back from unexpected rows. */
import { describe, expect, test } from 'vitest';
import {
  type Decision,
  isSameRef,
  type LedgerMail,
  placeOf,
  placesOfRef,
  rawBlobOf,
  refOfPlace,
} from '../../shared/intake/ledger.ts';
import { countKey, loopCountKind, mailKind, placeKind } from '../../shared/intake/ledger-records.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { fingerprintOf } from '../../shared/mailboxes/message-ref.ts';

const scope = { folderKey: 'f', validity: '17' };
const facts = {
  ref: uidRef(42),
  size: 100,
  receivedAt: '2026-11-24T10:00:00.000Z',
  messageId: '<1@customer.example>',
};
/** printf '%s' '[100,"2026-11-24T10:00:00.000Z","<1@customer.example>"]' | sha256sum | cut -c1-16 */
const FINGERPRINT = '5eb3db5d24408ab4';

const decision: Decision = {
  disposition: 'ticket',
  ticketId: 't',
  number: 7,
  opens: true,
  follows: { id: 'old', number: 3 },
  reason: undefined,
  folded: 'Automatic message',
};
const mail: Omit<LedgerMail, 'etag'> & { mailboxId: string } = {
  mailboxId: 'box',
  key: 'k',
  state: 'decided',
  attempts: 2,
  place: placeOf(scope, facts),
  rawBlob: 'raw/box/1.eml',
  receivedAt: '2026-11-24T10:00:00.000Z',
  size: 100,
  decision,
};

describe('a place on the server', () => {
  test('has a pinned row key and blob: others would import fetched email again', () => {
    expect(fingerprintOf(facts)).toBe(FINGERPRINT);
    expect(placesOfRef(scope, uidRef(42))).toBe('at|f|0000000017|0000000042|');
    expect(placeOf(scope, facts)).toBe(`at|f|0000000017|0000000042|${FINGERPRINT}`);
    expect(rawBlobOf('box', scope, facts)).toBe(`raw/box/f-17-0000000042-${FINGERPRINT}.eml`);
  });

  test.each([
    ['size', { size: 101 }],
    ['time', { receivedAt: '2026-11-24T10:00:01.000Z' }],
    ['Message-ID', { messageId: '<2@customer.example>' }],
  ])('differs for an email of another %s at the same UID', (_what, change) => {
    const other = placeOf(scope, { ...facts, ...change });
    expect(other).not.toBe(mail.place);
    expect(isSameRef(other, mail.place)).toBe(true);
    expect(refOfPlace(other)).toBe(uidRef(42));
  });

  test('shares its UID with no other UID, UIDVALIDITY or folder', () => {
    expect(isSameRef(placeOf(scope, { ...facts, ref: uidRef(43) }), mail.place)).toBe(false);
    expect(isSameRef(placeOf({ ...scope, validity: '18' }, facts), mail.place)).toBe(false);
    expect(isSameRef(placeOf({ ...scope, folderKey: 'g' }, facts), mail.place)).toBe(false);
  });

  test('is the same when it is read back from its row', () => {
    const copy = { mailboxId: 'box', place: mail.place, key: 'k', copy: true };
    expect(placeKind.toRow(copy)).toEqual({
      partitionKey: 'box',
      rowKey: mail.place,
      v: 1,
      key: 'k',
      copy: true,
    });
    expect(placeKind.fromRow(placeKind.toRow(copy))).toEqual(copy);
    expect(placeKind.fromRow(placeKind.toRow({ ...copy, copy: false }))).toEqual({ ...copy, copy: false });
  });

  test('without a key in its row cannot be read', () => {
    const row = {
      ...placeKind.toRow({ mailboxId: 'box', place: mail.place, key: 'k', copy: true }),
      key: undefined,
    };
    expect(() => placeKind.fromRow(row)).toThrow(expect.objectContaining({ code: 'bad-row' }));
  });
});

describe('an email of the ledger', () => {
  test('is stored in a pinned row format', () => {
    expect(mailKind.toRow(mail)).toEqual({
      partitionKey: 'box',
      rowKey: 'mail|k',
      v: 1,
      state: 'decided',
      attempts: 2,
      place: mail.place,
      rawBlob: 'raw/box/1.eml',
      receivedAt: '2026-11-24T10:00:00.000Z',
      size: 100,
      decision: JSON.stringify(decision),
    });
    expect(mailKind.toRow({ ...mail, decision: undefined })['decision']).toBeUndefined();
  });

  test.each(['received', 'decided', 'done'] as const)(
    'that is %s is the same when it is read back',
    (state) => {
      const given = { ...mail, state, decision: state === 'received' ? undefined : decision };
      expect(mailKind.fromRow({ ...mailKind.toRow(given), etag: 'e' })).toEqual(given);
    },
  );

  test.each([
    ['state', 'pondered'],
    ['attempts', '2'],
    ['size', '100'],
    ['rawBlob', undefined],
    ['place', undefined],
    ['receivedAt', 'yesterday'],
    ['decision', '{"disposition":"pigeon","opens":true}'],
    ['decision', '{'],
  ])('whose %s is %j cannot be read', (column, value) => {
    const row = { ...mailKind.toRow(mail), [column]: value };
    expect(() => mailKind.fromRow(row)).toThrow(
      expect.objectContaining({ code: 'bad-row', message: expect.stringContaining(`column ${column}`) }),
    );
  });
});

test('a count of automatic email is stored in a pinned row format', () => {
  /** printf '%s' 'sender|a' | sha256sum | cut -c1-32 */
  const key = countKey('sender|a');
  const count = { mailboxId: 'box', key, hour: '2026-11-24T10', count: 3 };
  expect(loopCountKind.toRow(count)).toEqual({
    partitionKey: 'box',
    rowKey: 'auto|56092868c808263771fc11d913a5c0b0',
    v: 1,
    hour: '2026-11-24T10',
    count: 3,
  });
  expect(loopCountKind.fromRow(loopCountKind.toRow(count))).toEqual(count);
});
