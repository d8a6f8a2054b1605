import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { Body } from '../tickets/message-records.ts';
import type { OutboxMessage } from './outbox-message.ts';
import type { OutgoingMail } from './outgoing-mail.ts';

const READS = 4;

/**
 * The email as it leaves, with its texts and attachments in memory.
 * @returns undefined when a blob of it is missing
 */
export async function loadMail(
  blobs: Pick<Blobs, 'read'>,
  message: OutboxMessage,
): Promise<OutgoingMail | undefined> {
  const readBody = async (body: Body): Promise<string | undefined> => {
    if (body.kind === 'inline') return body.text;
    const bytes = await blobs.read(body.blob);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  };
  const { from, to, cc, bcc, subject, messageId, references, headers } = message;
  const text = await readBody(message.text);
  const html = message.html === undefined ? undefined : await readBody(message.html);
  const attachments = await mapLimited(message.attachments, READS, async (attachment) => ({
    ...attachment,
    content: await blobs.read(attachment.blob),
  }));
  const complete = attachments.flatMap(({ filename, contentType, content }) =>
    content === undefined ? [] : [{ filename, contentType, content }],
  );
  const isMissing =
    text === undefined ||
    (html === undefined && message.html !== undefined) ||
    complete.length < attachments.length;
  if (isMissing) return undefined;
  return { from, to, cc, bcc, subject, text, html, messageId, references, headers, attachments: complete };
}
