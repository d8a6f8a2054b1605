/** An email that is to leave. Addresses are bare, as the envelope carries them; a name stands beside the sender's. */
export interface OutgoingMail {
  from: { address: string; name?: string | undefined };
  to: readonly string[];
  subject: string;
  text: string;
  html?: string | undefined;
  /** `<…@…>`; made by the caller, so that an email sent twice is known again. */
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
 * True for what may stand in an envelope: no name, no quotes, nothing that ends a command (RFC 5321 section 4.1.2). A
 * local part in other letters is allowed (RFC 6531), one that becomes another text when it is normalised is not: what
 * looks like `ａdmin` or hides a `＠` is the address of somebody else for the next server.
 */
export const isEnvelopeAddress = (text: string): boolean => {
  const local = text.slice(0, text.lastIndexOf('@'));
  return text.length <= 254 && ADDRESS.test(text) && local.normalize('NFKC') === local.normalize('NFC');
};

/** Why an email may not leave as it is, for the log; undefined when it may. Nothing of the mail itself is in the sentence. */
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
