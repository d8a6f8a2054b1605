/** Whether an email is acknowledged, from its own marks and the mailbox's settings (RFC 3834 section 2). Pure. */
import { isOwnAddress } from '../mailboxes/own-address.ts';
import type { MessageClass } from '../message-class/message-class.ts';
import type { Address, AutomaticMarks } from '../mime/parsed-message.ts';
import { isMachineAddress, isNoReplyAddress } from './machine-addresses.ts';

/** What the decision needs to know about an email that became a message. */
export interface ArrivedMail {
  from: Address | undefined;
  replyTo: readonly Address[];
  subject: string;
  automatic: AutomaticMarks;
  messageClass: MessageClass;
  /** ISO time at which the mail server received it. */
  receivedAt: string;
  /** False: it joined a ticket. */
  opensTicket: boolean;
  /** The receiving server's verdict: it does not come from the sender that it names. */
  failsAuthentication: boolean;
  /** Its Message-ID is one of ours. */
  isOwn: boolean;
  /** Found by the first fetch of the mailbox, which imports what was there before Postroom. */
  isFirstFetch: boolean;
}

export interface AcknowledgingMailbox {
  /** False: acknowledgements are switched off. */
  acknowledges: boolean;
  /** Lower-case addresses of all our mailboxes, this one too. */
  ownAddresses: ReadonlySet<string>;
}

/**
 * Older email is imported after an outage. Its sender has asked again by other ways, and an acknowledgement would
 * only say how late it is.
 */
export const MAX_AGE_HOURS = 24;
const HOUR_MS = 3_600_000;

/** Why no acknowledgement is sent, for the timeline of the ticket. */
export const silenceReasons = {
  off: 'Acknowledgements are switched off for this mailbox.',
  'not-new': 'The message joined a ticket. Only the first message of a ticket is acknowledged.',
  'first-fetch': 'The message was in the mailbox before Postroom fetched it for the first time.',
  old: `The message was more than ${MAX_AGE_HOURS} hours old when it was fetched.`,
  'no-address': 'The message has no valid sender address.',
  own: 'Postroom sent the message itself.',
  'own-address': 'The sender is one of Postroom’s own mailboxes.',
  'auto-submitted': 'The message says that a program sent it (Auto-Submitted).',
  'empty-return-path': 'The message has an empty return path and must not be answered automatically.',
  report: 'The message is a delivery or read report.',
  precedence: 'The message says that it is bulk mail or an automatic reply (Precedence).',
  list: 'The message came through a mailing list.',
  suppressed: 'The sender asks for no automatic replies (X-Auto-Response-Suppress).',
  responder: 'The message says that an auto-responder sent it.',
  'machine-address': 'The sender is the address of a program.',
  'no-reply': 'The sender’s address takes no replies.',
  automatic: 'The message was recognized as automatic by its text or subject.',
  unauthenticated: 'The mail server found that the message does not come from its stated sender.',
} as const;
export type SilenceReason = keyof typeof silenceReasons;

export type AcknowledgementDecision =
  /** To the address that the receiving server's verdict is about, or a Reply-To at the same domain. */
  { kind: 'send'; to: string } | { kind: 'none'; reason: SilenceReason };

/**
 * Decides everything but the windows, which need storage (`acknowledgement-windows.ts`).
 * @param now milliseconds since the epoch
 */
export function decideAcknowledgement(
  mail: ArrivedMail,
  mailbox: AcknowledgingMailbox,
  now: number,
): AcknowledgementDecision {
  const to = recipientOf(mail);
  const reason = silenceOf(mail, mailbox, to, now);
  if (reason !== undefined) return { kind: 'none', reason };
  return to === undefined ? { kind: 'none', reason: 'no-address' } : { kind: 'send', to };
}

function silenceOf(
  mail: ArrivedMail,
  { acknowledges, ownAddresses }: AcknowledgingMailbox,
  to: string | undefined,
  now: number,
): SilenceReason | undefined {
  if (!acknowledges) return 'off';
  if (!mail.opensTicket) return 'not-new';
  if (mail.isOwn || mail.automatic.isPostroom === true || mail.messageClass === 'own') return 'own';
  const declared = automaticReason(mail.automatic);
  if (declared !== undefined) return declared;
  if (to === undefined) return 'no-address';
  const senders = [to, mail.from?.address ?? to];
  if (senders.some((address) => isOwnAddress(address, ownAddresses))) return 'own-address';
  if (senders.some(isMachineAddress)) return 'machine-address';
  if (senders.some(isNoReplyAddress)) return 'no-reply';
  // Machines that declare nothing are recognized by their words.
  if (mail.messageClass !== 'person' || automaticSubject.test(mail.subject)) return 'automatic';
  if (mail.failsAuthentication) return 'unauthenticated';
  if (mail.isFirstFetch) return 'first-fetch';
  return now - Date.parse(mail.receivedAt) > MAX_AGE_HOURS * HOUR_MS ? 'old' : undefined;
}

/** What the headers declare. */
function automaticReason(marks: AutomaticMarks): SilenceReason | undefined {
  const { autoSubmitted, precedence, returnPathEmpty, isReport, report, failedRecipients, listId } = marks;
  if (autoSubmitted !== undefined && autoSubmitted !== 'no') return 'auto-submitted';
  if (returnPathEmpty) return 'empty-return-path';
  if (isReport || report !== undefined || failedRecipients === true) return 'report';
  if (precedence !== undefined && refusedPrecedence.has(precedence)) return 'precedence';
  if (listId !== undefined) return 'list';
  if (marks.isVacation === true || marks.suppress?.startsWith('x-') === true) return 'responder';
  return coversReplies(marks.suppress) ? 'suppressed' : undefined;
}

/**
 * Machines that declare nothing and have the address of a person. A person with such a subject gets no
 * acknowledgement, which costs little; one who forwards such an email does.
 */
const automaticSubject =
  /^(?:auto(?:matic)?[- ]?(?:reply|response)\b|undeliver(?:able|ed)\b|returned mail\b|delivery (?:failure|failed|status)\b|mail (?:delivery (?:failed|failure|system)|could not be delivered)|failure notice\b|complaint about message from\b|loop alert\b)/i;

const refusedPrecedence = new Set(['bulk', 'junk', 'list', 'auto_reply']);

/**
 * The values that cover an acknowledgement. Outlook writes others (`DR`, `RN`) on email of people, which ask for
 * no delivery or read reports.
 * https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail/ced68690-498a-4567-9d14-5c01f974d8b1
 */
const coversReplies = (suppress: string | undefined): boolean =>
  suppress?.split(/[\s,;]+/).some((value) => /^(?:all|autoreply|oof)$/i.test(value)) === true;

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/**
 * RFC 3834 section 4 warns against Reply-To: anybody can name a third person there. It is used only within the
 * domain of From, which the receiving server has checked.
 */
function recipientOf({ from, replyTo }: ArrivedMail): string | undefined {
  const [wanted] = replyTo;
  if (from === undefined) return undefined;
  return wanted !== undefined && domainOf(wanted.address) === domainOf(from.address)
    ? wanted.address
    : from.address;
}
