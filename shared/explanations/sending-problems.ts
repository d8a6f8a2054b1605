import type { Meaning, Meanings } from './explanation.ts';
import { testConnection } from './phrases.ts';

/** What follows when it is not known whether the server has the email. */
const mayHaveLeft = {
  who: 'nobody: wait',
  retry: 'by-itself',
  steps: [
    'A reply is looked for in the Sent folder and, if it is not there, sent once more under the same Message-ID.',
    'An automatic email is not sent again.',
  ],
  links: [],
} satisfies Omit<Meaning, 'title' | 'cause'>;

/** Problems of the outbox and of everything that sends. */
export const sendingProblems = {
  'smtp-unreachable': {
    title: 'The server for outgoing mail does not answer',
    cause: 'The host name is wrong, the server is down, or the network of Postroom blocks the connection.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'In Postroom, check host and port for sending: 587 or 465. Port 25 is closed in Azure.',
      'If the function app is in a virtual network: check its routes and its DNS.',
    ],
    links: ['function-apps'],
  },
  'smtp-tls': {
    title: 'No encrypted connection to the server for outgoing mail',
    cause:
      'The server offers no TLS, or its certificate is not valid. Without TLS, Postroom sends no token and no email.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the port for sending: 587 uses STARTTLS, 465 uses TLS from the start.',
      'If it is right, ask the administrators of the server to replace its certificate.',
    ],
    links: [],
  },
  'smtp-answer-lost': {
    title: 'The server had the email, and its answer was lost',
    cause: 'The connection broke after the email was handed over. It has most likely been delivered.',
    ...mayHaveLeft,
  },
  'graph-answer-lost': {
    title: 'Microsoft Graph had the email, and its answer was lost',
    cause:
      'The connection broke after the email was handed over, or Microsoft Graph failed while it had it. The email may have been sent.',
    ...mayHaveLeft,
  },
  'graph-draft-denied': {
    title: 'The account may not send attachments over 2 MB',
    cause:
      'Larger attachments leave with a draft, and Microsoft Graph does not let this account save one or attach the files. The permission Mail.ReadWrite is missing, for a shared mailbox Mail.ReadWrite.Shared. Microsoft also refuses attachments of 3 MB and more in some shared mailboxes to users who sign in.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Send smaller attachments, or a link to the files.',
      'Or, in Postroom, edit the mailbox and read it over Microsoft Graph with the account that sends; a shared mailbox best with app-only access.',
      'Or choose SMTP for sending, if SMTP AUTH is on for the mailbox.',
    ],
    links: ['permissions'],
  },
  'graph-send-refused': {
    title: 'Microsoft Graph rejects the email',
    cause:
      'Microsoft Graph refused the email for a reason that Postroom does not know. Its message says more.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Read the message of the server.', testConnection],
    links: [],
  },
  'sending-ended': {
    title: 'Sending ended before its result was recorded',
    cause:
      'The process that was sending the email ended, for example because Azure moved the app to another machine. Whether the server had the email by then is not known.',
    ...mayHaveLeft,
  },
  'no-way-out': {
    title: 'The mailbox cannot send',
    cause: 'No server for outgoing mail is set up for this mailbox, or the mailbox was deleted.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open the mailbox and set up sending.', testConnection],
    links: [],
  },
  'smtp-no-answer': {
    title: 'The server for outgoing mail does not speak SMTP',
    cause:
      'Its answer does not begin with the three digits of an SMTP reply: something else is listening on this port.',
    who: 'you',
    retry: 'by-itself',
    steps: ['In Postroom, check host and port for sending: 587 or 465.', testConnection],
    links: [],
  },
  'bad-envelope': {
    title: 'The email cannot be sent as it is',
    cause:
      'An address or a header of the email is not valid, or it has more than 100 recipients. No server was asked.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Correct what the message names, and send the email again.'],
    links: [],
  },
  'email-incomplete': {
    title: 'A part of the email is missing in storage',
    cause: 'A text or an attachment of the email was deleted from the storage account before it was sent.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Write the email again, and attach its files again.',
      'Check whether a rule or a person deletes blobs of the storage account.',
    ],
    links: [],
  },
  'bad-relay': {
    title: 'The address of the relay is not valid',
    cause:
      'The secret smtp-relay-url is not an address of a relay, or names a host that Postroom may not reach.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, smtp-relay-url, and add a version of the form smtp://user:password@host:587 or smtps://user:password@host:465.',
      'Write a % in the name or the password as %25.',
    ],
    links: ['key-vaults'],
  },
  'no-relay': {
    title: 'There is no SMTP relay to send over',
    cause:
      'The mailbox sends over the SMTP relay of this installation, and the key vault has no secret smtp-relay-url.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, and create smtp-relay-url of the form smtps://user:password@host:465. Postroom reads it within ten minutes, and replies that wait leave by themselves.',
      'Or open the settings of the mailbox in Postroom, and choose an account that sends.',
    ],
    links: ['key-vaults'],
  },
  'relay-refused': {
    title: 'The SMTP relay refuses the sign-in',
    cause: 'The relay does not accept the user and the password in the secret smtp-relay-url.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, smtp-relay-url, and add a version with the right user and password. Postroom reads it within ten minutes.',
      testConnection,
    ],
    links: ['key-vaults'],
  },
  'mail-not-arrived': {
    title: 'The test email did not arrive',
    cause:
      'The server accepted the email, but it did not reach the mailbox within two minutes. Delivery may be slow, or a rule moved or deleted it.',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Check “Junk Email” and “Deleted Items” in the mailbox, and its rules.',
      'If it is not there, ask an Exchange admin to run a message trace.',
    ],
    links: [],
  },
  'mail-loop': {
    title: 'Two machines may be answering each other',
    cause:
      'More automatic messages than usual came from one sender within an hour. Those over the limit are collapsed.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Look at the conversation, and switch off one of the two automatic replies.'],
    links: [],
  },
} satisfies Meanings;
