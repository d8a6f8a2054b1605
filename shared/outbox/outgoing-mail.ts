/** An email to send. Addresses are bare, as in the envelope; the sender's name is separate. */
export interface OutgoingMail {
  from: { address: string; name?: string | undefined };
  to: readonly string[];
  subject: string;
  text: string;
  html?: string | undefined;
  /** `<…@…>`; set by the caller, so that an email sent twice can be recognized. */
  messageId: string;
  /** Further headers, for example `Auto-Submitted`. */
  headers?: Readonly<Record<string, string>> | undefined;
}

const MAX_RECIPIENTS = 100;
const LOCAL_PART = String.raw`[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}`;
const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?`;
const ADDRESS = new RegExp(`^${LOCAL_PART}@(?:${LABEL}\\.)+${LABEL}$`, 'u');
const MESSAGE_ID = /^<[^\s<>]{1,200}@[^\s<>]{1,200}>$/;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,75}$/;
const CONTROL = /\p{Cc}/u;

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
 * Why an email can't be sent as it is, for the log; undefined if it can. Contains nothing of the email.
 */
export function envelopeProblem(mail: OutgoingMail): string | undefined {
  if (!isEnvelopeAddress(mail.from.address)) return 'The sender is not a mail address.';
  if (mail.to.length === 0) return 'There is no recipient.';
  if (mail.to.length > MAX_RECIPIENTS) return `There are more than ${MAX_RECIPIENTS} recipients.`;
  if (!mail.to.every(isEnvelopeAddress)) return 'A recipient is not a mail address.';
  if (!MESSAGE_ID.test(mail.messageId)) return 'The Message-ID is not one.';
  const headers = Object.entries(mail.headers ?? {});
  if (!headers.every(([name]) => HEADER_NAME.test(name))) return 'A header has a name that is not one.';
  const lines = [mail.subject, mail.from.name ?? '', ...headers.map(([, value]) => value)];
  return lines.some((line) => CONTROL.test(line))
    ? 'A header holds a line break or another control character.'
    : undefined;
}
