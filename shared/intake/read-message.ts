import { randomUUID } from 'node:crypto';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { createAttachmentCutter } from '../mime/attachment-cutter.ts';
import { failsAuthentication, ownServerResults } from '../mime/authentication-results.ts';
import { previewOf } from '../mime/normalise-message.ts';
import type { ParsedAttachment, ParsedMessage } from '../mime/parsed-message.ts';
import type { ParserPool } from '../mime/parser-pool.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { SenderRule } from '../senders/sender-rule.ts';
import { shapeOfHtml } from '../tickets/mail-document.ts';
import { ATTACHMENT_ROWS, type Body, type NewMessage } from '../tickets/message-records.ts';
import type { TicketAttachment } from '../tickets/ticket.ts';
import { INLINE_CHARACTERS } from '../tickets/ticket-columns.ts';
import { answersOf } from './answers-of.ts';
import { classify } from './classify.ts';
import { headerBlock, type StoredMail } from './store-raw.ts';
import { type Treatment, treatmentOf } from './treatment.ts';

export type ReadOutcome =
  /** `treatment`: the result of the current settings; absent if the settings are unknown. */
  | { kind: 'message'; message: NewMessage; mail: MessageFacts; treatment?: Treatment | undefined }
  | {
      kind: 'quarantine';
      reason: string;
      from: string | undefined;
      subject: string | undefined;
      messageId?: string | undefined;
    }
  | { kind: 'skip'; reason: string };

/** The facts a decision needs. Bodies and attachments are in storage by then and no longer in memory. */
export type MessageFacts = Omit<ParsedMessage, 'text' | 'html' | 'attachments'>;

export interface ReadDeps {
  blobs: Blobs;
  parser: ParserPool;
  /** The admins' rules for senders; absent: none. */
  senderRules?: (() => Promise<readonly SenderRule[]>) | undefined;
}

/** The mailbox fields that reading needs. */
export type ReadFor = Pick<Mailbox, 'id' | 'host' | 'address' | 'classes'>;

const UPLOADS = 4;
/** Maximum size of a large email after its attachments are cut out, to be read in one piece. */
const READABLE_BYTES = 24 * 1024 * 1024;
/**
 * In emails up to this size, `winmail.dat` and similar files stay in the email
 * to be opened; in larger ones they are cut out.
 */
const OPENABLE_BYTES = 16 * 1024 * 1024;

/**
 * Step 3: cuts out and stores the attachments and reads the rest in the worker. Afterwards everything is in
 * storage.
 * @param patienceMs returns `slow` if reading takes longer; absent: reads to the end, whatever the result
 */
export function readMail(deps: ReadDeps, mailbox: ReadFor, stored: StoredMail): Promise<ReadOutcome>;
export function readMail(
  deps: ReadDeps,
  mailbox: ReadFor,
  stored: StoredMail,
  patienceMs: number | undefined,
): Promise<ReadOutcome | { kind: 'slow' }>;
export async function readMail(
  deps: ReadDeps,
  mailbox: ReadFor,
  stored: StoredMail,
  patienceMs?: number,
): Promise<ReadOutcome | { kind: 'slow' }> {
  const mailboxId = mailbox.id;
  if (stored.oversized && stored.raw !== undefined)
    return quarantined(deps, stored.raw, 'larger than 100 MB: it is still on the mail server, unread');
  const nonce = randomUUID();
  const cut = await cutOut(deps.blobs, `att/${mailboxId}/${stored.key}`, nonce, stored);
  if (cut === 'too-large')
    return quarantined(deps, stored.raw, 'too large to be read: its text alone is larger than 24 MB');
  const outcome = await deps.parser.parse(cut.rest, nonce, {
    owner: mailboxId,
    ...(patienceMs !== undefined && { patienceMs }),
  });
  switch (outcome.kind) {
    case 'mail':
      return messageOutcome(deps, mailbox, stored, outcome.mail, cut);
    case 'not-a-mail':
      return { kind: 'skip', reason: 'not an email' };
    case 'slow':
      return outcome;
    case 'unreadable':
      return quarantined(deps, stored.raw, outcome.reason);
  }
}

