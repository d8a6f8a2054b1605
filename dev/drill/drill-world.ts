import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { adminAt, openDemo } from '../demo.ts';
import { keepCertificates } from '../emulators/certificates.ts';
import { MAIL_SCOPES } from '../emulators/entra/scopes.ts';
import { type ExchangeSkin, startExchangeSkin } from '../emulators/mail/exchange-skin.ts';
import { type StorageProxy, startStorageProxy } from '../emulators/storage/storage-proxy.ts';
import type { Stack } from '../stack.ts';
import type { Visitor } from '../visitor.ts';
import { type AlertReceiver, startAlertReceiver } from './alert-receiver.ts';
import { openDrillHost } from './open-drill-host.ts';
import { type OutgoingServer, queueReply, REPLY_ID, startOutgoingServer } from './outgoing-mail.ts';
import { readInbox, subjectHeader } from './read-inbox.ts';

/** The mailbox that the faults affect: it fetches, and its account may send. */
export const MAILBOX = 'support@contoso.example';
/**
 * A mailbox of another provider, at another port of the mail server: most faults do not affect it. In
 * alphabetical order it would be the second to send an alert.
 */
export const OTHER_MAILBOX = 'welcome@contoso.example';
/** The recipient of alert emails. */
const ON_CALL = 'oncall@contoso.example';
const MINUTE_MS = 60_000;
const EACH_MINUTE = ['fetchMail', 'monitor'];
const EACH_DAY = ['refreshTokens', 'reviewSecrets'];
/** As often as the availability test of infra/modules/alerts.bicep requests it from one location. */
const LOOK_EVERY_MINUTES = 5;
/**
 * The minute (of five) in which it runs. Timers whose last heartbeat is in the fifth minute of the drill
 * are not yet late, by half a minute, when it runs in the fourteenth: the drill therefore meets the longest
 * possible delay.
 */
const LOOKS_AT = 4;

/** The built app with two working mailboxes, emulators that can fail, and a clock that can be advanced. */
export interface DrillWorld {
  url: string;
  stack: Stack;
  /** Between the app and the mail server, and between the app and the storage. */
  mail: ExchangeSkin;
  storage: StorageProxy;
  /** Between the app and the server for outgoing mail of the first mailbox. */
  smtp: OutgoingServer;
  /** Queues an email of the first mailbox, as a reply would be. */
  queueEmail(): Promise<void>;
  receiver: AlertReceiver;
  visitor: Visitor;
  /** Seconds on the app's clock since the world was opened. */
  seconds(): number;
  /** The app's clock. */
  now(): Date;
  /**
   * Advances the app's clock by a minute and runs all its timers; if the timers are dead, only the external
   * check, every fifth minute.
   * @param options `daily`: also run the daily timers; `after`: jump ahead by this many minutes, without
   * running the minutes in between
   */
  minute(options?: { timers?: boolean; daily?: boolean; after?: number }): Promise<void>;
  /** Runs the functions that have a message in their queue, at the present time of the app's clock. */
  runQueued(): Promise<void>;
  /** Subjects of the alert emails. */
  mails(): Promise<string[]>;
  /** How often the queued email has arrived. */
  replies(): Promise<number>;
  /** What the host and the app have logged, newest last. */
  complaints(): readonly string[];
}

/** An access token is refreshed after half its lifetime: with this one, in each minute of a drill. */
const TOKEN_SECONDS = 100;

/**
 * @param appDir the built app
 * @param running everything that was started, to be disposed of at the end, even if the start is
 * interrupted
 */
