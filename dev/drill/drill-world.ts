import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from '../bench/browser.ts';
import { practicePeople } from '../host/options.ts';
import { keepCertificates } from '../peers/certificates.ts';
import { type ExchangeSkin, startExchangeSkin } from '../peers/mail/exchange-skin.ts';
import { type StorageProxy, startStorageProxy } from '../peers/storage-proxy.ts';
import { type Stack, startStack } from '../stack.ts';
import { type NoticeReceiver, startNoticeReceiver } from './notice-receiver.ts';
import { openDrillHost } from './open-drill-host.ts';

export const MAILBOX = 'support@contoso.example';
const MINUTE_MS = 60_000;
/** The timers of each minute. */
const TIMERS = ['fetchMail', 'sweep'];

/** The built app with one mailbox that works, amid peers that can be broken, on a clock that can be set forward. */
export interface DrillWorld {
  stack: Stack;
  /** Between the app and the mail server, and between the app and the storage. */
  mail: ExchangeSkin;
  storage: StorageProxy;
  receiver: NoticeReceiver;
  browser: Browser;
  /** Seconds on the app's clock since the world was opened. */
  seconds(): number;
  /** A minute on the app's clock, with all that the timers do in it; or, with dead timers, only the look from outside. */
  minute(options?: { timers?: boolean }): Promise<void>;
  /** What the host and the app had to say, newest last. */
  complaints(): readonly string[];
}

/** An access token is renewed when half its life is over: with this one, in each minute of the drill. */
const TOKEN_SECONDS = 100;

/**
 * @param appDir the built app
 * @param running what was started, to be disposed of at the end, also of an interrupted start
 */
export async function openDrillWorld(appDir: string, running: AsyncDisposableStack): Promise<DrillWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-drill-'));
  running.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const stack = await startStack({
    stateDir: folder,
    // The small server starts fastest; what Exchange says comes from the skin before it.
    mail: 'npm',
    inMemory: true,
    users: [{ upn: MAILBOX, name: 'Support' }],
    accessTokenSeconds: TOKEN_SECONDS,
  });
  running.defer(() => stack.stop());
  const tls = keepCertificates(join(folder, 'certificates'));
  const mail = await startExchangeSkin({ protocol: 'imap', target: stack.mail.imap, tls });
  running.defer(() => mail.stop());
  const storage = running.use(await startStorageProxy(stack.storage.connectionString));
  const receiver = running.use(await startNoticeReceiver());
  const host = running.use(
    await openDrillHost({
      appDir,
      port: stack.ports.web,
      settings: {
        FETCH_SCHEDULE: '0 * * * * *',
        ...stack.settings,
        AzureWebJobsStorage: storage.connectionString,
        DataStorage: storage.connectionString,
        NOTICE_WEBHOOK_URL: receiver.url,
        NOTICE_WEBHOOK_KEY: receiver.key,
      },
      stateDir: folder,
      people: practicePeople,
      background: false,
    }),
  );
  const browser = new Browser(host.url);
  await browser.signIn(practicePeople[0]?.id ?? '');
  const account = await browser.connect(MAILBOX, stack.identityProvider.clientId);
  await browser.addMailbox(account, MAILBOX, mail);
  const began = performance.now();
  let leapt = 0;
  return {
    stack,
    mail,
    storage,
    receiver,
    browser,
    seconds: () => Math.round((leapt + performance.now() - began) / 1000),
    async minute({ timers = true } = {}) {
      leapt += MINUTE_MS;
      await host.leap(MINUTE_MS, timers ? TIMERS : []);
      // The standard web test looks from outside.
      const answer = await fetch(`${host.url}/health/ready`);
      await answer.arrayBuffer();
    },
    complaints: host.complaints,
  };
}
