import type { Meanings } from './explanation.ts';
import { findInAppLog, nothingToDo, reportCode } from './phrases.ts';

const writeAgain =
  'Open the key vault, Secrets, and add a corrected version of the secret, or delete the secret to do without. Postroom reads it again within two minutes.';

/** The app itself: its tickets, its alerts, its settings, its timers and queues. */
export const appProblems = {
  unexpected: {
    title: 'Something happened that Postroom did not expect',
    cause: 'A run ended with an error that is no known outage. That is most likely a defect of Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: [findInAppLog, `If it comes back: ${reportCode}`],
    links: ['function-apps'],
  },
  'ledger-busy': {
    title: 'Several runs store email of one mailbox at the same time',
    cause: 'Other runs changed the record of stored email each time that this run tried to.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'ticket-busy': {
    title: 'Several runs change one ticket at the same time',
    cause: 'Other runs changed the ticket each time that this run tried to add an email to it.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'ticket-missing': {
    title: 'The ticket of a reply is not there',
    cause: 'An email belongs to a ticket whose row is missing in storage. The email is kept as unimported.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Unimported email and read the email there.', reportCode],
    links: [],
  },
  'number-counter': {
    title: 'No ticket number could be drawn',
    cause: 'Too many runs opened tickets at the same moment.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'alerts-busy': {
    title: 'Several runs change the alerts at the same time',
    cause: 'Other runs changed the alerts each time that this run tried to.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'alert-not-mailed': {
    title: 'An alert could not be sent by email',
    cause:
      'Neither the relay nor a mailbox that may send took the alert. The log says what each of them answered.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      findInAppLog,
      'In Postroom, open a mailbox that may send, and test its connection over SMTP.',
      'If a relay is set up: check the secret smtp-relay-url in the key vault.',
    ],
    links: ['key-vaults'],
  },
  'channel-malformed': {
    title: 'The secret of an alert channel is not of the right form',
    cause:
      'The secret in the key vault is not an address or a key that Postroom can use, so the channel is silent.',
    who: 'you',
    retry: 'after-fix',
    steps: [writeAgain],
    links: ['key-vaults'],
  },
  'channel-unusable': {
    title: 'An alert channel cannot be used',
    cause: 'The secret alert-webhook-url is switched off, cannot be read, or is not of the right form.',
    who: 'you',
    retry: 'after-fix',
    steps: [writeAgain],
    links: ['key-vaults'],
  },
  'webhook-refused': {
    title: 'The webhook does not take the alert',
    cause: 'The receiver answered with an error, or with a redirect, which Postroom does not follow.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'See in the log of the receiver why it refuses; the alert names the status.',
      `If its address has changed: ${writeAgain}`,
    ],
    links: ['key-vaults'],
  },
  'webhook-unsigned': {
    title: 'Alerts for the webhook cannot be signed',
    cause:
      'The secret alert-webhook-key is missing or cannot be used, and this receiver is sent nothing unsigned.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, and set alert-webhook-key to whsec_ and at least 24 random bytes in base64. Postroom reads it again within two minutes.',
    ],
    links: ['key-vaults'],
  },
  'bad-settings': {
    title: 'A setting of the function app is missing or wrong',
    cause: 'Postroom does not start with settings that it cannot use. Its error names each of them.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, “Environment variables”, and correct the settings that the error names.',
      'Save; the app starts again by itself.',
    ],
    links: ['function-apps'],
  },
  'bad-message': {
    title: 'A message in the queue fetch-shard is not one of Postroom',
    cause:
      'Somebody else, or another version of Postroom, has put it there. It is moved to fetch-shard-poison.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Health, see what was given up, and clear it.'],
    links: ['storage-accounts'],
  },
  'poison-queue': {
    title: 'Postroom gave up some of its work',
    cause: 'The same message of a queue failed five times, and the Functions host put it aside.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Health and see what was given up.', findInAppLog],
    links: ['function-apps'],
  },
  'timer-late': {
    title: 'A timer of Postroom does not run',
    cause:
      'The Functions host has not started it, or each of its runs fails. After a deployment this has been seen to last until the app is started again.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Restart the function app.',
      'If it lasts: read the log of the function app under the name of the timer.',
    ],
    links: ['function-apps'],
  },
  'too-slow': {
    title: 'A part of the monitoring took too long',
    cause: 'Some work beside the checks was not done in time; it goes on and is not waited for.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'not-ready': {
    title: 'Something that Postroom needs does not work',
    cause: 'The health check found a critical fault and answered that the app is not ready.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Health and do what stands there.'],
    links: ['function-apps'],
  },
  'readiness-timeout': {
    title: 'The health check took too long',
    cause: 'Storage or Key Vault answers too slowly, so the app answered that it is not ready.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it lasts: in Postroom, open Health and see what is slow.'],
    links: ['function-apps'],
  },
  'page-not-ready': {
    title: 'A page was drawn before its values were there',
    cause: 'That is a defect of Postroom; nothing was changed.',
    who: 'you',
    retry: 'after-fix',
    steps: [reportCode],
    links: [],
  },
} satisfies Meanings;
