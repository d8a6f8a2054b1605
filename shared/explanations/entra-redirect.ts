import type { EntraEntry } from './explanation.ts';
import { addToWeb, copyRedirectUri, report, signInAgain, startAgain, waitMinutes } from './phrases.ts';

const removeFrom = (platform: string): string =>
  `Open the app registration, Authentication, and remove the redirect URI under “${platform}”.`;

/** Errors about the redirect URI and the platform that it is registered for. */
export const redirectEntries: readonly EntraEntry[] = [
  {
    numbers: [50011],
    says: /The repl(?:y|ies) (?:url|address) specified in the request does not match/i,
    title: 'The redirect URI is not registered',
    cause:
      'Either the app registration has no Web platform, or its redirect URI differs from Postroom’s, even if only in a capital letter, a trailing slash, http instead of https, or the host.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the app registration, Authentication. If no “Web” platform is listed, add one: this is the most common cause.',
      'If Web is listed, compare its redirect URI with Postroom’s, character by character: this is the second most common cause.',
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
      'The redirect URI in the token request is not the one that the sign-in started with. Usually the public address of Postroom was changed in between, or a proxy changes the host, or https to http.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [
      'Set PUBLIC_URL in Postroom’s settings to the address that people use, with https and without a path.',
      startAgain,
    ],
    links: [],
  },
  {
    numbers: [500113],
    title: 'The app registration has no redirect URI',
    cause:
      'No redirect URI is registered. If an admin has just granted consent, the consent was saved anyway.',
    who: 'you',
    retry: 'after-fix',
    steps: [copyRedirectUri, addToWeb, waitMinutes],
    links: ['authentication'],
  },
  {
    numbers: [900971],
    title: 'No redirect URI was sent, and none is registered',
    cause: 'The request had no redirect URI, and the app registration has no default.',
    who: 'you',
    retry: 'after-fix',
    steps: [copyRedirectUri, addToWeb, waitMinutes],
    links: ['authentication'],
  },
  {
    numbers: [7000218],
    title: 'The app sent no secret',
    cause:
      'Postroom sent no credential, because the provider has none, or the redirect URI is registered for a public client.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open the provider and enter a client secret.',
      'Open the app registration, Authentication. The redirect URI must be listed under Web. “Allow public client flows” can stay No.',
      'Test the provider.',
    ],
    links: ['authentication', 'secrets'],
  },
  {
    numbers: [700025],
    title: 'The redirect URI is listed under “Mobile and desktop”',
    cause: 'The app is registered as a public client, which cannot use a secret. Postroom is a web app.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Mobile and desktop applications'), copyRedirectUri, addToWeb, startAgain],
    links: ['authentication'],
  },
  {
    numbers: [9002325],
    title: 'The redirect URI is listed under “Single-page application”',
    cause:
      'For a single-page application, only a browser can request the tokens. Postroom is a web app and requests them itself.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Single-page application'), copyRedirectUri, addToWeb, startAgain],
    links: ['authentication'],
  },
  {
    numbers: [9002327],
    title: 'The tokens belong to a “Single-page application”',
    cause:
      'The sign-in used a redirect URI registered for a single-page application, so its tokens can be redeemed only by a browser.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Single-page application'), copyRedirectUri, addToWeb, startAgain],
    links: ['authentication'],
  },
  {
    numbers: [9002326],
    title: 'The request looked as if it came from a browser',
    cause:
      'The request had an Origin header, which only single-page applications may send. Postroom sends none; a proxy may have added it.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Check that no proxy adds an Origin header to requests from Postroom.', report],
    links: [],
  },
  {
    numbers: [700084],
    title: 'The sign-in was made for a “Single-page application” and has expired',
    cause:
      'The redirect URI is registered for a single-page application. Such sign-ins expire after 24 hours and cannot be renewed.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [removeFrom('Single-page application'), copyRedirectUri, addToWeb, signInAgain],
    links: ['authentication'],
  },
];
