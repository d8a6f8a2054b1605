import { randomUUID } from 'node:crypto';
import type { EmailFile, MailboxFiles } from '../../mail/mailbox-files.ts';
import { GraphError } from '../graph-error.ts';
import { DRAFTS } from './folders.ts';
import {
  badMailRequest,
  jsonOf,
  type MailCall,
  type MailReply,
  noSegment,
  type OpenMailbox,
  wrongMailMethod,
} from './mail-call.ts';
import { itemNotFound } from './mail-ids.ts';
import { dispatch, isMime, mimeOf, tooLarge } from './send-mail.ts';
import { createSession } from './upload-sessions.ts';

export interface DraftAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** Attachments that were added to a draft, by the draft; in memory. */
export type DraftAttachments = Map<string, DraftAttachment[]>;

const MB = 1024 * 1024;
/** Microsoft: "Attach large files to Outlook messages or events": below it one POST, above it an upload session. */
const SMALLEST_UPLOAD = 3 * MB;
/** Microsoft: "Exchange Online limits", message size limit by default; base64 counts. */
const LARGEST_MESSAGE = 35 * MB;

const placeOf = ({ address }: MailboxFiles, { key }: EmailFile): string => `${address}|${key}`;

/**
 * POST `messages` with MIME: saves it in Drafts (Microsoft: "Create message").
 * @throws GraphError 400 for JSON, which the emulator does not read; 413
 */
export async function createDraft({ files, world }: OpenMailbox, call: MailCall): Promise<EmailFile> {
  if (!isMime(call)) throw badMailRequest('The emulator makes drafts from MIME (text/plain) only.');
  const key = await files.add(DRAFTS, mimeOf(call), { receivedAt: world.now(), isSeen: true });
  const draft = await files.find(key, DRAFTS);
  if (draft === undefined) throw itemNotFound();
  return draft;
}

/** `messages/{id}/attachments` and `createUploadSession` below it. */
export function answerAttachments(
  mailbox: OpenMailbox,
  call: MailCall,
  draft: EmailFile,
  [action, ...rest]: readonly string[],
): MailReply {
  if (rest.length > 0) throw noSegment(rest[0] ?? '');
  if (call.method !== 'POST') throw wrongMailMethod();
  if (draft.folder !== DRAFTS) throw badMailRequest('The emulator attaches files to drafts only.');
  if (action === undefined) return attachSmall(mailbox, call, draft);
  if (action.replace(/^microsoft\.graph\./, '') !== 'createUploadSession') throw noSegment(action);
  const item = jsonOf(call)['AttachmentItem'] as Record<string, unknown> | undefined;
  const { attachmentType, name, size, contentType } = item ?? {};
  if (attachmentType !== 'file' || typeof name !== 'string' || typeof size !== 'number')
    throw badMailRequest("The parameter 'AttachmentItem' is missing or invalid.");
  if (size < SMALLEST_UPLOAD)
    throw new GraphError(
      400,
      'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize',
      'Attachment size must be greater than the minimum size.',
    );
  refuseTooMuch(mailbox, draft, size);
  return createSession(mailbox.world, mailbox.user, {
    draft: draft.key,
    size,
    finish: (content) =>
      attach(mailbox, draft, {
        name,
        contentType: String(contentType ?? 'application/octet-stream'),
        content,
      }),
  });
}

/** Microsoft: "Add attachment": a file below 3 MB, as JSON. */
function attachSmall(mailbox: OpenMailbox, call: MailCall, draft: EmailFile): MailReply {
  const input = jsonOf(call);
  const { name, contentBytes, contentType } = input;
  if (input['@odata.type'] !== '#microsoft.graph.fileAttachment')
    throw badMailRequest('The emulator attaches files only.');
  if (typeof name !== 'string' || typeof contentBytes !== 'string')
    throw badMailRequest('The properties name and contentBytes are required.');
  const content = Buffer.from(contentBytes, 'base64');
  if (content.length >= SMALLEST_UPLOAD) throw tooLarge();
  refuseTooMuch(mailbox, draft, content.length);
  attach(mailbox, draft, { name, contentType: String(contentType ?? 'application/octet-stream'), content });
  return {
    status: 201,
    body: { '@odata.type': '#microsoft.graph.fileAttachment', name, size: content.length },
  };
}

function attach({ files, world }: OpenMailbox, draft: EmailFile, file: DraftAttachment): void {
  const place = placeOf(files, draft);
  world.attachments.set(place, [...(world.attachments.get(place) ?? []), file]);
}

function refuseTooMuch({ files, world }: OpenMailbox, draft: EmailFile, more: number): void {
  const attached = world.attachments.get(placeOf(files, draft)) ?? [];
  const bytes = attached.reduce((sum, { content }) => sum + content.length, more);
  // Base64 with a line break after 76 characters.
  if (draft.size + (bytes * 4 * 78) / (3 * 76) > LARGEST_MESSAGE) throw tooLarge();
}

/** POST `messages/{id}/send` (Microsoft: "message: send"): the draft leaves Drafts. */
export async function sendDraft(mailbox: OpenMailbox, call: MailCall, draft: EmailFile): Promise<MailReply> {
  const { files, world } = mailbox;
  if (draft.folder !== DRAFTS) throw badMailRequest('The emulator sends drafts only.');
  const raw = await files.read(draft);
  if (raw === undefined) throw itemNotFound();
  const place = placeOf(files, draft);
  const reply = await dispatch(
    mailbox,
    call.caller,
    withAttachments(raw, world.attachments.get(place) ?? []),
  );
  await files.remove(draft);
  world.attachments.delete(place);
  return reply;
}

/** The email as the first part of another, with the files after it (RFC 2046 section 5.1.3). */
function withAttachments(raw: Buffer, files: readonly DraftAttachment[]): Buffer {
  if (files.length === 0) return raw;
  const text = raw.toString('latin1').replace(/\r?\n/g, '\r\n');
  const end = text.indexOf('\r\n\r\n');
  const fields = text.slice(0, end).split(/\r\n(?![ \t])/);
  const isOfContent = (field: string): boolean => /^content-/i.test(field);
  const boundary = `=_${randomUUID()}`;
  const top = [
    ...fields.filter((field) => !isOfContent(field)),
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
  ];
  const parts = [`${fields.filter(isOfContent).join('\r\n')}${text.slice(end)}`, ...files.map(partOf)];
  const body = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('');
  return Buffer.from(`${top.join('\r\n')}\r\n\r\n${body}--${boundary}--\r\n`, 'latin1');
}

function partOf({ name, contentType, content }: DraftAttachment): string {
  // RFC 2231.
  const named = `filename*=utf-8''${encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`;
  return [
    `Content-Type: ${contentType}`,
    `Content-Disposition: attachment; ${named}`,
    'Content-Transfer-Encoding: base64',
    '',
    content.toString('base64').replace(/.{76}/g, '$&\r\n'),
  ].join('\r\n');
}
