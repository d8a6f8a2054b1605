import { domainToASCII } from 'node:url';

/** An email to send. Addresses are bare, as in the envelope; the sender's name is separate. */
export interface OutgoingMail {
  from: { address: string; name?: string | undefined };
  to: readonly string[];
  cc?: readonly string[] | undefined;
  /** In the envelope only. */
  bcc?: readonly string[] | undefined;
  subject: string;
  text: string;
  html?: string | undefined;
  /** `<…@…>`; set by the caller, so that an email sent twice can be recognized. */
  messageId: string;
  /** Message-IDs of the conversation, oldest first; the last one is replied to. */
  references?: readonly string[] | undefined;
  attachments?: readonly OutgoingAttachment[] | undefined;
  /** Further headers, for example `Auto-Submitted`. */
  headers?: Readonly<Record<string, string>> | undefined;
}

export interface OutgoingAttachment {
  filename: string;
  /** A media type; one that is not valid is sent as `application/octet-stream`. */
  contentType: string;
  content: Uint8Array;
}

const MAX_RECIPIENTS = 100;
const LOCAL_PART = String.raw`[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}`;
const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?`;
const ADDRESS = new RegExp(`^${LOCAL_PART}@(?:${LABEL}\\.)+${LABEL}$`, 'u');
const MESSAGE_ID = /^<[^\s<>]{1,200}@[^\s<>]{1,200}>$/;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,75}$/;
/** Also the separators that some programs take for the end of a line. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * True for an address that is safe in an envelope: no name, no quotes, nothing that ends a command (RFC
 * 5321 section 4.1.2). Non-ASCII local parts are allowed (RFC 6531), unless normalization changes them:
 * `ａdmin` or a hidden `＠` would be another person's address for the next server.
 */
export const isEnvelopeAddress = (text: string): boolean => {
  const local = text.slice(0, text.lastIndexOf('@'));
  return text.length <= 254 && ADDRESS.test(text) && local.normalize('NFKC') === local.normalize('NFC');
};

/**
 * An address as SMTP takes it everywhere: `kim@müller.example` with its domain in ASCII (RFC 5890). Unchanged if the
 * part before the @ is not ASCII either: that takes SMTPUTF8 (RFC 6531), to which such a domain belongs.
 */
export function wireAddress(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const [local, domain] = [address.slice(0, at), address.slice(at)];
  return isAscii(domain) || !isAscii(local) ? address : local + (domainToASCII(domain) || domain);
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Everyone who gets the email, once. */
export const recipientsOf = ({
  to,
  cc = [],
  bcc = [],
}: Pick<OutgoingMail, 'to' | 'cc' | 'bcc'>): string[] => [
  ...new Map([...to, ...cc, ...bcc].map((address) => [address.toLowerCase(), address])).values(),
];

/**
 * Why an email can't be sent as it is, for the log; undefined if it can. Contains nothing of the email.
 */
export function envelopeProblem(mail: OutgoingMail): string | undefined {
  if (!isEnvelopeAddress(mail.from.address)) return 'The sender is not a mail address.';
  const recipients = recipientsOf(mail);
  if (recipients.length === 0) return 'There is no recipient.';
  if (recipients.length > MAX_RECIPIENTS) return `There are more than ${MAX_RECIPIENTS} recipients.`;
  if (!recipients.every(isEnvelopeAddress)) return 'A recipient is not a mail address.';
  if (!MESSAGE_ID.test(mail.messageId)) return 'The Message-ID is not one.';
  if (!(mail.references ?? []).every((id) => MESSAGE_ID.test(id)))
    return 'A Message-ID that it replies to is not one.';
  const headers = Object.entries(mail.headers ?? {});
  if (!headers.every(([name]) => HEADER_NAME.test(name))) return 'A header has a name that is not one.';
  const files = (mail.attachments ?? []).map(({ filename }) => filename);
  const lines = [mail.subject, mail.from.name ?? '', ...files, ...headers.map(([, value]) => value)];
  return lines.some((line) => CONTROL.test(line))
    ? 'A header holds a line break or another control character.'
    : undefined;
}
