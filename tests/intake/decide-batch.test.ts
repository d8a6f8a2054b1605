import { expect, test } from 'vitest';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { decideBatch } from '../../shared/intake/decide-batch.ts';
import { type LedgerMail, placeOf } from '../../shared/intake/ledger.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import type { ReadOutcome } from '../../shared/intake/read-mail.ts';
import type { Work } from '../../shared/intake/take-batch.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory-tables.ts';
import { readMail } from './mail-files.ts';

const BOX = 'box';

async function outcomeOf(key: string, headers: string[]): Promise<ReadOutcome> {
  const from = ['From: Kim <kim@customer.example>', 'To: support@contoso.example', 'Subject: Lamp'];
  const mail = await readMail(Buffer.from([...from, ...headers, '', 'Hello', ''].join('\r\n')));
  const person = { name: undefined, address: undefined };
  return {
    kind: 'message',
    mail,
    message: {
      key,
      at: '2026-11-24T10:00:00.000Z',
      sentAt: undefined,
      from: person,
      to: [],
      cc: [],
      subject: '',
      messageId: mail.messageId,
      notes: [],
      rawBlob: '',
      attachments: [],
      text: { kind: 'inline', text: '' },
      html: undefined,
      preview: '',
      manifestBlob: undefined,
    },
  };
}

const told = { receivedAt: '2026-11-24T10:00:00.000Z', size: 100, messageId: '' };

const workOf = (mail: LedgerMail, uid: number): Work => ({
  mail,
  kept: { ...mail, uid, raw: undefined, oversized: false, notes: [] },
});

test('a reply follows its parent where another run decided the parent first', async () => {
  const tables = new MemoryTables(openSeam);
  const ledger = createLedgerStore(tables);
  const deps = { tables, ledger, ticketIdOf };
  const { mine } = await ledger.claim(
    BOX,
    ['parent', 'reply'].map((key, index) => ({
      uid: index + 1,
      place: placeOf({ folderKey: 'f', uidValidity: '1' }, { ...told, uid: index + 1 }),
      key,
      rawBlob: `raw/${key}`,
      ...told,
    })),
    { alone: false, present: new Set() },
  );
  const work = mine.map((mail, index) => workOf(mail, index + 1));
  const parent = await outcomeOf('parent', ['Message-ID: <parent@customer.example>']);
  const reply = await outcomeOf('reply', [
    'Message-ID: <reply@customer.example>',
    'In-Reply-To: <parent@customer.example>',
  ]);

  // The other run takes the parent alone; numbers were given out meanwhile.
  const [first] = await decideBatch(deps, BOX, work.slice(0, 1), [parent]);
  const late = await decideBatch(deps, BOX, work, [parent, reply]);

  expect(late.map(({ state }) => state)).toEqual(['decided', 'decided']);
  expect(late[0]?.decision).toEqual(first?.decision);
  expect(late[1]?.decision).toMatchObject({
    ticketId: first?.decision?.ticketId,
    number: first?.decision?.number,
    opens: false,
  });
});
