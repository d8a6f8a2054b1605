import type { Meanings } from './explanation.ts';

/** Problems of push: Microsoft Graph does not announce new email. */
export const pushProblems = {
  'push-silent': {
    title: 'New email is no longer announced',
    cause:
      'Microsoft Graph accepted the subscription for this mailbox, but an email arrived without an event. Graph drops events if Postroom responds slowly or cannot be reached from the internet.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'Wait a few minutes: Postroom has replaced the subscription and checks the mailbox every minute in the meantime. The alert closes with the next event.',
      'If it stays open, check that POST requests from the internet reach /graph/notifications at the address in PUBLIC_URL: a firewall, a gateway or an access restriction of the Functions app may block them.',
    ],
    links: ['function-apps'],
  },
  'push-refused': {
    title: 'Microsoft Graph refuses to announce new email',
    cause:
      'It does not accept a subscription for this mailbox: a permission is missing, or it cannot reach Postroom over the internet. Email is still fetched every minute.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Read Graph’s message on the mailbox’s page in Postroom.',
      'If it mentions access, grant Mail.ReadBasic to the app registration and sign the account in again.',
      'If it mentions validation, check that POST requests from the internet reach /graph/notifications at the address in PUBLIC_URL.',
    ],
    links: ['function-apps'],
  },
  'push-unconfirmed': {
    title: 'The subscription for new email is not confirmed',
    cause:
      'Several attempts to create or renew the subscription in Microsoft Graph failed. In the meantime, email is fetched every minute.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Wait: Postroom retries automatically. If it lasts for hours, check the service health of Microsoft 365.',
    ],
    links: [],
  },
} satisfies Meanings;
