import PostalMime, { type Address, type Email } from 'postal-mime';
import type { EmailFile } from '../../mail/mailbox-files.ts';
import { fingerprint, type OpenMailbox } from './mail-call.ts';

const KEPT = 2000;
const PREVIEW = 255;

/** What Graph shows of an email's text; an email never changes, so it is read once. */
export type MessageFacts = Readonly<Record<string, unknown>> & {
  readonly internetMessageId: string;
  readonly subject: string;
  readonly from: Recipient | undefined;
};

export interface Recipient {
  readonly emailAddress: { readonly name: string; readonly address: string };
}

const kept = new Map<string, MessageFacts>();

/** Undefined: the email is gone. */
export async function factsOf({ files }: OpenMailbox, email: EmailFile): Promise<MessageFacts | undefined> {
  const name = `${files.address}|${email.key}|${email.size}`;
  const known = kept.get(name);
  if (known !== undefined) return known;
  const raw = await files.read(email);
  if (raw === undefined) return undefined;
  const facts = describe(await parse(raw), email);
  kept.set(name, facts);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  return facts;
}

/** An email that is nested too deeply for the library shows its header only. */
async function parse(raw: Buffer): Promise<Email> {
  try {
    return await PostalMime.parse(raw);
  } catch {
    const end = /\r?\n\r?\n/.exec(raw.toString('latin1'))?.index ?? raw.length;
    const header = raw
      .toString('latin1', 0, end)
      .replace(/^content-type:.*(?:\r?\n[ \t].*)*/im, 'X-Left-Out: y');
    return PostalMime.parse(Buffer.from(`${header}\r\n\r\n`, 'latin1'));
  }
}

function describe(email: Email, { key, receivedAt }: EmailFile): MessageFacts {
  const text = email.text ?? '';
  const subject = email.subject ?? '';
  const sent = new Date(email.date ?? receivedAt);
  const first = email.references?.split(/\s+/)[0] ?? email.inReplyTo ?? email.messageId ?? key;
  const sender = email.from === undefined ? undefined : recipients([email.from])[0];
  return {
    sentDateTime: moment(Number.isNaN(sent.getTime()) ? new Date(receivedAt) : sent),
    hasAttachments: email.attachments.some(({ disposition }) => disposition !== 'inline'),
    // Exchange gives an email without a Message-ID one of its own.
    internetMessageId: email.messageId ?? `<${fingerprint(key).slice(0, 32)}@mail.contoso.example>`,
    subject,
    bodyPreview: text.replace(/\s+/g, ' ').trim().slice(0, PREVIEW),
    importance: 'normal',
    conversationId: `AAQkA${fingerprint(first)}=`,
    body:
      email.html === undefined
        ? { contentType: 'text', content: text }
        : { contentType: 'html', content: email.html },
    sender: email.sender === undefined ? sender : recipients([email.sender])[0],
    from: sender,
    toRecipients: recipients(email.to),
    ccRecipients: recipients(email.cc),
    bccRecipients: recipients(email.bcc),
    replyTo: recipients(email.replyTo),
    internetMessageHeaders: email.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
  };
}

/** Groups count as their members. */
function recipients(addresses: readonly Address[] | undefined): Recipient[] {
  return (addresses ?? [])
    .flatMap((one) => (one.group === undefined ? [one] : one.group))
    .map(({ name, address = '' }) => ({ emailAddress: { name: name === '' ? address : name, address } }));
}

/** Graph writes times without milliseconds. */
export const moment = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
