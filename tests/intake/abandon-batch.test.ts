/** When an email is no longer retried, and what then happens to a decision that no run could apply. */
import { beforeEach, describe, expect, test } from 'vitest';
import { abandoned, forceQuarantine, whyAbandoned } from '../../shared/intake/abandon-batch.ts';
import type { Work } from '../../shared/intake/batch.ts';
import type { Decision, LedgerMail } from '../../shared/intake/ledger.ts';
import { createLedgerStore, type LedgerStore } from '../../shared/intake/ledger-store.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { messageRowKey } from '../../shared/tickets/message-records.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';
const AT = '2026-11-24T10:00:00.000Z';
const found = { ref: uidRef(1), place: 'at|f|1|1|p', key: 'k', rawBlob: 'raw/1', receivedAt: AT, size: 100 };
const opening: Decision = {
  disposition: 'ticket',
  ticketId: 't',
  number: 7,
  opens: true,
  follows: undefined,
  reason: undefined,
};
const kept: Decision = {
  disposition: 'quarantine',
  ticketId: undefined,
  number: undefined,
  opens: false,
  follows: undefined,
  reason: 'too odd',
};

let tables: MemoryTables;
let ledger: LedgerStore;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
  ledger = createLedgerStore(tables);
});

const workOf = (mail: LedgerMail): Work => ({
  mail,
  stored: { ...found, raw: undefined, oversized: false, notes: [] },
});
const stored = async (): Promise<LedgerMail | undefined> => (await ledger.emails(BOX, ['k'])).get('k');

/** An email that this many runs began with, and its decision. */
async function begun(attempts: number, decision?: Decision): Promise<LedgerMail> {
  for (let attempt = 1; attempt <= attempts; attempt += 1)
    await ledger.claim(BOX, [found], { alone: attempt > 1, present: new Set() });
  const mail = await stored();
  if (mail === undefined) throw new Error('nothing was claimed');
  if (decision === undefined) return mail;
  const [decided] = await ledger.decide(BOX, [{ mail, decision }]);
  return decided ?? mail;
}

describe('an email is abandoned', () => {
  const mail: LedgerMail = {
    ...found,
    state: 'received',
    attempts: 1,
    decision: undefined,
    etag: undefined,
  };

  test('after three attempts, or one more once it is decided', () => {
    expect(whyAbandoned({ ...mail, attempts: 3 })).toBeUndefined();
    expect(whyAbandoned({ ...mail, attempts: 4 })).toBe(
      'the app stopped 3 times while it processed this email',
    );
    expect(whyAbandoned({ ...mail, state: 'decided', attempts: 4 })).toBeUndefined();
    expect(whyAbandoned({ ...mail, state: 'decided', attempts: 5 })).toBe(
      'the app stopped 4 times while it processed this email',
    );
  });
});

describe('a decision that cannot be applied', () => {
  test('is replaced by quarantine, with the reason', async () => {
    const mail = await begun(1, opening);
    await forceQuarantine({ tables, ledger }, BOX, workOf(mail), 'storage refuses it');
    const now = await stored();
    expect(now?.state).toBe('decided');
    expect(now?.decision).toEqual({ ...kept, reason: 'storage refuses it' });
  });

  test('is kept if the message did reach its ticket', async () => {
    const mail = await begun(1, opening);
    const row = { partitionKey: 't', rowKey: messageRowKey(AT, 'k') };
    await tables.open('Tickets').commit('t', [{ kind: 'put', row }]);
    await forceQuarantine({ tables, ledger }, BOX, workOf(mail), 'storage refuses it');
    expect((await stored())?.decision).toEqual(opening);
  });

  test('is kept if no ticket is part of it', async () => {
    const mail = await begun(1, kept);
    await forceQuarantine({ tables, ledger }, BOX, workOf(mail), 'storage refuses it');
    expect((await stored())?.decision).toEqual(kept);
  });

  test('does not exist if nothing is decided yet', async () => {
    const mail = await begun(1);
    await forceQuarantine({ tables, ledger }, BOX, workOf(mail), 'storage refuses it');
    expect(await stored()).toEqual(mail);
  });

  test('is kept if another run applied it meanwhile', async () => {
    const mail = await begun(1, opening);
    await ledger.complete(BOX, [mail]);
    const before = tables.changes;
    await forceQuarantine({ tables, ledger }, BOX, workOf(mail), 'storage refuses it');
    const now = await stored();
    expect(now?.state).toBe('done');
    expect(now?.decision).toEqual(opening);
    expect(tables.changes).toBe(before);
  });

  test('of an unknown email changes nothing', async () => {
    const mail = await begun(1, opening);
    await forceQuarantine({ tables, ledger }, 'another box', workOf(mail), 'storage refuses it');
    expect((await stored())?.decision).toEqual(opening);
  });
});

describe('work on a decided email', () => {
  test('continues with quarantine once every run crashed on it', async () => {
    const work = workOf(await begun(5, opening));
    const now = await abandoned({ tables, ledger }, BOX, work);
    const reason = 'the app stopped 4 times while it processed this email';
    expect(now).toEqual({ stored: work.stored, mail: await stored() });
    expect(now.mail.decision).toEqual({ ...kept, reason });
  });

  test('continues with the decision while it may be retried', async () => {
    const work = workOf(await begun(4, opening));
    expect(await abandoned({ tables, ledger }, BOX, work)).toBe(work);
    expect((await stored())?.decision).toEqual(opening);
  });

  test('continues unchanged without a decision, because deciding abandons it', async () => {
    const work = workOf(await begun(4));
    expect(await abandoned({ tables, ledger }, BOX, work)).toBe(work);
  });

  test('continues unchanged if the ledger does not contain it', async () => {
    const work = workOf({ ...(await begun(5, opening)), key: 'unknown' });
    expect(await abandoned({ tables, ledger }, BOX, work)).toBe(work);
  });
});
