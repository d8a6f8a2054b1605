import { attachmentName } from '../../../shared/tickets/attachment-name.ts';
import { mailDocumentHeaders, noSuchMessage } from '../../../shared/tickets/mail-document.ts';
import type { RemoteImages } from '../../../shared/tickets/mail-html.ts';
import type { StoredMessage } from '../../../shared/tickets/message-records.ts';
import type { Ticket } from '../../../shared/tickets/ticket.ts';
import { fileResponse, plainTextResponse } from '../../http/file-download.ts';
import { recordChange } from '../../http/record-change.ts';
import { type MailContext, mailServices } from './mail-services.ts';

// Our IDs and keys consist of letters, digits, `-` and `_`; other text may not even be a valid table key.
const OWN_ID = /^[\w-]{1,200}$/;

/** A path parameter that has the form of one of our IDs; otherwise undefined. */
export function ownId(c: MailContext, name: 'id' | 'key'): string | undefined {
  const value = c.req.param(name);
  return value !== undefined && OWN_ID.test(value) ? value : undefined;
}

/** The document of a message's frame. */
export async function showBody(c: MailContext): Promise<Response> {
  const found = await findMessage(c);
  const remoteImages: RemoteImages = c.req.query('images') === 'shown' ? 'shown' : 'blocked';
  const headers = mailDocumentHeaders(remoteImages);
  const document =
    found === undefined
      ? undefined
      : await mailServices(c).htmlViewer.show(found.ticket.id, found.message, remoteImages);
  return document === undefined ? c.body(noSuchMessage, 404, headers) : c.body(document, 200, headers);
}

/** The whole text of a message, as plain text. */
export async function showText(c: MailContext): Promise<Response> {
  const found = await findMessage(c);
  if (found === undefined) return c.notFound();
  const { text } = found.message;
  const bytes = text.kind === 'inline' ? once(text.text) : await mailServices(c).blobs.stream(text.blob);
  return bytes === undefined ? c.notFound() : plainTextResponse(c, bytes);
}

/** An attachment, as a file. */
export async function downloadAttachment(c: MailContext): Promise<Response> {
  const found = await findMessage(c);
  const index = c.req.param('index');
  const attachment = found?.message.attachments.find((one) => String(one.index) === index);
  if (attachment === undefined) return c.notFound();
  return download(c, attachment.blob, {
    filename: attachmentName(attachment),
    contentType: attachment.contentType,
  });
}

/** The original message, as a file. */
export async function downloadOriginal(c: MailContext): Promise<Response> {
  const found = await findMessage(c);
  if (found === undefined) return c.notFound();
  const filename = `ticket-${found.ticket.number}-${found.message.key.slice(0, 8)}.eml`;
  await recordChange(c, {
    action: 'original read',
    subject: { kind: 'ticket', id: found.ticket.id, name: `#${found.ticket.number}` },
    after: { file: filename },
  });
  return download(c, found.message.rawBlob, { filename, contentType: 'message/rfc822' });
}

async function download(
  c: MailContext,
  blob: string,
  file: { filename: string | undefined; contentType: string },
): Promise<Response> {
  const bytes = await mailServices(c).blobs.stream(blob);
  return bytes === undefined ? c.notFound() : fileResponse(c, bytes, file);
}

async function findMessage(c: MailContext): Promise<{ ticket: Ticket; message: StoredMessage } | undefined> {
  const [id, key] = [ownId(c, 'id'), ownId(c, 'key')];
  if (id === undefined || key === undefined) return undefined;
  return mailServices(c).tickets.message(id, key);
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
