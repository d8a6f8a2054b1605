import type { EntraEntry } from './explanation.ts';
import { signInAgain, startAgain } from './phrases.ts';

/** Sign-ins that have ended. */
export const grantEntries: readonly EntraEntry[] = [
  {
    numbers: [70000],
    title: 'The sign-in is no longer valid',
    cause:
      'Microsoft no longer accepts the stored sign-in. For a personal account, it can also mean that a permission was never granted.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Select “Accept” if Microsoft asks for permissions.'],
    links: [],
  },
  {
    numbers: [70008],
    title: 'The sign-in has expired',
    cause: 'The sign-in took more than ten minutes, or the mailbox was not fetched for 90 days.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Complete the sign-in within ten minutes.'],
    links: [],
  },
  {
    numbers: [700082],
    title: 'The sign-in has not been used for 90 days',
    cause:
      'Microsoft ends unused sign-ins. Postroom renews each sign-in once a week, so it must have been stopped for a long time.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Check that the function refreshTokens is running.'],
    links: ['function-apps'],
  },
  {
    numbers: [50173],
    title: 'The sign-in was revoked',
    cause:
      'All sessions of the account were ended: the password was reset, or an admin or the owner revoked them.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['Ask the mailbox owner or the admin whether that was intentional.', signInAgain],
    links: ['sign-in-logs'],
  },
  {
    numbers: [50132, 50133],
    title: 'The session has ended',
    cause: 'The password expired or was changed, which ended the session.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: ['password-change'],
  },
  {
    numbers: [50089],
    title: 'Microsoft’s sign-in page was open for too long',
    cause: 'The sign-in page timed out.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [startAgain],
    links: [],
  },
  {
    numbers: [54005],
    title: 'The sign-in was already used',
    cause:
      'The page after the sign-in was loaded twice, by reloading or with the back button. The first time may have worked.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Check under Mailboxes whether the mailbox is connected. If it is, no action is needed.',
      startAgain,
    ],
    links: [],
  },
];
