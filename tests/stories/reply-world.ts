/** Mailboxes that read and send, and people with a browser, for the stories of answers. */
import { join } from 'node:path';
import { type ParsedMail, simpleParser } from 'mailparser';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openChromium } from '../../dev/browser.ts';
import { DEMO_DOMAIN, DEMO_USERS } from '../../dev/demo/organization.ts';
import { adminAt } from '../../dev/demo.ts';
import { keepCertificates } from '../../dev/emulators/certificates.ts';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import type { Fault } from '../../dev/emulators/mail/exchange-texts.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { Reader } from '../harness/browser/reader.ts';
import { openPostroom, type Postroom, startFetch } from '../harness/stack/installation.ts';
import { signInToPostroom } from './story-world.ts';

const PICTURES = process.env['POSTROOM_PICTURES'] || undefined;
const PATIENCE_MS = 60_000;

/** Has a mailbox in the demo that Postroom does not fetch. */
export const CUSTOMER = 'sales@contoso.example';

// A mailbox for each story.
const OWNERS = ['orders', 'returns', 'billing', 'service', 'claims'] as const;
export type Owner = (typeof OWNERS)[number];

/** How a mailbox is read and how it sends. */
export type Protocols = 'IMAP and SMTP' | 'Microsoft Graph';

/** How a person uses the pages. */
export type Hand = 'a mouse' | 'the keyboard' | 'the keyboard and no script';

/** A mailbox that Postroom fetches and sends as. */
export interface StoryMailbox {
  address: string;
  /** Delivers an email to it, or waits for one that is on its way, and fetches. */
  receive(raw?: string): Promise<void>;
  /** Emails in one of its folders. */
  emails(folder: string): Promise<ParsedMail[]>;
}

export interface Person {
  reader: Reader;
  page: Page;
  press(what: Locator): Promise<void>;
  /** Replaces what is in the field. */
  type(into: Locator, text: string): Promise<void>;
  /**
   * Checks the page, with a mouse also whether it works without one and without its script. The checks are a script:
   * without one, they cannot run, and others look at the same pages.
   */
  look(name: string): Promise<void>;
  /** Opens the ticket with this subject. */
  openTicket(subject: string): Promise<void>;
  /** Waits for these words on the ticket: with a mouse, the script shows them; the others load the page again. */
  waitFor(words: string | RegExp): Promise<void>;
}

export interface ReplyWorld extends AsyncDisposable {
  postroom: Postroom;
  /** Faults of the SMTP server, which answers as Exchange Online does. */
  smtpFaults: Fault[];
  visit(name: string, hand: Hand): Promise<Person>;
  connect(owner: Owner, over: Protocols): Promise<StoryMailbox>;
  /** Emails with this subject in the mailbox of the customer. */
  received(subject: string): Promise<ParsedMail[]>;
}

/** A reply leaves at once: what undo does is a story of its own. */
export async function openReplyWorld(kind: MailServerKind): Promise<ReplyWorld> {
  const users = [
    ...DEMO_USERS,
    ...OWNERS.map((owner) => ({ upn: `${owner}@${DEMO_DOMAIN}`, name: `The ${owner} team` })),
  ];
  const [browser, postroom] = await Promise.all([openChromium(), openPostroom(kind, { users })]);
  const { demo, mail, graph, ports } = postroom.stack;
  const tls = await keepCertificates(join(postroom.folder, 'certificates'));
  const smtp = await startExchangeSkin({ protocol: 'smtp', target: mail.smtp, tls });
  const world = { ...demo, smtp: { ...demo.smtp, port: smtp.port } };
  const settings = { POSTROOM_DEMO: JSON.stringify(world), UNDO_SEND_SECONDS: '0' };
  const host = await postroom.startHost({ port: ports.web, background: true, settings });
  const visitor = await adminAt(host);

  const emailsOf = async (address: string, folder: string): Promise<ParsedMail[]> => {
    const mailbox = mail.mailbox(address);
    const files = (await mailbox?.emails(folder)) ?? [];
    return Promise.all(files.map(async (file) => simpleParser((await mailbox?.read(file)) ?? '')));
  };
  return {
    postroom,
    smtpFaults: smtp.faults,
    async visit(name, hand) {
      const context = await browser.newContext({
        baseURL: host.url,
        viewport: { width: 1280, height: 900 },
        reducedMotion: 'reduce',
        javaScriptEnabled: hand !== 'the keyboard and no script',
      });
      context.setDefaultTimeout(45_000);
      const page = await context.newPage();
      await signInToPostroom(page, 'alex');
      return personAt(new Reader(page, PICTURES && join(PICTURES, name)), hand);
    },
    async connect(owner, over) {
      const address = `${owner}@${DEMO_DOMAIN}`;
      const overGraph = { host: new URL(graph.url).hostname, port: graph.port };
      const isGraph = over === 'Microsoft Graph';
      const account = await visitor.connect(address, isGraph ? ['graph', 'graph-send'] : undefined);
      const reads = isGraph ? { protocol: 'graph', ...overGraph } : demo.imap;
      const sends = isGraph ? { protocol: 'graph-send', ...overGraph } : world.smtp;
      const id = await visitor.addMailbox(account, address, reads, sends);
      const inbox = async () => (await mail.mailbox(address)?.emails('INBOX')) ?? [];
      let known = (await inbox()).length;
      return {
        address,
        async receive(raw) {
          if (raw !== undefined) await mail.deliver(address, Buffer.from(raw));
          const times = { timeout: PATIENCE_MS, interval: 100 };
          await expect.poll(async () => (await inbox()).length, times).toBeGreaterThan(known);
          await startFetch(host, id, { task: { kind: 'new-mail' } });
          // What is stored in a ticket is marked as read.
          await expect.poll(async () => (await inbox()).every(({ isSeen }) => isSeen), times).toBe(true);
          known = (await inbox()).length;
        },
        emails: (folder) => emailsOf(address, folder),
      };
    },
    async received(subject) {
      return (await emailsOf(CUSTOMER, 'INBOX')).filter((email) => email.subject === subject);
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await smtp.stop();
      await postroom[Symbol.asyncDispose]();
    },
  };
}

function personAt(reader: Reader, hand: Hand): Person {
  const { page } = reader;
  const byMouse = hand === 'a mouse';
  return {
    reader,
    page,
    press: (what) => (byMouse ? reader.click(what) : reader.enter(what)),
    async type(into, text) {
      if (byMouse) return reader.type(into, text);
      await reader.tabTo(into);
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
    },
    async look(name) {
      if (byMouse) await reader.lookClosely(name);
      else if (hand === 'the keyboard') await reader.look(name);
    },
    async openTicket(subject) {
      await page.goto('/tickets');
      const link = page.getByRole('link', { name: subject });
      await (byMouse ? reader.click(link) : reader.enter(link));
      await page.getByRole('heading', { name: 'Reply' }).waitFor();
    },
    async waitFor(words) {
      const found = page.getByText(words).first();
      if (byMouse) return found.waitFor();
      await expect
        .poll(
          async () => {
            await page.reload();
            return found.isVisible();
          },
          { timeout: PATIENCE_MS, interval: 200 },
        )
        .toBe(true);
    },
  };
}

/** An email as it comes over the wire. */
export function letter(headers: Readonly<Record<string, string>>, text: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [...lines, '', text, ''].join('\r\n');
}
