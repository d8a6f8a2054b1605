import type { EntraEntry } from './explanation.ts';
import { signInAgain, startAgain } from './phrases.ts';

/** Sign-ins that have ended. */
export const grantEntries: readonly EntraEntry[] = [
  {
    numbers: [70000],
    title: 'The sign-in is not valid any more',
    cause:
      'Microsoft does not accept the stored sign-in. With a personal account it may also mean that a permission was never granted.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Press “Accept” if Microsoft asks for permissions.'],
    links: [],
  },
  {
    numbers: [70008],
    title: 'The sign-in has expired',
    cause:
      'More than ten minutes passed before the sign-in was finished, or the mailbox was not fetched for 90 days.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Finish the sign-in without a long break.'],
    links: [],
  },
  {
    numbers: [700082],
    title: 'The sign-in was not used for 90 days',
    cause:
      'Microsoft ends sign-ins that nobody uses. Postroom renews each once a week, so it must have stood still for long.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Check that the function refreshTokens runs.'],
    links: ['function-apps'],
  },
  {
    numbers: [50173],
    title: 'The sign-in was revoked',
    cause:
      'All sessions of the account were ended: the password was reset, or an admin or the owner has revoked them.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['Ask the mailbox’s owner or the admin whether it was meant so.', signInAgain],
    links: ['sign-in-logs'],
  },
  {
    numbers: [50132, 50133],
    title: 'The session has ended',
    cause: 'The password has expired or was changed, and with it the session ended.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain],
    links: ['password-change'],
  },
  {
    numbers: [50089],
    title: 'Microsoft’s page was open for too long',
    cause: 'The sign-in page waited until its own time was over.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [startAgain],
    links: [],
  },
  {
    numbers: [54005],
    title: 'The sign-in was already used',
    cause:
      'The page after the sign-in was loaded twice, by a reload or the back button. The first time may well have worked.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['See under Mailboxes whether the mailbox is connected. Then nothing is to be done.', startAgain],
    links: [],
  },
];
