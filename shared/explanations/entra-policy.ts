import type { EntraEntry } from './explanation.ts';
import { findInLogs, signInAgain } from './phrases.ts';

const excludeAccount =
  'If it comes back: let an admin exclude {mailbox} or this app from that policy under Conditional Access.';

/** Errors caused by a policy of the tenant: multifactor authentication, devices, locations, risk. */
export const policyEntries: readonly EntraEntry[] = [
  {
    numbers: [50076, 50074],
    title: 'A second factor is needed now',
    cause:
      'The tenant asks for multi-factor authentication since the last sign-in, because an admin changed a rule or the place has changed.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Confirm with the second factor.', excludeAccount],
    links: ['conditional-access'],
  },
  {
    numbers: [50078],
    title: 'The second factor has to be confirmed again',
    cause: 'A rule of the tenant lets a confirmation by a second factor end after some time.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Confirm with the second factor.', excludeAccount],
    links: ['conditional-access'],
  },
  {
    numbers: [50079, 50072],
    title: 'A second factor has to be set up',
    cause: 'The tenant asks for multi-factor authentication, and this account has no second factor yet.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['Open aka.ms/mfasetup, signed in as {mailbox}, and set up a method.', signInAgain],
    links: ['mfa-setup'],
  },
  {
    numbers: [53004, 53010],
    title: 'The second factor cannot be set up from here',
    cause: 'A rule of the tenant allows that only in certain places or on certain devices.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['Set up the second factor from an allowed place, such as the office.', signInAgain],
    links: ['mfa-setup'],
  },
  {
    numbers: [50158],
    title: 'A step outside of Microsoft is missing',
    cause: 'The tenant asks for a second factor of another maker or for terms of use to be accepted.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Complete the step that is shown.'],
    links: [],
  },
  {
    numbers: [50097, 50129, 50131],
    title: 'The tenant asks for a registered device',
    cause:
      'A Conditional Access policy admits registered devices only. Postroom runs in the cloud and is none.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      findInLogs,
      'Exclude {mailbox} from that policy, or limit the policy to other apps.',
      signInAgain,
    ],
    links: ['sign-in-logs', 'conditional-access'],
  },
  {
    numbers: [53000, 53001, 53002],
    title: 'The tenant asks for a managed device or an approved app',
    cause: 'A policy admits compliant or joined devices or approved apps only; Postroom can be neither.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      findInLogs,
      'Exclude {mailbox} from that policy, or limit the policy to other apps.',
      signInAgain,
    ],
    links: ['sign-in-logs', 'conditional-access'],
  },
  {
    numbers: [53003],
    title: 'Conditional Access blocks the sign-in',
    cause:
      'A policy of the tenant forbids it: for the place, the kind of client, the risk, or this app. Postroom signs in from the addresses of its function app.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      findInLogs,
      'Exclude {mailbox} from that policy, or allow the outbound addresses of the function app as a named location.',
      signInAgain,
    ],
    links: ['sign-in-logs', 'conditional-access'],
  },
  {
    numbers: [530035],
    title: 'The security defaults block the sign-in',
    cause: 'The tenant uses Microsoft’s security defaults, and these judged the request to be unsafe.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      signInAgain,
      'Confirm with the second factor.',
      'If it comes back: replace the security defaults by Conditional Access policies.',
    ],
    links: ['sign-in-logs', 'conditional-access'],
  },
  {
    numbers: [530032],
    title: 'A security policy of the tenant blocks the request',
    cause: 'The tenant’s admin has set a policy that forbids it.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [findInLogs, 'Ask the people who are responsible for that policy.', signInAgain],
    links: ['sign-in-logs'],
  },
  {
    numbers: [53011, 50135],
    title: 'The account is considered to be at risk',
    cause: 'Microsoft has seen signs that somebody else may use this account, and has blocked it.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      'Look at the account under “Risky users” and find out what happened.',
      'Change its password, then dismiss or remediate the risk.',
      signInAgain,
    ],
    links: ['risky-users', 'password-change'],
  },
  {
    numbers: [70043, 70044],
    title: 'A rule ends sign-ins after a fixed time',
    cause:
      'A Conditional Access policy with a sign-in frequency has ended the sign-in. It will happen again after the same time until the account is excluded.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      'Exclude {mailbox} from the policy with “Sign-in frequency” under Conditional Access.',
      signInAgain,
    ],
    links: ['conditional-access', 'sign-in-logs'],
  },
];
