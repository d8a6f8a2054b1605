import { describe, expect, test } from 'vitest';
import { ownRecipients } from '../../shared/outbox/may-send.ts';

const ownMailboxes = ['support@contoso.example', 'sales@contoso.example'];
const ticketMailbox = 'support@contoso.example';

describe('an email to a mailbox of ours', () => {
  const own = (kind: 'acknowledgement' | 'reply' | 'notification', to: string[]): string[] =>
    ownRecipients({ kind, to, ticketMailbox, ownMailboxes });

  test('may not leave, however the address is written', () => {
    for (const address of ['sales@contoso.example', 'Sales@Contoso.example', 'sales+x@contoso.example']) {
      expect(own('reply', ['kim@customer.example', address])).toEqual([address]);
      expect(own('acknowledgement', [address])).toEqual([address]);
    }
  });

  test('may leave if a person writes it to the mailbox of the ticket', () => {
    expect(own('reply', ['support@contoso.example'])).toEqual([]);
    expect(own('acknowledgement', ['support@contoso.example'])).toEqual(['support@contoso.example']);
    expect(own('notification', ['support@contoso.example'])).toEqual(['support@contoso.example']);
  });

  test('is not meant by an address that only looks similar', () => {
    expect(own('reply', ['support@contoso.example.org', 'xsales@contoso.example'])).toEqual([]);
  });
});
