import type { Meaning, Meanings } from './explanation.ts';
import { testConnection } from './phrases.ts';

/** What follows when it is not known whether the server has the email. */
const mayHaveLeft = {
  who: 'nobody: wait',
  retry: 'by-itself',
  steps: [
    'Postroom looks for a reply in the Sent folder and, if it is not there, sends it once more with the same Message-ID.',
    'An automatic email is not sent again.',
  ],
  links: [],
} satisfies Omit<Meaning, 'title' | 'cause'>;

/** Problems of the outbox and of everything that sends. */
export const sendingProblems = {
  'smtp-unreachable': {
    title: 'The outgoing mail server does not respond',
    cause: 'The host name is wrong, the server is down, or Postroom’s network blocks the request.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'In Postroom, check the host and port for sending: 587 or 465. Azure blocks port 25.',
      'If the function app is in a virtual network, check its routes and DNS.',
    ],
    links: ['function-apps'],
  },
  'smtp-tls': {
    title: 'No encrypted connection to the outgoing mail server',
    cause:
      'The server does not support TLS, or its certificate is not valid. Postroom sends no token and no email without TLS.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the port for sending: 587 uses STARTTLS, 465 uses TLS from the start.',
      'If it is correct, ask whoever runs the server to fix its certificate.',
    ],
    links: [],
  },
  'smtp-answer-lost': {
    title: 'The server received the email, but its response was lost',
    cause:
      'The connection broke after the email was handed over. It was most likely delivered, so it is not sent again.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Check the recipient’s mailbox, or have an Exchange admin run a message trace.'],
    links: [],
  },
  'graph-answer-lost': {
    title: 'Microsoft Graph received the email, but its response was lost',
    cause:
      'The connection broke after the email was handed over, or Microsoft Graph failed while processing it. The email may have been sent.',
    ...mayHaveLeft,
  },
  'graph-draft-denied': {
    title: 'The account cannot send attachments over 2 MB',
    cause:
      'Larger attachments are sent with a draft, and Microsoft Graph does not let this account save one or attach the files. The permission Mail.ReadWrite is missing or, for a shared mailbox, Mail.ReadWrite.Shared. In some shared mailboxes, Microsoft also refuses attachments of 3 MB and more from users who sign in.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Send smaller attachments, or a link to the files.',
      'Or, in Postroom, edit the mailbox and read it over Microsoft Graph with the account that sends. For a shared mailbox, app-only access works best.',
      'Or choose SMTP for sending if SMTP AUTH is on for the mailbox.',
    ],
    links: ['permissions'],
  },
  'graph-send-refused': {
    title: 'Microsoft Graph rejected the email',
    cause:
      'Microsoft Graph refused the email for a reason that Postroom does not know. Its message has the details.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Read the server’s message.', testConnection],
    links: [],
  },
  'sending-ended': {
    title: 'Sending ended before its result was recorded',
    cause:
      'The process that was sending the email ended, for example because Azure moved the app to another machine. It is not known whether the server had received the email by then.',
    ...mayHaveLeft,
  },
  'no-way-out': {
    title: 'The mailbox cannot send',
    cause: 'No outgoing mail server is set up for this mailbox, or the mailbox was deleted.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open the mailbox and set up sending.', testConnection],
    links: [],
  },
  'smtp-no-answer': {
    title: 'The outgoing mail server did not respond with SMTP',
    cause:
      'The response does not begin with the three digits of SMTP: something else is running on this port.',
    who: 'you',
    retry: 'by-itself',
    steps: ['In Postroom, check the host and port for sending: 587 or 465.', testConnection],
    links: [],
  },
  'bad-envelope': {
    title: 'The email has no valid address',
    cause: 'The sender or a recipient is not a valid address, so the email was not handed to a server.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Correct the address named in the message.'],
    links: [],
  },
  'email-incomplete': {
    title: 'Part of the email is missing from storage',
    cause: 'A text or an attachment of the email was deleted from the storage account before it was sent.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Write the email again and attach its files again.',
      'Check whether a rule or a person deletes blobs of the storage account.',
    ],
    links: [],
  },
  'bad-relay': {
    title: 'The URL of the relay is not valid',
    cause:
      'The secret smtp-relay-url is not a valid relay URL, or its host is one that Postroom is not allowed to connect to.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, smtp-relay-url, and add a version of the form smtp://user:password@host:587 or smtps://user:password@host:465.',
      'Write a % in the username or password as %25.',
    ],
    links: ['key-vaults'],
  },
  'no-relay': {
    title: 'There is no SMTP relay',
    cause:
      'The mailbox sends over the SMTP relay of this installation, but the key vault has no secret smtp-relay-url.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, and create smtp-relay-url of the form smtps://user:password@host:465. Postroom reads it within ten minutes and then sends the waiting replies.',
      'Or open the mailbox’s settings in Postroom, and choose an account that sends.',
    ],
    links: ['key-vaults'],
  },
  'relay-refused': {
    title: 'The SMTP relay refuses the sign-in',
    cause: 'The relay does not accept the username and password in the secret smtp-relay-url.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, smtp-relay-url, and add a version with the right username and password. Postroom reads it within ten minutes.',
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
      'Check “Junk Email”, “Deleted Items” and the rules of the mailbox.',
      'If you cannot find it, ask an Exchange admin to run a message trace.',
    ],
    links: [],
  },
  'mail-loop': {
    title: 'Two machines may be answering each other',
    cause:
      'One sender sent more automatic messages than usual within an hour. Those over the limit are collapsed.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Check the conversation, and turn off one of the two automatic replies.'],
    links: [],
  },
} satisfies Meanings;
