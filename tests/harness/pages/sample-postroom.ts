import type { MailServices } from '../../../functions/pages/tickets/mail-services.ts';
import { type Services, servicesOn } from '../../../functions/services.ts';
import { createWeb } from '../../../functions/web.ts';
import { type AuditStore, createAuditStore } from '../../../shared/audit/audit-store.ts';
import { createQuarantineStore, type QuarantineStore } from '../../../shared/intake/quarantine-store.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { createMailboxStore, type MailboxStore } from '../../../shared/mailboxes/mailbox-store.ts';
import type { Blobs } from '../../../shared/platform/blobs.ts';
import { parseConfig } from '../../../shared/platform/config.ts';
import type { Seam } from '../../../shared/platform/seam.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { createProviderStore, type ProviderStore } from '../../../shared/providers/provider-store.ts';
import { appendMessages } from '../../../shared/tickets/append-messages.ts';
import { shapeOfHtml } from '../../../shared/tickets/mail-document.ts';
import type { Body, NewMessage } from '../../../shared/tickets/message-records.ts';
import type { Person, Ticket, TicketAttachment } from '../../../shared/tickets/ticket.ts';
import { writeIndexes } from '../../../shared/tickets/ticket-indexes.ts';
import { reserveNumbers } from '../../../shared/tickets/ticket-numbers.ts';
import { createTicketStore, type TicketStore } from '../../../shared/tickets/ticket-store.ts';
import { MemoryBlobs } from '../memory/memory-blobs.ts';
import { MemoryQueues } from '../memory/memory-queues.ts';
import { MemoryTables } from '../memory/memory-tables.ts';
import { MemoryVault } from '../memory/memory-vault.ts';
import { principalHeaderOf, signedInSettings } from './principal-header.ts';

export const NOW = Date.parse('2026-11-24T10:00:00Z');
export const origin = 'https://desk.example';

const clock: Seam = { call: (_point, effect) => effect(), now: () => NOW };
/** ISO time this many minutes before the sample's now. */
export const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

/** The pages over real stores in memory, and test data of all kinds. */
export interface SamplePostroom {
  ask(path: string, init?: RequestInit & { role?: 'admin' | 'agent' }): Promise<Response>;
  audit: AuditStore;
  tickets: TicketStore;
  quarantine: QuarantineStore;
  mailboxes: MailboxStore;
  providers: ProviderStore;
  blobs: MemoryBlobs;
  /** Everything else that the pages work with. */
  services: Services;
  /** Files an email as the intake does; returns the ticket's ID. */
  file(mail: SampleMail, ...replies: SampleMail[]): Promise<string>;
  mailbox(changes?: Partial<Mailbox>): Promise<Mailbox>;
}

export interface SampleMail {
  from?: Person;
  to?: Person[];
  cc?: Person[];
  replyTo?: Person[];
  subject?: string;
  text?: string;
  html?: string;
  /** The text is in a blob, as the intake does with long ones. */
  textInBlob?: boolean;
  /** The HTML is in a blob, as the intake does with long ones. */
  htmlInBlob?: boolean;
  minutesAgo?: number;
  notes?: string[];
  files?: { filename?: string | undefined; contentType: string; contentId?: string; bytes: Uint8Array }[];
  follows?: Ticket['follows'];
  authentication?: NewMessage['authentication'];
  folded?: string;
  encryption?: NewMessage['encryption'];
  invitation?: NewMessage['invitation'];
  messageClass?: NewMessage['messageClass'];
}

/** @param address empty: the sign-in states none */
export function principalHeader(
  role: 'admin' | 'agent',
  name = 'Mira Sund',
  address = `${name.toLowerCase().replaceAll(' ', '.')}@contoso.example`,
): Record<string, string> {
  const header = principalHeaderOf([
    ['oid', '11111111-2222-4333-8444-555555555555'],
    ['name', name],
    ...(address === '' ? [] : [['preferred_username', address] as const]),
    ['roles', role],
  ]);
  return { 'x-ms-client-principal': header };
}

