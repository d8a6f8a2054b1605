/** Where the failure of a mailbox is fixed. */
import { expect, test } from 'vitest';
import { remedyOf } from '../../shared/mailboxes/remedy.ts';

const mailbox = { id: 'one', address: 'support@contoso.example' };

test.each(['imap-folder-missing', 'pop3-folder-missing'])('the failure %s is fixed in the form', (code) => {
  expect(remedyOf(mailbox, code)).toEqual({
    label: 'Correct the folder of support@contoso.example',
    href: '/mailboxes/one/edit',
  });
});

test.each(['imap-unavailable', 'pop3-closed', 'imap-folder-missing-now'])(
  'the failure %s is fixed by a connection test',
  (code) => {
    expect(remedyOf(mailbox, code)).toEqual({
      label: 'Test the connection of support@contoso.example',
      href: '/mailboxes/one/test',
    });
  },
);

test.each([
  ['imap-refused', 'Change what happens to stored email of support@contoso.example'],
  ['imap-target-missing', 'Correct the folder for stored email of support@contoso.example'],
])('the failure %s is fixed in the settings of the mailbox', (code, label) => {
  expect(remedyOf(mailbox, code)).toEqual({ label, href: '/mailboxes/one/edit' });
});

test.each(['invalid_grant', 'folder-missing', 'ximap-refused', 'imap', ''])(
  'the failure %j is not caused by the mail server',
  (code) => {
    expect(remedyOf(mailbox, code)).toBeUndefined();
  },
);
