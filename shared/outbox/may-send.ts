import type { MessageClass } from '../message-class/message-class.ts';
import type { DeliveryKind } from './delivery.ts';
import { isEnvelopeAddress } from './outgoing-mail.ts';

/** Who an email of a ticket may go to. Pure. */
export interface Recipients {
  kind: DeliveryKind;
  to: readonly string[];
  /** Address of the ticket's mailbox. */
  ticketMailbox: string;
  /** Addresses of all mailboxes of the installation. */
  ownMailboxes: readonly string[];
}

/**
 * The recipients that are mailboxes of ours, to which this email must not go: it would come back as a ticket,
 * whose acknowledgement comes back again. A person may write to the mailbox of the ticket itself. Pure.
 */
export function ownRecipients({ kind, to, ticketMailbox, ownMailboxes }: Recipients): string[] {
  const own = new Set(ownMailboxes.map(withoutTag));
  return to.filter(
    (address) =>
      own.has(withoutTag(address)) &&
      !(kind === 'reply' && withoutTag(address) === withoutTag(ticketMailbox)),
  );
}

/** What decides whether an email gets an acknowledgement. */
export interface Acknowledgeable {
  /** Absent: a person's. */
  messageClass?: MessageClass | undefined;
  /** Where the acknowledgement would go. */
  sender: string | undefined;
  /** The receiving server says that the sender is forged. */
  isForged: boolean;
  ticketMailbox: string;
  ownMailboxes: readonly string[];
}

/**
 * Why an email gets no acknowledgement, in a sentence; undefined if it gets one. Two machines that answer each
 * other never stop (RFC 3834 section 2), and the answer to a forged email goes to someone who wrote nothing.
 * Pure.
 */
export function acknowledgementProblem(email: Acknowledgeable): string | undefined {
  const { messageClass = 'person', sender, isForged, ticketMailbox, ownMailboxes } = email;
  if (messageClass !== 'person') return 'It was written by a machine.';
  if (sender === undefined || !isEnvelopeAddress(sender)) return 'It has no sender that could be answered.';
  if (isForged) return 'Its sender is forged, says the mail server that received it.';
  if (NO_REPLY.test(sender.slice(0, sender.lastIndexOf('@')))) return 'Its sender takes no answers.';
  const recipients = { kind: 'acknowledgement', to: [sender], ticketMailbox, ownMailboxes } as const;
  return ownRecipients(recipients).length > 0 ? 'Its sender is a mailbox of this installation.' : undefined;
}

/** Local parts of senders that no one reads. */
const NO_REPLY =
  /^(?:(?:no|do[._-]?not|not|never)[._-]?reply|mailer-daemon|postmaster|bounces?|daemon|root|abuse)(?:[+._-].*)?$/i;

/** `support+orders@…` belongs to `support@…` (RFC 5233). */
function withoutTag(address: string): string {
  const lower = address.toLowerCase();
  const at = lower.lastIndexOf('@');
  const plus = lower.indexOf('+');
  return plus > 0 && plus < at ? lower.slice(0, plus) + lower.slice(at) : lower;
}
