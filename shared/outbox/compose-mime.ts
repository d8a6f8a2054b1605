import type { OutgoingMail } from './outgoing-mail.ts';

/** RFC 6838 section 4.2, without parameters. */
const MEDIA_TYPE = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/i;

/** A media type as it may be in a header: one that is not valid becomes `application/octet-stream`. Pure. */
export const sendableType = (contentType: string): string =>
  MEDIA_TYPE.test(contentType) ? contentType : 'application/octet-stream';

/**
 * The MIME form of an email.
 * @param options `withBcc`: with a header for the hidden recipients, where no envelope names them and the server
 * removes it; otherwise nobody reads them in the email
 */
export async function composeMime(
  mail: OutgoingMail,
  { withBcc = false }: { withBcc?: boolean } = {},
): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const answered = mail.references?.at(-1);
  const composer = new MailComposer({
    from: { address: mail.from.address, name: mail.from.name ?? '' },
    to: [...mail.to],
    cc: [...(mail.cc ?? [])],
    ...(withBcc && { bcc: [...(mail.bcc ?? [])] }),
    subject: mail.subject,
    text: mail.text,
    messageId: mail.messageId,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(mail.html !== undefined && { html: mail.html }),
    ...(answered !== undefined && { inReplyTo: answered, references: [...(mail.references ?? [])] }),
    attachments: (mail.attachments ?? []).map(({ filename, contentType, content }) => ({
      filename,
      contentType: sendableType(contentType),
      content: Buffer.from(content),
      contentDisposition: 'attachment' as const,
    })),
    ...(mail.headers !== undefined && { headers: { ...mail.headers } }),
  });
  const email = composer.compile();
  email.keepBcc = withBcc;
  return email.build();
}
