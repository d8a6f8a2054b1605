/** Rows of the ledger: what is written, and what is read back from rows that nobody expects. */
import { describe, expect, test } from 'vitest';
import {
  type Decision,
  fingerprintOf,
  isSameUid,
  type LedgerMail,
  mailOf,
  mailRow,
  placeOf,
  placeOfRow,
  placeRow,
  placesOfUid,
  rawBlobOf,
  uidOfPlace,
} from '../../shared/intake/ledger.ts';

const numbering = { folderKey: 'f', uidValidity: '17' };
const facts = {
  uid: 42,
  size: 100,
  receivedAt: '2026-11-24T10:00:00.000Z',
  messageId: '<1@customer.example>',
};
/** printf '%s' '[100,"2026-11-24T10:00:00.000Z","<1@customer.example>"]' | sha256sum | cut -c1-16 */
const FINGERPRINT = '5eb3db5d24408ab4';

const decision: Decision = {
  fate: 'ticket',
  ticketId: 't',
  number: 7,
  opens: true,
  follows: { id: 'old', number: 3 },
  reason: undefined,
  folded: 'Automatic message',
};
const mail: LedgerMail = {
  key: 'k',
  state: 'decided',
  attempts: 2,
  place: placeOf(numbering, facts),
  rawBlob: 'raw/box/1.eml',
  receivedAt: '2026-11-24T10:00:00.000Z',
  size: 100,
  decision,
  etag: undefined,
};

describe('a place on the server', () => {
  test('has a row key and a blob that are pinned: others would make new email of mail already fetched', () => {
    expect(fingerprintOf(facts)).toBe(FINGERPRINT);
    expect(placesOfUid(numbering, 42)).toBe('at|f|0000000017|0000000042|');
    expect(placeOf(numbering, facts)).toBe(`at|f|0000000017|0000000042|${FINGERPRINT}`);
    expect(rawBlobOf('box', numbering, facts)).toBe(`raw/box/f-17-42-${FINGERPRINT}.eml`);
  });

  test.each([
    ['size', { size: 101 }],
    ['time', { receivedAt: '2026-11-24T10:00:01.000Z' }],
    ['Message-ID', { messageId: '<2@customer.example>' }],
  ])('is another one for an email of another %s at the same UID', (_what, change) => {
    const other = placeOf(numbering, { ...facts, ...change });
    expect(other).not.toBe(mail.place);
    expect(isSameUid(other, mail.place)).toBe(true);
    expect(uidOfPlace(other)).toBe(42);
  });

  test('shares its UID with no other UID, UIDVALIDITY or folder', () => {
    expect(isSameUid(placeOf(numbering, { ...facts, uid: 43 }), mail.place)).toBe(false);
    expect(isSameUid(placeOf({ ...numbering, uidValidity: '18' }, facts), mail.place)).toBe(false);
    expect(isSameUid(placeOf({ ...numbering, folderKey: 'g' }, facts), mail.place)).toBe(false);
  });

  test('is the same when it is read back from its row', () => {
    const copy = { place: mail.place, key: 'k', copy: true };
    expect(placeRow('box', copy)).toEqual({
      partitionKey: 'box',
      rowKey: mail.place,
      key: 'k',
      copy: true,
    });
    expect(placeOfRow(placeRow('box', copy))).toEqual(copy);
    expect(placeOfRow(placeRow('box', { ...copy, copy: false }))).toEqual({ ...copy, copy: false });
  });

  test('without a key in its row belongs to no email', () => {
    const row = { partitionKey: 'box', rowKey: mail.place };
    expect(placeOfRow(row)).toEqual({ place: mail.place, key: '', copy: false });
  });
});

describe('an email of the ledger', () => {
  test('rests in a row that is pinned', () => {
    expect(mailRow('box', mail)).toEqual({
      partitionKey: 'box',
      rowKey: 'mail|k',
      state: 'decided',
      attempts: 2,
      place: mail.place,
      rawBlob: 'raw/box/1.eml',
      receivedAt: '2026-11-24T10:00:00.000Z',
      size: 100,
      decision: JSON.stringify(decision),
    });
    expect(mailRow('box', { ...mail, decision: undefined })['decision']).toBeUndefined();
  });

  test.each(['received', 'decided', 'done'] as const)(
    'that is %s is the same when it is read back',
    (state) => {
      const given = { ...mail, state, decision: state === 'received' ? undefined : decision };
      const row = { ...mailRow('box', given), etag: 'e' };
      expect(mailOf(row)).toEqual({ ...given, etag: 'e' });
    },
  );

  test('whose state is of no version of ours is looked at again', () => {
    expect(mailOf({ ...mailRow('box', mail), state: 'pondered' }).state).toBe('received');
  });

  test('whose row holds nothing was never begun', () => {
    expect(mailOf({ partitionKey: 'box', rowKey: 'mail|k', attempts: '2', size: '100' })).toEqual({
      key: 'k',
      state: 'received',
      attempts: 0,
      place: '',
      rawBlob: '',
      receivedAt: '',
      size: 0,
      decision: undefined,
      etag: undefined,
    });
  });
});
