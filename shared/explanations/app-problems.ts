import type { Meanings } from './explanation.ts';
import { findInAppLog, nothingToDo, reportCode } from './phrases.ts';

const writeAgain =
  'Open the key vault, Secrets, and add a corrected version of the secret, or delete it to turn this channel off. Postroom reads it again within two minutes.';

/** The app itself: its tickets, its alerts, its settings, its timers and queues. */
export const appProblems = {
  unexpected: {
    title: 'Something unexpected happened',
    cause: 'A run ended with an error that is not a known outage. It is most likely a bug in Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: [findInAppLog, `If it happens again: ${reportCode}`],
    links: ['function-apps'],
  },
  'ledger-busy': {
    title: 'Several runs are storing email from one mailbox at the same time',
    cause: 'Each time this run tried to update the record of stored email, another run had changed it.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'ticket-busy': {
    title: 'Several runs are changing one ticket at the same time',
    cause: 'Each time this run tried to add an email to the ticket, another run had changed it.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'ticket-missing': {
    title: 'The ticket for a reply is missing',
    cause: 'An email belongs to a ticket whose row is missing in storage. The email is kept as unimported.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Unimported email to read it.', reportCode],
    links: [],
  },
  'number-counter': {
    title: 'No ticket number could be assigned',
    cause: 'Too many runs opened tickets at the same time.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'alerts-busy': {
    title: 'Several runs are changing the alerts at the same time',
    cause: 'Each time this run tried to update the alerts, another run had changed them.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'alert-not-mailed': {
    title: 'An alert could not be sent by email',
    cause:
      'Neither the relay nor any mailbox that can send accepted the alert. The log has the response of each.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      findInAppLog,
      'In Postroom, open a mailbox that can send and test its SMTP connection.',
      'If a relay is set up, check the secret smtp-relay-url in the key vault.',
    ],
    links: ['key-vaults'],
  },
  'channel-malformed': {
    title: 'The secret for an alert channel is not valid',
    cause:
      'The secret in the key vault is not a URL or key that Postroom can use, so the channel sends nothing.',
    who: 'you',
    retry: 'after-fix',
    steps: [writeAgain],
    links: ['key-vaults'],
  },
  'channel-unusable': {
    title: 'An alert channel cannot be used',
    cause: 'The secret alert-webhook-url is disabled, cannot be read, or is not a valid URL.',
    who: 'you',
    retry: 'after-fix',
    steps: [writeAgain],
    links: ['key-vaults'],
  },
  'webhook-refused': {
    title: 'The webhook rejected the alert',
    cause: 'The receiver responded with an error or with a redirect, which Postroom does not follow.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'Check the receiver’s log for the reason; the alert has the HTTP status.',
      `If its URL has changed: ${writeAgain}`,
    ],
    links: ['key-vaults'],
  },
  'webhook-unsigned': {
    title: 'Alerts to the webhook cannot be signed',
    cause:
      'The secret alert-webhook-key is missing or not valid, and Postroom sends this receiver nothing unsigned.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, and set alert-webhook-key to whsec_ followed by at least 24 random bytes in base64. Postroom reads it again within two minutes.',
    ],
    links: ['key-vaults'],
  },
  'bad-settings': {
    title: 'A setting of the function app is missing or not valid',
    cause: 'Postroom does not start with settings it cannot use. Its error message names each of them.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, “Environment variables”, and correct the settings named in the error message.',
      'Save. The app restarts automatically.',
    ],
    links: ['function-apps'],
  },
  'bad-message': {
    title: 'A message in the queue fetch-shard did not come from this version of Postroom',
    cause:
      'Another program or another version of Postroom put it there. It has been moved to fetch-shard-poison.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Health, review the failed jobs, and clear them.'],
    links: ['storage-accounts'],
  },
  'poison-queue': {
    title: 'Some jobs failed',
    cause: 'The same queue message failed five times, so the Functions host moved it to a poison queue.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Health and review the failed jobs.', findInAppLog],
    links: ['function-apps'],
  },
  'timer-late': {
    title: 'A timer is not running',
    cause:
      'The Functions host has not started it, or every run fails. After a deployment this can last until the app is restarted.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Restart the function app.',
      'If the problem continues, search the function app’s log for the name of the timer.',
    ],
    links: ['function-apps'],
  },
  'too-slow': {
    title: 'Part of the monitoring took too long',
    cause: 'Some work besides the checks did not finish in time. It continues in the background.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  'not-ready': {
    title: 'Something Postroom depends on is not working',
    cause: 'The health check found a critical problem and reported that the app is not ready.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Health and follow the steps there.'],
    links: ['function-apps'],
  },
  'readiness-timeout': {
    title: 'The health check took too long',
    cause: 'Storage or Key Vault responds too slowly, so the app reported that it is not ready.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If the problem continues, open Health in Postroom to see what is slow.'],
    links: ['function-apps'],
  },
  'page-not-ready': {
    title: 'A page was rendered before its data was available',
    cause: 'This is a bug in Postroom. Nothing was changed.',
    who: 'you',
    retry: 'after-fix',
    steps: [reportCode],
    links: [],
  },
} satisfies Meanings;
