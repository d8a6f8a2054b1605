import { faults as mailFaults } from '../emulators/mail/exchange-texts.ts';
import { type DrillWorld, MAILBOX } from './drill-world.ts';

/** Something that goes wrong in an emulator, what has to be said of it, and how it is put right. */
export interface DrillFault {
  name: string;
  /** The alert that has to come: its kind, its code, its cause, and where its link leads. */
  kind: string;
  code: string;
  cause: RegExp;
  link: RegExp;
  /** On the app's clock, from the fault to the alert. */
  withinMinutes: number;
  /** Whether a mailbox of another provider goes on; false where the fault is one of the installation as a whole. */
  othersGoOn: boolean;
  /** How long an access token lasts; default: so short that one is renewed in each minute. */
  tokenSeconds?: number;
  /** So many minutes pass between two runs of the timers once the alert is there; default 1. */
  everyMinutes?: number;
  /** False: while the fault lasts, no timer runs. */
  timers?: boolean;
  inject(world: DrillWorld): Promise<void>;
  /** What a person does who follows the alert's link (its path and query), or what passes by itself. */
  mend(world: DrillWorld, link: string): Promise<void>;
}

/** More than a drill uses up. */
const ALWAYS = 1_000_000;

async function troubleAtRefresh(
  { stack }: DrillWorld,
  trouble: 'grant-idle' | 'consent-removed',
): Promise<void> {
  const { control, clientId } = stack.identityProvider;
  await control.addTrouble(trouble, { times: ALWAYS, clientId });
}

async function signInAgain({ stack, visitor }: DrillWorld, page: string): Promise<void> {
  await stack.identityProvider.control.clearFaults();
  await visitor.signInAgain(page, MAILBOX);
}

async function replaceSecret({ stack, visitor }: DrillWorld, page: string): Promise<void> {
  const value = 'a-new-secret-of-the-drill';
  const { control, clientId } = stack.identityProvider;
  await control.addClientSecret(clientId, { value });
  await visitor.replaceSecret(page, value);
}

/** Promise 5 of the design: nobody learns of an outage later than that. */
const PROMISED_MINUTES = 15;

export const drillFaults: readonly DrillFault[] = [
  {
    name: 'dead refresh token',
    kind: 'consent-dead',
    code: 'AADSTS700082',
    cause: /nobody uses/,
    link: /\/providers\/[a-z2-7]{26}\/connect\?mailbox=/,
    withinMinutes: 3,
    othersGoOn: true,
    inject: (world) => troubleAtRefresh(world, 'grant-idle'),
    mend: signInAgain,
  },
  {
    name: 'expired secret',
    kind: 'secret-expired',
    code: 'AADSTS7000222',
    cause: /has reached its end/,
    link: /\/providers\/[a-z2-7]{26}\/edit$/,
    withinMinutes: 3,
    othersGoOn: true,
    inject: ({ stack }) =>
      stack.identityProvider.control.expireClientSecrets(stack.identityProvider.clientId),
    mend: replaceSecret,
  },
  {
    name: 'revoked consent',
    kind: 'consent-dead',
    code: 'AADSTS65001',
    cause: /permissions|consent/i,
    link: /\/providers\/[a-z2-7]{26}\/connect\?mailbox=/,
    withinMinutes: 3,
    othersGoOn: true,
    inject: (world) => troubleAtRefresh(world, 'consent-removed'),
    mend: signInAgain,
  },
  {
    name: 'wrong secret',
    kind: 'secret-refused',
    code: 'AADSTS7000215',
    cause: /is not the Value of a secret/,
    link: /\/providers\/[a-z2-7]{26}\/edit$/,
    withinMinutes: 3,
    othersGoOn: true,
    inject: ({ stack }) => {
      const { control, clientId } = stack.identityProvider;
      return control.setApp(clientId, { secrets: [{ value: 'a secret that nobody told Postroom' }] });
    },
    mend: replaceSecret,
  },
  {
    name: 'IMAP off',
    kind: 'mailbox-silent',
    code: 'imap-no-access',
    cause: /IMAP is switched off/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: 3,
    othersGoOn: true,
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
    code: 'imap-throttled',
    cause: /used up what Exchange allows/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: PROMISED_MINUTES,
    othersGoOn: true,
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
    code: 'table-storage',
    cause: /Azure Storage is unavailable/,
    link: /^https:\/\/portal\.azure\.com\/#browse\/Microsoft\.Storage/,
    withinMinutes: 3,
    othersGoOn: false,
    // The libraries of Azure try each call again and again, which takes real time.
    everyMinutes: 8,
    // As Microsoft's do: an email then leaves with what the process remembers.
    tokenSeconds: 3600,
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
    code: 'key-vault-role-missing',
    cause: /no role at the key vault/,
    link: /^https:\/\/portal\.azure\.com\/#browse\/Microsoft\.KeyVault/,
    withinMinutes: 7,
    othersGoOn: false,
    inject: ({ stack }) =>
      stack.keyVault.addFault({ match: { path: '^/secrets' }, times: ALWAYS, status: 403 }),
    mend: ({ stack }) => stack.keyVault.clearFaults(),
  },
  {
    name: 'timer dead',
    kind: 'timer-late',
    code: 'timer-late',
    cause: /The Functions host has not started them/,
    link: /\/health$/,
    withinMinutes: PROMISED_MINUTES,
    othersGoOn: false,
    timers: false,
    async inject() {
      // From here on no timer is run: the look from outside has to see it.
    },
    async mend() {
      // The timers run again.
    },
  },
];