export function samplePostroom(): SamplePostroom {
  const tables = new MemoryTables(clock);
  const blobs = new MemoryBlobs(clock);
  const stores = {
    audit: createAuditStore(tables),
    tickets: createTicketStore({ tables, blobs }),
    quarantine: createQuarantineStore({ tables }),
    mailboxes: createMailboxStore(tables),
    providers: createProviderStore(tables),
  };
  const config = parseConfig({
    DataStorage: 'UseDevelopmentStorage=true',
    KEY_VAULT_URI: 'https://vault.example',
    PUBLIC_URL: origin,
    ...signedInSettings,
  });
  const services: Services & MailServices = {
    ...servicesOn({
      config,
      seam: clock,
      tables,
      blobs,
      queues: new MemoryQueues(clock),
      vault: new MemoryVault(clock),
    }),
    ...stores,
  };
  const web = createWeb(() => services);
  let filed = 0;
  return {
    ...stores,
    blobs,
    services,
    async ask(path, { role = 'agent', ...init } = {}) {
      const headers = { ...principalHeader(role), 'sec-fetch-site': 'same-origin' };
      return web.request(origin + path, { headers, ...init });
    },
    async file(...mails) {
      filed += 1;
      const [first] = mails;
      const filing = {
        ticketId: `t${String(filed).padStart(6, '0')}`,
        number: await reserveNumbers(tables, [`t${String(filed).padStart(6, '0')}`]),
        mailboxId: 'support',
        follows: first?.follows,
        opens: true,
        messages: await Promise.all(mails.map((mail, place) => newMessage(mail, `${filed}`, place, blobs))),
      };
      const done = await appendMessages(tables, filing);
      await writeIndexes(tables, filing.mailboxId, [done]);
      return filing.ticketId;
    },
    async mailbox(changes = {}) {
      const mailbox = { ...sampleMailbox, ...changes };
      await stores.mailboxes.save(mailbox);
      return mailbox;
    },
  };
}

export const sampleProvider: Provider = {
  id: 'p1',
  name: 'Contoso',
  state: 'ready',
  preset: 'custom',
  cloud: 'worldwide',
  tenant: undefined,
  clientId: 'c1',
  credential: {
    kind: 'secret',
    vaultName: 'provider-p1',
    version: '1',
    setAt: ago(9),
    expiresOn: ago(-90_000),
  },
  nextCredential: undefined,
  retired: [],
  endpoints: { kind: 'discovery', issuer: 'https://login.example' },
  scopes: [],
  createdAt: ago(9),
  changedAt: ago(9),
};

const sampleMailbox: Mailbox = {
  id: 'support',
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'outlook.office365.com',
  port: 993,
  folder: 'INBOX',
  providerId: 'p1',
  accountId: 'a1',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: ago(60 * 24 * 30),
};

/** A message as the intake passes it on, with its bytes in the blobs. */
export async function newMessage(
  mail: SampleMail,
  ticket: string,
  place: number,
  blobs: Pick<Blobs, 'putOnce'>,
): Promise<NewMessage> {
  const key = Buffer.from(`${ticket}/${place}`).toString('hex').padEnd(64, '0');
  const rawBlob = `raw/support/${ticket}-${place}.eml`;
  const subject = mail.subject ?? 'Cannot print';
  const text = mail.text ?? 'The printer says no.';
  await blobs.putOnce(rawBlob, Buffer.from(`Subject: ${subject}\r\n\r\n${text}\r\n`));
  const attachments = await Promise.all(
    (mail.files ?? []).map(async (file, index): Promise<TicketAttachment> => {
      const blob = `att/support/${key}/${index}`;
      await blobs.putOnce(blob, file.bytes);
      const { filename, contentType, contentId, bytes } = file;
      return {
        index,
        filename,
        contentType,
        contentId,
        inline: contentId !== undefined,
        size: bytes.byteLength,
        blob,
      };
    }),
  );
  return {
    key,
    at: ago(mail.minutesAgo ?? 30),
    sentAt: ago((mail.minutesAgo ?? 30) + 1),
    from: mail.from ?? { name: 'Ada Byron', address: 'ada@fabrikam.example' },
    to: mail.to ?? [{ name: undefined, address: 'support@contoso.example' }],
    cc: mail.cc ?? [],
    replyTo: mail.replyTo,
    subject,
    messageId: `<${key.slice(0, 8)}@fabrikam.example>`,
    text: await bodyOf({ body: text, inBlob: mail.textInBlob }, `text/${ticket}/${place}`, blobs),
    html:
      mail.html === undefined
        ? undefined
        : await bodyOf({ body: mail.html, inBlob: mail.htmlInBlob }, `html/${ticket}/${place}`, blobs),
    htmlShape: mail.htmlInBlob === true ? shapeOfHtml(mail.html ?? '') : undefined,
    authentication: mail.authentication,
    folded: mail.folded,
    encryption: mail.encryption,
    invitation: mail.invitation,
    messageClass: mail.messageClass,
    preview: text.replace(/\s+/g, ' ').slice(0, 200),
    notes: mail.notes ?? [],
    rawBlob,
    attachments,
    manifestBlob: undefined,
  };
}

async function bodyOf(
  { body, inBlob }: { body: string; inBlob: boolean | undefined },
  blob: string,
  blobs: Pick<Blobs, 'putOnce'>,
): Promise<Body> {
  if (inBlob !== true) return { kind: 'inline', text: body };
  await blobs.putOnce(blob, Buffer.from(body));
  return { kind: 'blob', blob };
}
