import { faults as mailFaults } from '../emulators/mail/exchange-texts.ts';
import { type DrillWorld, MAILBOX } from './drill-world.ts';

/** A fault in an emulator, the alert that is expected, and how it is fixed. */
export interface DrillFault {
  name: string;
  /** The expected alert: its kind, code, cause, and the target of its link. */
  kind: string;
  code: string;
  cause: RegExp;
  link: RegExp;
  /** Measured on the app's clock, from the fault to the alert. */
  withinMinutes: number;
  /** Whether a mailbox of another provider keeps working; false if the fault affects the whole installation. */
  othersGoOn: boolean;
  /** Lifetime of an access token; the default is so short that one is refreshed every minute. */
  tokenSeconds?: number;
  /** What the mailbox's account is allowed; absent: the usual. */
  ways?: readonly string[];
  /** How the mailbox is read; absent: over IMAP. */
  protocol?: 'graph';
  /** Minutes between two runs of the timers once the alert exists; default 1. */
  everyMinutes?: number;
  /** Minutes from the fix until its end is reported; default 40. */
  closesWithinMinutes?: number;
  /** A reply waits while the fault lasts, and must arrive once after it is fixed. */
  holdsReply?: true;
  /** False: no timer runs while the fault lasts. */
  timers?: boolean;
  inject(world: DrillWorld): Promise<void>;
  /** What a person does who follows the alert's link (its path and query), or what ends without action. */
  fix(world: DrillWorld, link: string): Promise<void>;
}

/** More than a drill uses. */
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

/** More automatic emails than one conversation has in an hour (`loopLimits` of the intake). */
const LOOP_MESSAGES = 30;

/** All reply to the first one. */
const automaticReply = (number: number): Buffer =>
  Buffer.from(
    `From: Robot <robot@machine.example>\r\nTo: ${MAILBOX}\r\nSubject: Re: Received\r\nMessage-ID: <${number}@machine.example>\r\nIn-Reply-To: <1@machine.example>\r\nAuto-Submitted: auto-replied\r\n\r\nWe have received it.\r\n`,
  );

/** Promise 5 of the design: the maximum time until an outage is reported. */
const PROMISED_MINUTES = 15;

