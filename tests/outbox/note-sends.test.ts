import { describe, expect, test } from 'vitest';
import { sendActivity } from '../../shared/outbox/note-sends.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
import { Secret } from '../../shared/platform/secret.ts';

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
      what: 'A mail left.',
    });
    const relay = { kind: 'relay', url: new Secret('smtp://relay.example.org') } as const;
    expect(note(undefined, relay)).toMatchObject({ aboutId: 'relay', about: 'The relay' });
  });

  test('says how it ended', () => {
    const refused = { kind: 'refused', said: '550 No.', code: 'x', retryAt: undefined, asked: true } as const;
    expect(note(undefined)).toMatchObject({ result: 'trying-again' });
    expect(note({ ...refused, permanent: true })).toMatchObject({
      result: 'needs-person',
      what: 'The mail was refused: 550 No.',
    });
    expect(note({ ...refused, permanent: false })).toMatchObject({ result: 'trying-again' });
    expect(
      note({ kind: 'sent', answer: '250 ok', refusedRecipients: [refusedOne, refusedOne] }),
    ).toMatchObject({
      result: 'done',
      what: 'A mail left; 2 of its recipients were refused.',
    });
  });
});