async function messageOutcome(
  deps: ReadDeps,
  mailbox: ReadFor,
  stored: StoredMail,
  mail: ParsedMessage,
  cut: CutMail,
): Promise<ReadOutcome> {
  const messageClass = classify(mail, mailbox.address);
  const rules = (await deps.senderRules?.()) ?? [];
  const { text: _text, html: _html, attachments: _attachments, ...facts } = mail;
  return {
    kind: 'message',
    mail: facts,
    message: { ...(await storedMessage(deps, mailbox, stored, mail, cut)), messageClass },
    treatment: treatmentOf({ sender: mail.from?.address, messageClass }, mailbox.classes, rules),
  };
}

/** Sender and subject for the quarantine page, from the headers alone. */
async function quarantined(
  deps: ReadDeps,
  raw: Uint8Array | undefined,
  reason: string,
): Promise<ReadOutcome> {
  const headers = raw === undefined ? undefined : await deps.parser.parse(headerBlock(raw));
  const mail = headers?.kind === 'mail' ? headers.mail : undefined;
  return {
    kind: 'quarantine',
    reason,
    from: mail?.from?.address ?? mail?.fromName,
    subject: mail?.subject,
    messageId: mail?.messageId,
  };
}

interface CutMail {
  /** The email without the bytes of the cut parts. */
  rest: Uint8Array;
  /** Cut number → blob with the bytes. */
  parts: Map<number, { blob: string; size: number }>;
}

async function cutOut(
  blobs: Blobs,
  prefix: string,
  nonce: string,
  stored: StoredMail,
): Promise<CutMail | 'too-large'> {
  if (stored.raw !== undefined) return cutInMemory(blobs, prefix, nonce, stored.raw);
  return cutStreamed(blobs, prefix, nonce, stored);
}

async function cutInMemory(blobs: Blobs, prefix: string, nonce: string, raw: Uint8Array): Promise<CutMail> {
  const cutter = createAttachmentCutter(nonce);
  const rest: Uint8Array[] = [];
  const parts = new Map<number, { blob: string; size: number; bytes: Uint8Array[] }>();
  for (const event of [...cutter.push(raw), ...cutter.end()]) {
    if (event.kind === 'keep') rest.push(event.bytes);
    else if (event.kind === 'begin')
      parts.set(event.cut, { blob: `${prefix}/c${event.cut}`, size: 0, bytes: [] });
    else if (event.kind === 'data') parts.get(event.cut)?.bytes.push(event.bytes);
    else Object.assign(parts.get(event.cut) ?? {}, { size: event.size });
  }
  await mapLimited([...parts.values()], UPLOADS, ({ blob, bytes }) =>
    blobs.putOnce(blob, Buffer.concat(bytes)),
  );
  return { rest: parts.size === 0 ? raw : Buffer.concat(rest), parts };
}

/** Streams a large email from its raw blob into the blobs of its attachments; one part at a time is open. */
async function cutStreamed(
  blobs: Blobs,
  prefix: string,
  nonce: string,
  { rawBlob, size }: Pick<StoredMail, 'rawBlob' | 'size'>,
): Promise<CutMail | 'too-large'> {
  const source = await blobs.stream(rawBlob);
  if (source === undefined) return 'too-large';
  const cutter = createAttachmentCutter(nonce, size <= OPENABLE_BYTES ? 'keep' : 'cut');
  const rest: Uint8Array[] = [];
  let restBytes = 0;
  const parts = new Map<number, { blob: string; size: number }>();
  let open: { writer: PartWriter; cut: number } | undefined;
  try {
    for await (const events of eventsOf(cutter, source)) {
      for (const event of events) {
        if (event.kind === 'keep') {
          restBytes += event.bytes.byteLength;
          if (restBytes <= READABLE_BYTES) rest.push(Uint8Array.from(event.bytes));
        } else if (event.kind === 'begin') {
          open = { writer: new PartWriter(blobs, `${prefix}/c${event.cut}`), cut: event.cut };
        } else if (event.kind === 'data') await open?.writer.write(event.bytes);
        else if (open !== undefined) {
          await open.writer.end();
          parts.set(open.cut, { blob: `${prefix}/c${open.cut}`, size: event.size });
          open = undefined;
        }
      }
    }
  } finally {
    await open?.writer.abandon();
  }
  return restBytes > READABLE_BYTES ? 'too-large' : { rest: Buffer.concat(rest), parts };
}

type CutEvents = ReturnType<ReturnType<typeof createAttachmentCutter>['push']>;