export const drillFaults: readonly DrillFault[] = [
  {
    name: 'dead refresh token',
    kind: 'consent-dead',
    code: 'AADSTS700082',
    cause: /unused sign-ins/,
    link: /\/providers\/[a-z2-7]{26}\/connect\?mailbox=/,
    withinMinutes: 3,
    othersGoOn: true,
    inject: (world) => troubleAtRefresh(world, 'grant-idle'),
    fix: signInAgain,
  },
  {
    name: 'expired secret',
    kind: 'secret-expired',
    code: 'AADSTS7000222',
    cause: /has expired/,
    link: /\/providers\/[a-z2-7]{26}\/edit$/,
    withinMinutes: 3,
    othersGoOn: true,
    inject: ({ stack }) =>
      stack.identityProvider.control.expireClientSecrets(stack.identityProvider.clientId),
    fix: replaceSecret,
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
    fix: signInAgain,
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
    fix: replaceSecret,
  },
  {
    name: 'IMAP off',
    kind: 'mailbox-silent',
    code: 'imap-no-access',
    cause: /IMAP is turned off/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: 3,
    othersGoOn: true,
    async inject({ mail }) {
      mail.faults.push(mailFaults.notConnected(ALWAYS));
    },
    async fix({ mail }) {
      mail.faults.length = 0;
    },
  },
  {
    name: 'throttling',
    kind: 'mailbox-silent',
    code: 'imap-throttled',
    cause: /reached Exchange’s limit/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: PROMISED_MINUTES,
    othersGoOn: true,
    async inject({ mail }) {
      mail.faults.push(mailFaults.imapThrottle(1_000, ALWAYS));
    },
    async fix({ mail }) {
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
    // The Azure libraries retry each call several times, which takes real time.
    everyMinutes: 14,
    // As Microsoft's do: an email can then be sent with the cached token.
    tokenSeconds: 3600,
    async inject({ storage }) {
      storage.setDown(true);
    },
    async fix({ storage }) {
      storage.setDown(false);
    },
  },
  {
    name: 'vault denied',
    kind: 'vault-failing',
    code: 'key-vault-role-missing',
    cause: /no role on the key vault/,
    link: /^https:\/\/portal\.azure\.com\/#browse\/Microsoft\.KeyVault/,
    withinMinutes: 7,
    othersGoOn: false,
    inject: ({ stack }) =>
      stack.keyVault.addFault({ match: { path: '^/secrets' }, times: ALWAYS, status: 403 }),
    fix: ({ stack }) => stack.keyVault.clearFaults(),
  },
  {
    name: 'SMTP AUTH off',
    kind: 'smtp-refused',
    code: 'smtp-auth-disabled-tenant',
    cause: /Authenticated SMTP is off/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: 3,
    othersGoOn: true,
    holdsReply: true,
    async inject({ smtp, queueEmail }) {
      smtp.faults.push(mailFaults.smtpAuthDisabled(ALWAYS));
      await queueEmail();
    },
    // SMTP stays off: “Send over Microsoft Graph instead”.
    fix: ({ visitor }, page) => visitor.sendOverGraph(page, MAILBOX),
  },
  {
    name: 'SMTP server away',
    kind: 'smtp-refused',
    code: 'smtp-unreachable',
    cause: /server is down/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: PROMISED_MINUTES,
    othersGoOn: true,
    holdsReply: true,
    async inject({ smtp, queueEmail }) {
      await smtp.setAway(true);
      await queueEmail();
    },
    fix: ({ smtp }) => smtp.setAway(false),
  },
  {
    name: 'mail loop',
    kind: 'mail-loop',
    code: 'mail-loop',
    cause: /keeps sending messages/,
    link: /\/tickets\//,
    withinMinutes: 3,
    othersGoOn: true,
    // It is reported for an hour after the last message.
    closesWithinMinutes: 75,
    async inject({ stack, now }) {
      for (let number = 1; number <= LOOP_MESSAGES; number += 1)
        await stack.mail.deliver(MAILBOX, automaticReply(number), now());
    },
    async fix() {
      // The other machine has stopped.
    },
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
      // From here on no timer runs: the external check has to notice.
    },
    async fix() {
      // The timers run again.
    },
  },
  {
    name: 'push silent',
    kind: 'push-failing',
    code: 'push-silent',
    cause: /did not announce it/,
    link: /\/mailboxes\/[a-z2-7]{26}\/edit$/,
    // The look that finds the email is some minutes away, and an event may be five minutes late.
    withinMinutes: PROMISED_MINUTES,
    othersGoOn: true,
    ways: ['imap', 'smtp', 'graph-push'],
    async inject({ stack, now }) {
      stack.graph.makeMailTrouble({ action: 'silence-push', mailbox: MAILBOX, isSilent: true });
      await stack.mail.deliver(MAILBOX, unannounced('first'), now());
    },
    // Postroom has replaced the subscription; its first event proves that it works.
    fix: ({ stack, now }) => stack.mail.deliver(MAILBOX, unannounced('second'), now()),
  },
  {
    name: 'Graph throttled',
    kind: 'mailbox-silent',
    code: 'graph-throttled',
    cause: /reached the limit of Microsoft Graph/,
    link: /\/mailboxes\/[a-z2-7]{26}\/test$/,
    withinMinutes: PROMISED_MINUTES,
    othersGoOn: true,
    ways: ['graph', 'smtp'],
    protocol: 'graph',
    async inject({ stack, now, runQueued }) {
      const headers = { 'retry-after': '300' };
      const match = { path: '^/v1.0/(me|users)' };
      const throttled = { match, times: ALWAYS, status: 429, headers };
      stack.graph.faults.push(throttled);
      // Push still works, so the fetch that it causes is the first to be throttled, before the clock is moved.
      await stack.mail.deliver(MAILBOX, unannounced('third'), now());
      for (const end = performance.now() + 20_000; throttled.times === ALWAYS; await runQueued())
        if (performance.now() > end) throw new Error('The event has caused no fetch.');
    },
    async fix({ stack }) {
      stack.graph.faults.length = 0;
    },
  },
];

const unannounced = (name: string): Buffer =>
  Buffer.from(
    `From: Kim <kim@customer.example>\r\nTo: ${MAILBOX}\r\nSubject: The ${name} email\r\nMessage-ID: <${name}@customer.example>\r\n\r\nHello\r\n`,
  );