export async function openDrillWorld(
  appDir: string,
  running: AsyncDisposableStack,
  {
    tokenSeconds = TOKEN_SECONDS,
    ways,
    protocol = 'imap',
  }: {
    tokenSeconds?: number | undefined;
    ways?: readonly string[] | undefined;
    protocol?: 'imap' | 'graph' | undefined;
  } = {},
): Promise<DrillWorld> {
  const otherApp = { id: randomUUID(), name: 'Postroom (other)', secret: 'the-secret-of-the-other-app' };
  const demo = await openDemo({
    app: { dir: appDir },
    stack: {
      // The npm mail server starts fastest; Exchange's responses come from the proxy in front of it.
      mail: 'npm',
      inMemory: true,
      users: [
        { upn: MAILBOX, name: 'Support' },
        { upn: OTHER_MAILBOX, name: 'Welcome' },
        { upn: ON_CALL, name: 'On Call' },
      ],
      otherApps: [otherApp],
      accessTokenSeconds: tokenSeconds,
    },
    running,
  });
  const { stack } = demo;
  const tls = await keepCertificates(join(demo.folder, 'certificates'));
  const mail = await startExchangeSkin({ protocol: 'imap', target: stack.mail.imap, tls });
  running.defer(() => mail.stop());
  const smtp = await startOutgoingServer(stack.mail.smtp, tls);
  running.defer(() => smtp.stop());
  const storage = running.use(await startStorageProxy(stack.storage.connectionString));
  const receiver = running.use(await startAlertReceiver());
  await stack.keyVault.setSecret('alert-webhook-url', receiver.url);
  await stack.keyVault.setSecret('alert-webhook-key', receiver.key);
  const { imap, pop3 } = stack.mail;
  const host = running.use(
    await openDrillHost(
      demo.hostOptions({
        port: stack.ports.web,
        settings: {
          FETCH_SCHEDULE: '0 * * * * *',
          AzureWebJobsStorage: storage.connectionString,
          DataStorage: storage.connectionString,
          ALERT_EMAIL: ON_CALL,
        },
      }),
    ),
  );
  const visitor = await adminAt(host);
  const account = await visitor.connect(MAILBOX, ways);
  const { hostname, port } = new URL(stack.graph.url);
  const server = protocol === 'graph' ? { protocol, host: hostname, port: Number(port) } : mail;
  const mailboxId = await visitor.addMailbox(account, MAILBOX, server, smtp);
  // The steps of an admin: a custom provider has its own redirect URI, which is entered in the app
  // registration before the provider is saved.
  const { location = '' } = await visitor.get('/providers/new?preset=custom');
  const id = new URLSearchParams(location.split('?')[1]).get('id') ?? '';
  const redirectUris = [`${host.url}/oauth/callback/${id}`];
  await stack.identityProvider.control.setApp(otherApp.id, { redirectUris });
  const { authorizeUrl, tokenUrl } = stack.identityProvider.tenant;
  const otherProvider = {
    preset: 'custom',
    id,
    name: 'Other',
    clientId: otherApp.id,
    credential: 'secret',
    secret: otherApp.secret,
    endpoints: 'manual',
    authorizationEndpoint: authorizeUrl,
    tokenEndpoint: tokenUrl,
    imapHost: imap.host,
    smtpHost: stack.mail.smtp.host,
    severalDomains: 'on',
    scopes: [...MAIL_SCOPES, 'openid', 'profile', 'email', 'offline_access'].join(' '),
  };
  const otherAccount = await visitor.connectAt(otherProvider, OTHER_MAILBOX);
  await visitor.addMailbox(otherAccount, OTHER_MAILBOX, imap, stack.mail.smtp);
  const began = performance.now();
  let leapt = 0;
  let minutes = 0;
  const elapsed = (): number => leapt + performance.now() - began;
  const now = (): Date => new Date(Date.now() + leapt);
  async function inboxOf(address: string): Promise<string[]> {
    const accessToken = await stack.identityProvider.control.mintAccessToken({ upn: address });
    return readInbox(pop3, stack.ca, { address, accessToken });
  }
  return {
    url: host.url,
    stack,
    mail,
    storage,
    receiver,
    visitor,
    seconds: () => Math.round(elapsed() / 1000),
    now,
    smtp,
    queueEmail: () => queueReply(stack.storage.connectionString, mailboxId, now()),
    async minute({ timers = true, daily = false, after = 1 } = {}) {
      const looks = looksUntil(minutes);
      minutes += after;
      // The time that the machine needed for the last minute is part of this one.
      const leap = Math.max(0, Math.round(minutes * MINUTE_MS - elapsed()));
      leapt += leap;
      await host.leap(leap, timers ? [...EACH_MINUTE, ...(daily ? EACH_DAY : [])] : []);
      if (looksUntil(minutes) === looks) return;
      const answer = await fetch(`${host.url}/health/ready`);
      await answer.arrayBuffer();
    },
    runQueued: () => host.leap(0, []),
    mails: async () => (await inboxOf(ON_CALL)).map(subjectHeader),
    replies: async () =>
      (await inboxOf(MAILBOX)).filter((raw) => raw.includes(`Message-ID: ${REPLY_ID}`)).length,
    complaints: host.complaints,
  };
}

/** How often the external check ran in the first minutes. */
const looksUntil = (minutes: number): number =>
  Math.floor((minutes + LOOK_EVERY_MINUTES - LOOKS_AT) / LOOK_EVERY_MINUTES);