async function* eventsOf(
  cutter: ReturnType<typeof createAttachmentCutter>,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<CutEvents> {
  for await (const chunk of source)
    for (let start = 0; start < chunk.byteLength; start += 65_536)
      yield cutter.push(chunk.subarray(start, start + 65_536));
  yield cutter.end();
}

/** Turns writes into the stream that an upload reads; each write waits until the upload has consumed it. */
class PartWriter {
  readonly #uploaded: Promise<unknown>;
  #failure: { error: unknown } | undefined;
  #chunk: Uint8Array | 'end' | 'abandon' | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(blobs: Blobs, name: string) {
    this.#uploaded = blobs.putOnce(name, this.#chunks()).catch((error: unknown) => {
      this.#failure = { error };
      this.#wakeWriter?.();
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#hand(Uint8Array.from(bytes));
  }

  async end(): Promise<void> {
    await this.#hand('end');
    await this.#uploaded;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends an upload without committing it. */
  async abandon(): Promise<void> {
    if (this.#failure === undefined) await this.#hand('abandon').catch(() => {});
    await this.#uploaded;
  }

  async #hand(next: Uint8Array | 'end' | 'abandon'): Promise<void> {
    while (this.#chunk !== undefined && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#chunk = next;
    this.#wakeReader?.();
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.#chunk === undefined)
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      const chunk = this.#chunk;
      this.#chunk = undefined;
      this.#wakeWriter?.();
      if (chunk === 'end') return;
      if (chunk === 'abandon') throw new Error('the mail could not be read to its end');
      yield chunk;
    }
  }
}

async function storedMessage(
  { blobs }: ReadDeps,
  { id: mailboxId, host }: Pick<Mailbox, 'id' | 'host'>,
  stored: StoredMail,
  mail: ParsedMessage,
  cut: CutMail,
): Promise<NewMessage> {
  const attachments = await mapLimited(mail.attachments, UPLOADS, (each) =>
    storedAttachment(blobs, `att/${mailboxId}/${stored.key}`, each, cut),
  );
  const body = `body/${mailboxId}/${stored.key}`;
  const manifestBlob = attachments.length > ATTACHMENT_ROWS ? `${body}/attachments` : undefined;
  if (manifestBlob !== undefined) await blobs.putOnce(manifestBlob, Buffer.from(JSON.stringify(attachments)));
  const [text, html] = await Promise.all([
    storedBody(blobs, `${body}/text`, mail.text),
    mail.html === undefined ? undefined : storedBody(blobs, `${body}/html`, mail.html),
  ]);
  return {
    key: stored.key,
    at: stored.receivedAt,
    sentAt: mail.date,
    from: { name: mail.from?.name ?? mail.fromName, address: mail.from?.address },
    to: mail.to,
    cc: mail.cc,
    replyTo: mail.replyTo.length === 0 ? undefined : mail.replyTo,
    subject: mail.subject,
    messageId: mail.messageId,
    answers: answersOf(mail),
    notes: [...mail.notes, ...stored.notes],
    rawBlob: stored.rawBlob,
    attachments,
    text,
    html,
    htmlShape: html?.kind === 'blob' ? shapeOfHtml(mail.html ?? '') : undefined,
    preview: previewOf(mail),
    manifestBlob,
    authentication: authenticationOf(mail, host),
    encryption: mail.encryption,
    invitation: mail.invitation,
  };
}

/** The verdict of the mailbox's own server about the sender; undefined if there is none. */
function authenticationOf(mail: ParsedMessage, imapHost: string): NewMessage['authentication'] {
  const results = ownServerResults(mail.authentication, imapHost);
  if (results === undefined) return undefined;
  const { spf, dkim, dmarc } = results;
  return { spf, dkim, dmarc, fails: failsAuthentication(results, mail.from?.address) };
}

async function storedAttachment(
  blobs: Blobs,
  prefix: string,
  attachment: ParsedAttachment,
  cut: CutMail,
): Promise<TicketAttachment> {
  const { index, filename, contentType, contentId, inline } = attachment;
  const part = attachment.cut === undefined ? undefined : cut.parts.get(attachment.cut);
  if (part !== undefined) return { index, filename, contentType, contentId, inline, ...part };
  const blob = `${prefix}/${index}`;
  const content = attachment.content ?? new Uint8Array();
  await blobs.putOnce(blob, content);
  return { index, filename, contentType, contentId, inline, blob, size: content.byteLength };
}

async function storedBody(blobs: Blobs, blob: string, text: string): Promise<Body> {
  if (text.length <= INLINE_CHARACTERS) return { kind: 'inline', text };
  await blobs.putOnce(blob, Buffer.from(text));
  return { kind: 'blob', blob };
}
