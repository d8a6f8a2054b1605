import type { EntraEntry } from './explanation.ts';
import { addToWeb, copyRedirectUri, report, signInAgain, startAgain, waitMinutes } from './phrases.ts';

const removeFrom = (platform: string): string =>
  `Open the app registration, Authentication, and remove the redirect URI under “${platform}”.`;

/** Errors about the redirect URI and the platform that it is registered for. */
export const redirectEntries: readonly EntraEntry[] = [
  {
    numbers: [50011],
    says: /The repl(?:y|ies) (?:url|address) specified in the request does not match/i,
    title: 'Microsoft does not know this redirect URI',
    cause:
      'Either the app registration has no platform of the kind Web at all, or it has one whose redirect URI differs from Postroom’s, if only by a capital letter, a slash at the end, http for https or another host.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the app registration, Authentication. If no platform “Web” is listed there, none was added: that is the first usual cause.',
      'If Web is listed, compare its redirect URI with Postroom’s, character by character: that is the second.',
      copyRedirectUri,
      addToWeb,
      waitMinutes,
    ],
    links: ['authentication'],
  },
  {
    numbers: [500112],
    title: 'The redirect URI changed during the sign-in',
    cause:
      'The address that Postroom sent when it fetched the tokens is not the one with which the sign-in began. Usually the public address of Postroom was changed in between, or a proxy changes the host or https to http.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [
      'Set PUBLIC_URL in the settings of Postroom to the address that people use, with https and without a path.',
      startAgain,
    ],
    links: [],
  },
  {
    numbers: [500113],
    title: 'The app registration has no redirect URI',
    cause:
      'No redirect URI is registered. If an admin has just granted consent, the consent was stored all the same.',
    who: 'you',
    retry: 'after-fix',
    steps: [copyRedirectUri, addToWeb, waitMinutes],
    links: ['authentication'],
  },
  {
    numbers: [900971],
    title: 'No redirect URI was sent, and none is registered',
    cause: 'The request had no redirect URI, and the app registration has none to fall back on.',
    who: 'you',
    retry: 'after-fix',
    steps: [copyRedirectUri, addToWeb, waitMinutes],
    links: ['authentication'],
  },
  {
    numbers: [7000218],
    title: 'The app came without its secret',
    cause:
      'Postroom sent no credential, because the provider has none, or the redirect URI is registered for a public client.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open the provider and enter a client secret.',
      'Open the app registration, Authentication: the redirect URI must stand under Web. “Allow public client flows” may stay No.',
      'Test the provider.',
    ],
    links: ['authentication', 'secrets'],
  },
  {
    numbers: [700025],
    title: 'The redirect URI stands under “Mobile and desktop”',
    cause: 'The app is registered as a public client, which may not use a secret. Postroom is a web app.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Mobile and desktop applications'), copyRedirectUri, addToWeb, startAgain],
    links: ['authentication'],
  },
  {
    numbers: [9002325],
    title: 'The redirect URI stands under “Single-page application”',
    cause:
      'For a single-page application only a browser may fetch the tokens. Postroom is a web app and fetches them itself.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Single-page application'), copyRedirectUri, addToWeb, startAgain],
    links: ['authentication'],
  },
  {
    numbers: [9002327],
    title: 'The tokens belong to a “Single-page application”',
    cause:
      'The sign-in ran over a redirect URI registered for a single-page application, and its tokens can be used from a browser only.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Single-page application'), copyRedirectUri, addToWeb, startAgain],
    links: ['authentication'],
  },
  {
    numbers: [9002326],
    title: 'The request looked as if a browser had sent it',
    cause:
      'The request carried an Origin header, which only single-page applications may send. Postroom sends none; a proxy on the way may add it.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Check that no proxy adds an Origin header to requests that leave Postroom.', report],
    links: [],
  },
  {
    numbers: [700084],
    title: 'The sign-in was made for a “Single-page application” and has ended',
    cause:
      'The redirect URI is registered for a single-page application; such sign-ins end after 24 hours and cannot be prolonged.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Single-page application'), copyRedirectUri, addToWeb, signInAgain],
    links: ['authentication'],
  },
];
