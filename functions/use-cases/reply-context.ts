import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { MessageClass } from '../../shared/message-class/message-class.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { type AttachmentLimit, attachmentLimitOf } from '../../shared/outbox/sending-limits.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import type { TicketState } from '../../shared/replies/changes-since.ts';
import { type ComposedReply, composeReply } from '../../shared/replies/compose-reply.ts';
import type { QuotedMessage } from '../../shared/replies/quote-message.ts';
import type { ReplyDraft } from '../../shared/replies/reply-draft.ts';
import { prefillRecipients } from '../../shared/replies/reply-recipients.ts';
import { messageRef, type StoredMessage } from '../../shared/tickets/message-records.ts';
import type { Ticket } from '../../shared/tickets/ticket.ts';
import type { Services } from '../services.ts';

/** What a reply to a ticket depends on. */
export interface ReplyContext {
  ticket: Ticket;
  /** Newest first. */
  messages: readonly StoredMessage[];
  /** Emails that Postroom sends on this ticket, oldest first. */
  sent: readonly OutboxMessage[];
  /** Undefined: it was deleted. */
  mailbox: Mailbox | undefined;
  /** Addresses of all mailboxes. */
  ownMailboxes: readonly string[];
}

const MESSAGES = 20;
const QUOTED_CHARACTERS = 20_001;

type Known = Pick<Services, 'outbox' | 'mailboxes'>;

/**
 * @returns undefined if there is no such ticket
 * @throws PostroomError when storage is unavailable
 */
export async function readReplyContext(
  services: Known & Pick<Services, 'tickets'>,
  ticketId: string,
): Promise<ReplyContext | undefined> {
  const page = await services.tickets.conversation(ticketId, { limit: MESSAGES });
  return page && contextOfPage(services, page);
}

/** The same for a page of the conversation that was read already. Its messages are the newest, oldest first. */
export async function contextOfPage(
  { outbox, mailboxes }: Known,
  page: { ticket: Ticket; messages: readonly StoredMessage[] },
): Promise<ReplyContext> {
  const [emails, all] = await Promise.all([outbox.list(page.ticket.id), mailboxes.list()]);
  return {
    ticket: page.ticket,
    messages: page.messages.toReversed(),
    // What agents are told of the ticket is no part of its conversation.
    sent: emails.filter(({ kind }) => kind !== 'notification'),
    mailbox: all.find(({ id }) => id === page.ticket.mailboxId),
    ownMailboxes: all.map(({ address }) => address),
  };
}

/** Lower-case addresses of all mailboxes. Pure. */
export const ownAddressesOf = ({ ownMailboxes }: Pick<ReplyContext, 'ownMailboxes'>): ReadonlySet<string> =>
  new Set(ownMailboxes.map((address) => address.toLowerCase()));

/** What a form remembers, to say later what changed since. Pure. */
export const ticketState = ({ ticket, messages, sent }: ReplyContext): TicketState => ({
  status: ticket.status,
  assignee: ticket.assignee,
  messages: messages.map((message) => ({
    ref: messageRef(message),
    from: message.from.name ?? message.from.address ?? 'Someone',
    at: message.at,
  })),
  replies: sent
    .filter(isLiveReply)
    .map(({ id, by = 'Someone', createdAt }) => ({ id, by, at: createdAt }))
    .toReversed(),
});

/** Why nobody can reply, in a sentence; undefined if they can. Pure. */
export function replyProblem({ mailbox }: ReplyContext): string | undefined {
  if (mailbox === undefined)
    return 'The mailbox of this ticket was deleted, so no one can reply from it. Add the mailbox again to reply.';
  return mailbox.sending === undefined
    ? `${mailbox.address} cannot send email. An admin can choose an account that sends in the mailbox’s settings.`
    : undefined;
}

/** How large the attachments of a reply may be in all: as much as the mailbox's way out takes. Pure. */
export const attachmentLimit = ({ mailbox }: Pick<ReplyContext, 'mailbox'>): AttachmentLimit =>
  mailbox?.sending === undefined ? { bytes: 0 } : attachmentLimitOf(mailbox);

/** An empty draft with the recipients of the conversation. Pure. */
export function newDraft(
  context: ReplyContext,
  person: Pick<Principal, 'id' | 'name'>,
  seen: string,
): Omit<ReplyDraft, 'savedAt'> {
  const { ticket, messages } = context;
  const { to, cc } = prefillRecipients(messages, ticket.requester, ownAddressesOf(context));
  return {
    ticketId: ticket.id,
    personId: person.id,
    personName: person.name,
    to: to.join(', '),
    cc: cc.join(', '),
    bcc: '',
    text: '',
    quotes: false,
    attachments: [],
    seen,
  };
}

/**
 * The reply as it leaves, which is also its preview.
 * @throws PostroomError when storage is unavailable
 */
export async function composeDraft(
  tickets: Pick<Services['tickets'], 'readText'>,
  context: ReplyContext,
  draft: Pick<ReplyDraft, 'text' | 'quotes'>,
): Promise<ComposedReply> {
  const quotes = draft.quotes ? await quotedMessage(tickets, context) : undefined;
  const { ticket, mailbox } = context;
  return composeReply({ text: draft.text, quotes }, ticket, mailbox?.answers, newestInThread(context));
}

/** The newest message that a person wrote; undefined if there is none to quote. Pure. */
export const messageToQuote = ({ messages }: ReplyContext): StoredMessage | undefined =>
  messages.find(({ folded, messageClass = 'person' }) => folded === undefined && messageClass === 'person') ??
  messages[0];

async function quotedMessage(
  tickets: Pick<Services['tickets'], 'readText'>,
  context: ReplyContext,
): Promise<QuotedMessage | undefined> {
  const message = messageToQuote(context);
  if (message === undefined) return undefined;
  const read = await tickets.readText(message.text, QUOTED_CHARACTERS);
  return { from: message.from, at: message.at, text: read?.text ?? '' };
}

/**
 * The newest message that a mail program can thread by: the customer's, or a reply of ours that left. What machines sent
 * back about an email of ours is none: the customer does not have it, and its subject is its own. Pure.
 */
function newestInThread({ messages, sent }: ReplyContext): Parameters<typeof composeReply>[3] {
  const theirs = messages.find(
    ({ messageId, messageClass = 'person' }) => messageId !== undefined && !comesBack.has(messageClass),
  );
  const ours = sent.findLast(isLiveReply);
  if (ours === undefined || (theirs !== undefined && theirs.at > ours.createdAt)) return theirs;
  return { messageId: ours.messageId, answers: ours.references.toReversed(), subject: ours.subject };
}

const comesBack: ReadonlySet<MessageClass> = new Set(['bounce', 'auto-reply', 'out-of-office']);

/** A reply that left or is to leave. */
const isLiveReply = ({ kind, delivery: { status } }: OutboxMessage): boolean =>
  kind === 'reply' && status.state !== 'withdrawn' && status.state !== 'failed';
