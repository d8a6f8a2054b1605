import { describe, expect, it, test } from 'vitest';
import {
  type AnswerSettings,
  answerFields,
  answerLimits,
  parseAnswerForm,
} from '../../shared/mailboxes/answer-settings.ts';
import { recordMailLoop } from '../../shared/mailboxes/mail-loops.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { MAILBOXES, mailboxKind } from '../../shared/mailboxes/mailbox-records.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { saveAnswers } from '../../shared/mailboxes/save-answers.ts';
import { isEnvelopeAddress } from '../../shared/outbox/outgoing-mail.ts';
import { openRecords } from '../../shared/platform/open-records.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const parse = (typed: Partial<Record<keyof typeof answerFields, string>>) =>
  parseAnswerForm(
    Object.fromEntries(
      Object.entries(typed).map(([name, value]) => [answerFields[name as keyof typeof answerFields], value]),
    ),
    { isMailAddress: isEnvelopeAddress },
  );

const sample: Mailbox = {
  id: 'box',
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'imap.contoso.example',
  port: 993,
  folder: 'INBOX',
  providerId: 'p',
  accountId: 'a',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-28T10:00:00.000Z',
};

const filled = {
  name: ' Contoso Support ',
  language: 'en',
  subject: 'Received: {{subject}}',
  text: 'Hello,\r\nnumber {{ticket number}}',
  openingHours: 'Mo–Fr 9–17',
  signature: '**Support**',
  tagsSubject: 'on',
  alertOnTicket: 'Sam@contoso.example, alex@contoso.example\nsam@contoso.example',
  alertOnReply: '',
};
const expected: AnswerSettings = {
  name: 'Contoso Support',
  acknowledgement: {
    language: 'en',
    subject: 'Received: {{subject}}',
    text: 'Hello,\nnumber {{ticket number}}',
  },
  openingHours: 'Mo–Fr 9–17',
  signature: '**Support**',
  tagsSubject: true,
  alertOnTicket: ['sam@contoso.example', 'alex@contoso.example'],
  alertOnReply: undefined,
};

describe('the form of the answers', () => {
  it('gives the settings', () => {
    expect(parse(filled)).toEqual({ kind: 'valid', answers: expected });
  });

  it('without any field gives none, and without a language no acknowledgement', () => {
    expect(parse({})).toEqual({ kind: 'valid', answers: undefined });
    expect(parse({ ...filled, language: '' })).toMatchObject({ answers: { acknowledgement: undefined } });
  });

  test.each<[keyof typeof answerFields, string, string]>([
    ['text', 'Hello\n {{name}}', 'Line 2, character 2: {{name}} is not a variable.'],
    ['text', '', 'Enter the text of the acknowledgement.'],
    ['subject', '{{subject', 'Line 1, character 1'],
    ['subject', 'a\nb', 'Write this in one line.'],
    ['subject', '', 'Enter the subject of the acknowledgement.'],
    ['name', 'a\tb', 'Write this in one line.'],
    ['name', 'x'.repeat(answerLimits.name + 1), 'Shorten this to 100 characters or fewer.'],
    ['signature', 'x'.repeat(answerLimits.signature + 1), 'Shorten this'],
    ['language', 'xx', 'Choose one of the list.'],
    ['alertOnTicket', 'sam@contoso.example, nobody', 'nobody is not an email address.'],
    [
      'alertOnReply',
      Array.from({ length: 21 }, (_, index) => `${index}@x.example`).join(' '),
      'Enter at most 20 addresses.',
    ],
  ])('says what is wrong with %s: %j', (field, value, message) => {
    const result = parse({ ...filled, [field]: value });
    expect(result.kind === 'invalid' ? result.errors[answerFields[field]] : 'valid').toContain(message);
  });

  it('keeps the longest values in one row', async () => {
    const longest = (length: number): string => '"'.repeat(length);
    const result = parse({
      ...filled,
      name: longest(answerLimits.name),
      text: longest(answerLimits.text),
      openingHours: longest(answerLimits.openingHours),
      signature: longest(answerLimits.signature),
    });
    if (result.kind === 'invalid') throw new Error(JSON.stringify(result.errors));
    const mailbox: Mailbox = { ...sample, answers: result.answers };
    const records = openRecords(new MemoryTables(openSeam), mailboxKind);
    await records.put(mailbox);
    expect((await records.get(MAILBOXES, 'box'))?.record.answers).toEqual(result.answers);
  });
});

describe('saved answers', () => {
  const author = { by: { id: 'p', name: 'Alex', roles: ['admin' as const] }, accountName: () => 'Alex' };
  const save = async (
    before: AnswerSettings | undefined,
    answers: AnswerSettings | undefined,
    dies = false,
  ) => {
    const done: string[] = [];
    const tables = new MemoryTables(openSeam);
    const mailboxes = createMailboxStore(tables);
    const changed = saveAnswers(
      {
        seam: { now: () => 0 },
        audit: {
          record: async (change) => {
            done.push(JSON.stringify(change.after));
            if (dies) throw new Error('storage is gone');
          },
        },
        mailboxes,
      },
      author,
      { ...sample, answers: before },
      answers,
    );
    const result = await changed.catch(() => 'failed');
    return { result, done, stored: (await mailboxes.get('box'))?.answers };
  };

  it('have an audit entry before they are stored', async () => {
    const { result, done, stored } = await save(undefined, expected);
    expect([result, stored]).toEqual([true, { ...expected }]);
    expect(done).toEqual([expect.stringContaining('"acknowledgement":"en"')]);
    expect(await save(undefined, expected, true)).toMatchObject({ result: 'failed', stored: undefined });
  });

  it('that are the same change nothing', async () => {
    expect(await save({ name: 'Support' }, { name: 'Support', signature: undefined })).toEqual({
      result: false,
      done: [],
      stored: undefined,
    });
    expect((await save(undefined, undefined)).result).toBe(false);
  });
});

test('a mail loop that stopped acknowledgements is known to the monitor', async () => {
  const tables = new MemoryTables(openSeam);
  const loop = {
    mailboxId: 'box',
    sender: 'robot@x.example',
    at: '2026-11-28T10:00:00.000Z',
    ticketId: 't',
    count: 10,
  };
  await recordMailLoop(tables, { ...loop, stopsAcknowledgements: true });
  expect((await createMailboxStore(tables).fetchState()).loops).toEqual([
    { ...loop, stopsAcknowledgements: true },
  ]);
  await recordMailLoop(tables, loop);
  expect((await createMailboxStore(tables).fetchState()).loops).toEqual([loop]);
});
