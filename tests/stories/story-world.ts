import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openChromium } from '../../dev/browser.ts';
import { DEMO_DOMAIN, DEMO_USERS, type DemoUser } from '../../dev/demo/organization.ts';
import { keepCertificates } from '../../dev/emulators/certificates.ts';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import type { Fault } from '../../dev/emulators/mail/exchange-texts.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { Reader } from '../harness/browser/reader.ts';
import { fetchOnce, openPostroom, type Postroom } from '../harness/stack/installation.ts';

/** Folder for pictures of all pages, for people who want to see them. */
const PICTURES = process.env['POSTROOM_PICTURES'] || undefined;

// A separate mailbox for each story, so that they do not interfere.
const OWNERS = [
  'orders',
  'returns',
  'billing',
  'events',
  'press',
  'jobs',
  'legal',
  'service',
  'hello',
  'keys',
  'tests',
  'office',
  'welcome',
  'claims',
  'alerts',
] as const;

export type Owner = (typeof OWNERS)[number];
export const addressOf = (name: Owner | 'support' | 'sales' | 'info' | 'sam'): string =>
  `${name}@${DEMO_DOMAIN}`;

const users: readonly DemoUser[] = [
  ...DEMO_USERS,
  ...OWNERS.map((owner) => ({ upn: addressOf(owner), name: `${owner} installation` })),
];

/** The built app in its own demo, and a browser for it. */
export interface StoryWorld extends AsyncDisposable {
  postroom: Postroom;
  host: HostProcess;
  /** What the IMAP server does, if it answers as Exchange Online does; see `faults` of exchange-texts.ts. */
  imapFaults: Fault[];
  /** A person with a separate browser, signed in to Postroom or not. `name` is the folder of the pictures. */
  visit(name: string, who: 'alex' | 'sam' | 'nobody', options?: BrowserContextOptions): Promise<Reader>;
  /** Browsers are closed, and the identity provider is reset to its initial state. */
  reset(): Promise<void>;
  /** All accounts that have signed in under this name, at any provider. */
  accountsOf(user: string): Promise<Account[]>;
  /** One complete fetch by a fresh process. Throws with the mailbox's failure when it fails. */
  fetch(address: string): Promise<void>;
  /** Starts a process that runs the queue functions; no timer runs there. Its owner stops it. */
  startWorker(): Promise<HostProcess>;
  /** Ages an account's access token by an hour: the next fetch of a fresh process refreshes it. */
  age(user: string): Promise<void>;
}

/** @param options `asExchange`: IMAP answers as Exchange Online does, and faults can be injected */
export async function openStoryWorld({ asExchange = false } = {}): Promise<StoryWorld> {
  const [browser, postroom] = await Promise.all([openChromium(), openPostroom('npm', { users })]);
  const { demo, mail } = postroom.stack;
  const tls = await keepCertificates(join(postroom.folder, 'certificates'));
  const exchange = asExchange
    ? await startExchangeSkin({ protocol: 'imap', target: mail.imap, tls })
    : undefined;
  const imap = exchange === undefined ? demo.imap : { ...demo.imap, port: exchange.port };
  // The input of a newcomer in the Microsoft 365 form is resolved in this demo as well.
  const settings = { POSTROOM_DEMO: JSON.stringify({ ...demo, imap, asMicrosoft: true }) };
  const host = await postroom.startHost({ port: postroom.stack.ports.web, settings });
  const { control, clientId, clientSecret } = postroom.stack.identityProvider;
  const accounts = createAccountStore(postroom.tables);
  const providers = createProviderStore(postroom.tables);
  const mailboxes = createMailboxStore(postroom.tables);
  const accountsOf = async (user: string): Promise<Account[]> => {
    const all = await Promise.all((await providers.list()).map(({ id }) => accounts.listOf(id)));
    return all.flat().filter((account) => account.user === user);
  };
  return {
    postroom,
    host,
    imapFaults: exchange?.faults ?? [],
    async visit(name, who, options = {}) {
      const page = await newPage(browser, { baseURL: host.url, ...options });
      if (who !== 'nobody') await signInToPostroom(page, who);
      return new Reader(page, PICTURES && join(PICTURES, name));
    },
    async reset() {
      await Promise.all(browser.contexts().map((context) => context.close()));
      await control.clearFaults();
      await control.setTenant(DEMO_DOMAIN, { userConsent: true });
      await control.setApp(clientId, {
        secrets: [{ value: clientSecret }],
        redirectUris: [`${host.url}/oauth/callback`],
        adminConsented: false,
      });
    },
    accountsOf,
    async fetch(address) {
      const mailbox = (await mailboxes.list()).find((one) => one.address === address);
      if (mailbox === undefined) throw new Error(`${address} is not connected.`);
      const worker = await postroom.startHost({ settings });
      try {
        await fetchOnce(postroom, worker, mailbox.id);
      } finally {
        await worker.stop();
      }
    },
    startWorker: () => postroom.startHost({ settings, background: true }),
    async age(user) {
      const past = new Date(Date.now() - 1000).toISOString();
      for (const account of await accountsOf(user))
        await accounts.save({
          ...account,
          tokens: { ...account.tokens, accessExpiresAt: past, refreshAt: past },
        });
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await exchange?.stop();
      await postroom[Symbol.asyncDispose]();
    },
  };
}

async function newPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    // Colors in transition from light to dark have the contrast of neither.
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(45_000);
  return context.newPage();
}

/** With the demo sign-in page, as a person does. */
export async function signInToPostroom(page: Page, who: 'alex' | 'sam'): Promise<void> {
  await page.goto('/.auth/login/aad');
  await page.getByRole('button', { name: who === 'alex' ? /Alex Admin/ : /Sam Support/ }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/.auth'));
}
