/** The ticket page: the conversation, the emails that Postroom sends, and the reply form. For agents. */
import { setImmediate as pause } from 'node:timers/promises';
import { raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { OutboxMessage } from '../../../shared/outbox/outbox-message.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { mapLimited } from '../../../shared/platform/concurrency.ts';
import type { RemoteImages } from '../../../shared/tickets/mail-html.ts';
import { messageRef, type StoredMessage, timeOfRef } from '../../../shared/tickets/message-records.ts';
import type { ConversationPage } from '../../../shared/tickets/ticket-store.ts';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { flashOf } from '../../http/form-data.ts';
import { knownPeople, personOf } from '../../use-cases/assign-ticket.ts';
import { contextOfPage, ownAddressesOf } from '../../use-cases/reply-context.ts';
import { type PostedForm, replyFormState } from '../replies/form-state.ts';
import { ReplyForm } from '../replies/reply-form.tsx';
import { type BounceAtMessage, SentMessage, type ShownSent } from '../replies/sent-message.tsx';
import { Assignment, type AssignmentState } from './assignment-view.tsx';
import { senderStateOf } from './block-sender.tsx';
import { Message, type ShownMessage, TicketHead } from './conversation.tsx';
import { ConversationPager } from './conversation-pager.tsx';
import { type MailContext, mailServices } from './mail-services.ts';
import { SHOWN_TEXT_CHARACTERS } from './mail-text.tsx';
import { ownId } from './message-files.ts';
import { ticketTitle } from './ticket-list.tsx';

const MESSAGES_A_PAGE = 50;
/** With up to this many messages, the links above them are sufficient. */
const FEW = 5;
/** More than a reply can have. */
const SENT_TEXT_CHARACTERS = 200_000;

const flashes: Readonly<Record<string, Flash>> = {
  closed: { kind: 'success', text: 'Ticket closed. A reply will open a new, linked ticket.' },
  reopened: { kind: 'success', text: 'Ticket reopened.' },
  assigned: { kind: 'success', text: 'Ticket assigned.' },
  unassigned: { kind: 'success', text: 'Ticket unassigned.' },
  'assignee-changed': {
    kind: 'warning',
    text: 'Nothing was changed: someone else has changed the assignee since you opened the page.',
  },
  blocked: {
    kind: 'success',
    text: 'Sender blocked. New email from this sender no longer becomes a ticket.',
  },
  unblocked: { kind: 'success', text: 'Sender unblocked.' },
  sent: { kind: 'success', text: 'Reply queued. Its state is shown below.' },
  'draft-saved': { kind: 'success', text: 'Draft saved.' },
  discarded: { kind: 'success', text: 'Draft discarded.' },
  undone: { kind: 'success', text: 'The reply was not sent. Its text is in the form below.' },
  'too-late': {
    kind: 'warning',
    text: 'The reply could not be stopped: it is being sent, or has been sent.',
  },
  copied: { kind: 'success', text: 'The reply was copied into the form below.' },
  'copied-sent': {
    kind: 'success',
    text: 'The reply was copied into the form below. Correct the addresses: everyone still listed receives it again.',
  },
  retried: { kind: 'success', text: 'The reply is being sent again.' },
};

export async function showTicket(c: MailContext): Promise<Response> {
  const id = ownId(c, 'id');
  return id === undefined ? c.notFound() : ticketPage(c, id, {});
}

/** @param shown what was posted, if something in it has to be corrected: the reply form, or an assignee */
export async function ticketPage(
  c: MailContext,
  id: string,
  shown: { posted?: PostedForm; assignment?: AssignmentState['refused']; status?: 409 | 422 },
): Promise<Response> {
  const { tickets } = mailServices(c);
  const services = c.get('services');
  const before = c.req.query('before');
  const page = await tickets.conversation(id, { before, limit: MESSAGES_A_PAGE });
  if (page === undefined) return c.notFound();
  const { ticket, earlier } = page;
  const place = { ticketId: ticket.id, before };
  const context = await contextOfPage(services, page);
  const [followed, sender, received, sent, form] = await Promise.all([
    tickets.followers(ticket.id),
    senderStateOf(c, ticket),
    mapLimited(page.messages, 16, (message) => shownMessage(c, message)),
    mapLimited(sentOnPage(context.sent, page, before), 16, (message) => shownSent(c, message, page.messages)),
    before === undefined
      ? replyFormState(services, context, c.get('principal'), {
          posted: shown.posted,
          preview: c.req.query('preview') !== undefined,
        })
      : undefined,
  ]);
  const now = services.seam.now();
  const isAdmin = c.get('principal').roles.includes('admin');
  const sentAt = new Map(context.sent.map((message) => [message.id, message.createdAt]));
  const entries = [
    ...sent.map((message) => ({
      at: message.message.createdAt,
      render: () => <SentMessage shown={message} now={now} isAdmin={isAdmin} />,
    })),
    ...received.map((message) => ({
      at: shownAt(message.message, sentAt),
      render: () => <Message place={place} shown={message} />,
    })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  // Rendered one at a time with pauses, so that fifty long texts do not block other requests.
  const messages: HtmlEscapedString[] = [];
  for (const { render } of entries) {
    messages.push(raw(String(render())));
    await pause();
  }
  return c.html(
    renderPage(
      <Page
        title={`#${ticket.number} ${ticketTitle(ticket)}`}
        principal={c.get('principal')}
        place="tickets"
        wide
        flash={flashOf(c, flashes)}
        hasErrors={shown.posted?.errors !== undefined || shown.assignment !== undefined}
      >
        <TicketHead
          ticket={ticket}
          followed={followed}
          mailboxAddress={context.mailbox?.address}
          sender={sender}
        />
        <Assignment
          state={{
            ticket,
            me: personOf(c.get('principal')),
            known: knownPeople(context),
            own: ownAddressesOf(context),
            refused: shown.assignment,
          }}
        />
        <ConversationPager place={place} earlier={earlier} messageCount={ticket.messageCount} />
        <ol class="conversation" aria-label="Messages, oldest first">
          {messages.map((message) => (
            <li>{message}</li>
          ))}
        </ol>
        {messages.length > FEW ? (
          <ConversationPager place={place} earlier={earlier} messageCount={ticket.messageCount} />
        ) : null}
        {form === undefined ? (
          <p>
            <a href={`${paths.ticket(ticket)}#reply`}>Reply</a>
          </p>
        ) : (
          <ReplyForm state={form} />
        )}
      </Page>,
    ),
    shown.status ?? 200,
  );
}

/** Mail servers record whole seconds: a bounce is sorted below the email it reports on, even within the same second. */
function shownAt({ at, bounce }: StoredMessage, sentAt: ReadonlyMap<string, string>): string {
  const reportsOn = sentAt.get(bounce?.emailId ?? '') ?? '';
  return reportsOn > at ? reportsOn : at;
}

/** The HTML of a message if it has one; its text on request. */
async function shownMessage(c: MailContext, message: StoredMessage): Promise<ShownMessage> {
  const ref = messageRef(message);
  const images: RemoteImages = c.req.query('images') === ref ? 'shown' : 'blocked';
  if (message.html !== undefined && c.req.query('text') !== ref) return { message, text: undefined, images };
  const text = await mailServices(c).tickets.readText(message.text, SHOWN_TEXT_CHARACTERS);
  return { message, text: text ?? { text: '', whole: true }, images };
}

/** Sent emails between the messages of a page of the conversation. */
function sentOnPage(
  sent: readonly OutboxMessage[],
  { messages, earlier }: ConversationPage,
  before: string | undefined,
): OutboxMessage[] {
  const from = earlier === undefined ? '' : (messages[0]?.at ?? '');
  const to = before === undefined ? undefined : timeOfRef(before);
  return sent.filter(({ createdAt }) => createdAt >= from && (to === undefined || createdAt < to));
}

async function shownSent(
  c: MailContext,
  message: OutboxMessage,
  received: readonly StoredMessage[],
): Promise<ShownSent> {
  const text = await mailServices(c).tickets.readText(message.text, SENT_TEXT_CHARACTERS);
  return { message, text: text ?? { text: '', whole: true }, reports: reportsOn(message, received) };
}

/** Bounces and delays that name this email. */
const reportsOn = ({ id }: OutboxMessage, received: readonly StoredMessage[]): BounceAtMessage[] =>
  received
    .filter(({ bounce }) => bounce?.emailId === id)
    .map(({ key, at, bounce }) => ({ key, at, bounces: bounce?.bounces ?? [] }));
