import { describe, expect, test } from 'vitest';
import { messageClasses } from '../../shared/message-class/message-class.ts';
import { acknowledgementProblem, ownRecipients } from '../../shared/outbox/may-send.ts';

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

describe('an acknowledgement', () => {
  const problem = (wish: Partial<Parameters<typeof acknowledgementProblem>[0]> = {}) =>
    acknowledgementProblem({
      sender: 'kim@customer.example',
      isForged: false,
      ticketMailbox,
      ownMailboxes,
      ...wish,
    });

  test('goes to a person', () => {
    expect(problem()).toBeUndefined();
    expect(problem({ messageClass: 'person' })).toBeUndefined();
    expect(problem({ sender: 'norman.replyson@customer.example' })).toBeUndefined();
  });

  test.each(messageClasses.filter((each) => each !== 'person'))(
    'does not answer the class %s',
    (messageClass) => {
      expect(problem({ messageClass })).toMatch(/machine/);
    },
  );

  test.each([
    'no-reply@x.example',
    'noreply@x.example',
    'do_not_reply@x.example',
    'MAILER-DAEMON@x.example',
    'bounces+kim=y.example@x.example',
    'postmaster@x.example',
  ])('does not go to %s', (sender) => {
    expect(problem({ sender })).toMatch(/takes no answers/);
  });

  test('goes neither to nobody, nor to a forged sender, nor to ourselves', () => {
    expect(problem({ sender: undefined })).toMatch(/no sender/);
    expect(problem({ sender: 'a@b\r\nBcc: c@d.example' })).toMatch(/no sender/);
    expect(problem({ isForged: true })).toMatch(/forged/);
    expect(problem({ sender: 'sales@contoso.example' })).toMatch(/this installation/);
    expect(problem({ sender: 'support@contoso.example' })).toMatch(/this installation/);
  });
});
