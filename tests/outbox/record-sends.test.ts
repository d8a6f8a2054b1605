import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Activity } from '../../shared/activity/activity.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import { recordSends, sendActivity } from '../../shared/outbox/record-sends.ts';
import type { MailSender, SendingRoute, SendResult } from '../../shared/outbox/send-mail.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';

describe('the activity of a sent mail', () => {
  const NOW = Date.parse('2026-11-24T10:00:00.000Z');
  const refusedOne = { address: 'nobody@customer.example', line: '550 No.' };
  const mailbox: SendingRoute = {
    kind: 'mailbox',
    host: 'smtp.example.org',
    port: 587,
    user: 'support@contoso.example',
    account: { providerId: 'p', accountId: 'a' },
  };
  const note = (result: Parameters<typeof sendActivity>[1], route: SendingRoute = mailbox) =>
    sendActivity(route, result, NOW, 250);

  test('says who sent, when, and how long it took', () => {
    expect(note({ kind: 'sent', answer: '250 ok', refusedRecipients: [] })).toEqual({
      kind: 'send',
      at: '2026-11-24T10:00:00.000Z',
      aboutId: 'a',
      about: 'support@contoso.example',
      ms: 250,
      result: 'done',
      what: '1 email sent.',
    });
    const relay = { kind: 'relay' } as const;
    expect(note(undefined, relay)).toMatchObject({ aboutId: 'relay', about: 'SMTP relay' });
  });

  test('states the result', () => {
    const refused = {
      kind: 'refused',
      reason: '550 No.',
      code: codeFrom('x'),
      retryAt: undefined,
      asked: true,
    } as const;
    expect(note(undefined)).toMatchObject({
      result: 'retrying',
      what: 'Not sent: the server could not be reached, or its response was lost.',
    });
    expect(note({ ...refused, permanent: true })).toMatchObject({
      result: 'action-required',
      what: 'Email refused: 550 No.',
    });
    expect(note({ ...refused, permanent: false })).toMatchObject({ result: 'retrying' });
    expect(
      note({ kind: 'sent', answer: '250 ok', refusedRecipients: [refusedOne, refusedOne] }),
    ).toMatchObject({
      result: 'done',
      what: '1 email sent; 2 of its recipients were refused.',
    });
  });
});

describe('a sender whose sends are noted', () => {
  const START = Date.parse('2026-11-24T10:00:00.000Z');
  const TOOK_MS = 250;
  const route: SendingRoute = {
    kind: 'mailbox',
    host: 'smtp.example.org',
    port: 587,
    user: 'support@contoso.example',
    account: { providerId: 'p', accountId: 'a' },
  };
  const mail: OutgoingMail = {
    from: { address: 'support@contoso.example', name: undefined },
    to: ['kim@customer.example'],
    subject: 'Order',
    text: 'Hello',
    messageId: '<1@postroom.example>',
  };
  const sent: SendResult = { kind: 'sent', answer: '250 ok', refusedRecipients: [] };
  let told: unknown[];
  let rows: Activity[];

  beforeEach(() => {
    told = [];
    rows = [];
    sendTelemetryTo({
      async span(name, { fields }, run) {
        told.push(['begins', name, fields]);
        const result = await run({
          add: (more) => told.push(['says', more]),
          event: () => {},
          discard: () => told.push('nothing'),
        }).finally(() => told.push('ends'));
        return result;
      },
      measure: (metric, value, fields) => told.push([metric, value, fields]),
      traceparent: () => undefined,
      flush: async () => {},
    });
  });
  afterEach(() => sendTelemetryTo(undefined));

  /** Sends with a server that answers after a quarter of a second. */
  function noted(send: MailSender['send']): MailSender {
    let now = START;
    const slow: MailSender = {
      send(...asked) {
        now += TOOK_MS;
        return send(...asked);
      },
      signIn: async (asked) => ({ kind: 'accepted', answer: asked.kind }),
    };
    const note = async (entries: readonly Activity[]): Promise<void> => {
      rows.push(...entries);
    };
    return recordSends(slow, { seam: { now: () => now }, activity: { note } });
  }

  test('sends the email and returns the result', async () => {
    const asked: unknown[] = [];
    const sender = noted(async (...all) => {
      asked.push(all);
      return sent;
    });
    expect(await sender.send(route, mail)).toBe(sent);
    expect(asked).toEqual([[route, mail]]);
  });

  test('writes one row and one measurement for each email', async () => {
    await noted(async () => sent).send(route, mail);
    expect(rows).toEqual([sendActivity(route, sent, START + TOOK_MS, TOOK_MS)]);
    expect(told).toEqual([
      ['begins', 'send mail', { route: 'mailbox' }],
      ['says', { result: 'sent' }],
      ['sends', 1, { result: 'sent' }],
      'ends',
    ]);
  });

  test('records an email without a response too, and rethrows the error', async () => {
    const lost = new PostroomError('smtp-answer-lost', 'No answer came');
    await expect(noted(() => Promise.reject(lost)).send(route, mail)).rejects.toBe(lost);
    expect(rows).toEqual([sendActivity(route, undefined, START + TOOK_MS, TOOK_MS)]);
    expect(told.slice(1)).toEqual([
      ['says', { result: 'broken-off' }],
      ['sends', 1, { result: 'broken-off' }],
      'ends',
    ]);
  });

  test('does not record a sign-in without an email', async () => {
    const sender = noted(async () => sent);
    expect(await sender.signIn(route)).toEqual({ kind: 'accepted', answer: 'mailbox' });
    expect([rows, told]).toEqual([[], []]);
  });
});
