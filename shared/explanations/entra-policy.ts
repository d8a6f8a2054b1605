import type { EntraEntry } from './explanation.ts';
import { findInLogs, signInAgain } from './phrases.ts';

const excludeAccount =
  'If it happens again, have an admin exclude {mailbox} or this app from that Conditional Access policy.';

/** Errors caused by a policy of the tenant: multifactor authentication, devices, locations, risk. */
export const policyEntries: readonly EntraEntry[] = [
  {
    numbers: [50076, 50074],
    title: 'Multi-factor authentication is now required',
    cause:
      'Since the last sign-in, the tenant has begun to require multi-factor authentication, because an admin changed a policy or the location changed.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Confirm the sign-in with the second factor.', excludeAccount],
    links: ['conditional-access'],
  },
  {
    numbers: [50078],
    title: 'Multi-factor authentication is required again',
    cause: 'A policy of the tenant requires multi-factor authentication again after a certain time.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Confirm the sign-in with the second factor.', excludeAccount],
    links: ['conditional-access'],
  },
  {
    numbers: [50079, 50072],
    title: 'Multi-factor authentication must be set up',
    cause: 'The tenant requires multi-factor authentication, and this account has no second factor yet.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['Open aka.ms/mfasetup, signed in as {mailbox}, and set up a method.', signInAgain],
    links: ['mfa-setup'],
  },
  {
    numbers: [53004, 53010],
    title: 'Multi-factor authentication cannot be set up from here',
    cause: 'A policy of the tenant allows it only from certain locations or devices.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: ['Set up the second factor from an allowed location, such as the office.', signInAgain],
    links: ['mfa-setup'],
  },
  {
    numbers: [50158],
    title: 'An external step is missing',
    cause: 'The tenant requires an external authentication method, or its terms of use must be accepted.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [signInAgain, 'Complete the step that is shown.'],
    links: [],
  },
  {
    numbers: [50097, 50129, 50131],
    title: 'The tenant requires a registered device',
    cause:
      'A Conditional Access policy allows only registered devices. Postroom runs in the cloud and is not one.',
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
    title: 'The tenant requires a managed device or an approved app',
    cause: 'A policy allows only compliant or joined devices, or approved apps. Postroom can be neither.',
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
      'A policy of the tenant blocks it because of the location, the type of client, the risk, or the app. Postroom signs in from the outbound addresses of its function app.',
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
    title: 'Security defaults block the sign-in',
    cause: 'The tenant uses Microsoft’s security defaults, which judged the request to be unsafe.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      signInAgain,
      'Confirm the sign-in with the second factor.',
      'If it happens again, replace security defaults with Conditional Access policies.',
    ],
    links: ['sign-in-logs', 'conditional-access'],
  },
  {
    numbers: [530032],
    title: 'A security policy of the tenant blocks the request',
    cause: 'A tenant admin has set a policy that forbids it.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [findInLogs, 'Ask whoever is responsible for that policy.', signInAgain],
    links: ['sign-in-logs'],
  },
  {
    numbers: [53011, 50135],
    title: 'The account is considered to be at risk',
    cause: 'Microsoft detected signs that someone else may be using this account and blocked it.',
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
    title: 'A policy ends sign-ins after a fixed time',
    cause:
      'A Conditional Access policy with a sign-in frequency ended the sign-in. This will happen again after the same time unless the account is excluded.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      'Under Conditional Access, exclude {mailbox} from the policy with “Sign-in frequency”.',
      signInAgain,
    ],
    links: ['conditional-access', 'sign-in-logs'],
  },
];
