import { aadstsBody } from '../peers/identity-provider/error-bodies.ts';
import { faults as mailFaults } from '../peers/mail/exchange-texts.ts';
import { type DrillWorld, MAILBOX } from './drill-world.ts';

/** Something that goes wrong in a peer, what has to be said of it, and how it is put right. */
export interface DrillFault {
  name: string;
  /** The notice that has to come: its kind, its cause, and where its link leads. */
  kind: string;
  cause: RegExp;
  link: RegExp;
  /** On the app's clock, from the fault to the notice. */
  withinMinutes: number;
  /** False: while the fault lasts, no timer runs. */
  timers?: boolean;
  inject(world: DrillWorld): Promise<void>;
  /** What a person does who follows the notice's link (its path and query), or what passes by itself. */
  mend(world: DrillWorld, link: string): Promise<void>;
}

/** More than a drill uses up. */
const ALWAYS = 1_000_000;

const signInAgain = ({ browser }: DrillWorld, page: string): Promise<void> =>
  browser.signInAgain(page, MAILBOX);

async function replaceSecret({ stack, browser }: DrillWorld, page: string): Promise<void> {
  const value = 'a-new-secret-of-the-drill';
  const { control, clientId } = stack.identityProvider;
  await control.addClientSecret(clientId, { value });
  await browser.replaceSecret(page, value);
}

export const drillFaults: readonly DrillFault[] = [
  {
    name: 'dead refresh token',
    kind: 'consent-dead',
    cause: /sign(?:ed)?[ -]in|90 days|expired|inactiv/i,
    link: /\/providers\/[a-z2-7]{26}\/connect\?mailbox=/,
    withinMinutes: 3,
    inject: ({ stack }) =>
      stack.identityProvider.control.addFault({
        match: { path: '^/oauth2/v2.0/token$', params: { grant_type: 'refresh_token' } },
        times: ALWAYS,
        status: 400,
        body: aadstsBody(
          700082,
          'invalid_grant',
          'The refresh token has expired due to inactivity. The token was issued on 2026-08-01T08:00:00.0000000Z and was inactive for 90.00:00:00.',
        ),
      }),
    async mend(world, link) {
      await world.stack.identityProvider.control.clearFaults();
      await signInAgain(world, link);
    },
  },
  {
    name: 'expired secret',
    kind: 'secret-expired',
    cause: /expired|reached its end/i,
    link: /\/providers\/[a-z2-7]{26}\/edit/,
    withinMinutes: 3,
    inject: ({ stack }) =>
      stack.identityProvider.control.expireClientSecrets(stack.identityProvider.clientId),
    mend: replaceSecret,
  },
  {
    name: 'revoked consent',
    kind: 'consent-dead',
    cause: /revoked|password|consent|sign in/i,
    link: /\/providers\/[a-z2-7]{26}\/connect\?mailbox=/,
    withinMinutes: 3,
    inject: ({ stack }) => stack.identityProvider.control.revokeUser(MAILBOX),
    mend: signInAgain,
  },
  {
    name: 'wrong secret',
    kind: 'secret-refused',
    cause: /secret/i,
    link: /\/providers\/[a-z2-7]{26}\/edit/,
    withinMinutes: 3,
    inject: ({ stack }) => {
      const { control, clientId } = stack.identityProvider;
      return control.setApp(clientId, { secrets: [{ value: 'a secret that nobody told Postroom' }] });
    },
    mend: replaceSecret,
  },
  {
    name: 'IMAP off',
    kind: 'mailbox-silent',
    cause: /IMAP/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test/,
    withinMinutes: 3,
    async inject({ mail }) {
      mail.faults.push(mailFaults.notConnected(ALWAYS));
    },
    async mend({ mail }) {
      mail.faults.length = 0;
    },
  },
  {
    name: 'throttling',
    kind: 'mailbox-silent',
    cause: /throttl|slow|used up what Exchange allows/i,
    link: /\/mailboxes\/[a-z2-7]{26}\/test/,
    withinMinutes: 17,
    async inject({ mail }) {
      mail.faults.push(mailFaults.imapThrottle(1_000, ALWAYS));
    },
    async mend({ mail }) {
      mail.faults.length = 0;
    },
  },
  {
    name: 'storage down',
    kind: 'storage-failing',
    cause: /storage|server is away/i,
    link: /portal\.azure\.com/,
    withinMinutes: 3,
    async inject({ storage }) {
      storage.setDown(true);
    },
    async mend({ storage }) {
      storage.setDown(false);
    },
  },
  {
    name: 'vault denied',
    kind: 'vault-failing',
    cause: /role|denied|not allowed|authori[sz]/i,
    link: /portal\.azure\.com/,
    withinMinutes: 7,
    inject: ({ stack }) =>
      stack.keyVault.addFault({ match: { path: '^/secrets' }, times: ALWAYS, status: 403 }),
    mend: ({ stack }) => stack.keyVault.clearFaults(),
  },
  {
    name: 'timer dead',
    kind: 'timer-late',
    cause: /host|started/i,
    link: /\/health$/,
    withinMinutes: 17,
    timers: false,
    async inject() {
      // From here on no timer is run: the look from outside has to see it.
    },
    async mend() {
      // The timers run again.
    },
  },
];
