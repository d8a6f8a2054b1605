import { Hono } from 'hono';
import { bareContentId, readInlineImages } from '../../shared/tickets/inline-images.ts';
import {
  mailDocument,
  mailDocumentHeaders,
  mentionsRemoteImages,
  type RemoteImages,
  SHOWN_HTML_CHARACTERS,
  sanitiseMailHtml,
  tooLongDocument,
} from '../../shared/tickets/mail-html.ts';
import type { Conversation, TicketMessage, TicketPage, TicketStatus } from '../../shared/tickets/ticket.ts';
import { SubmitButton } from '../../shared/ui/forms.tsx';
import { EmptyState } from '../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../shared/ui/page.tsx';
import { Pager, type Position, readPosition } from '../../shared/ui/pager.tsx';
import { requireRole } from '../guard.ts';
import type { WebEnvironment } from '../web-environment.ts';
import { frameHeight, Message, type ShownMessage, TicketHead } from './conversation.tsx';
import { fileResponse } from './file-download.ts';
import { type MailContext, mailServices } from './mail-services.ts';
import { recordChange } from './record-change.ts';
import { subjectOf, TicketList } from './ticket-list.tsx';

const PAGE_SIZE = 50;
// Ids and keys are made by us from letters, digits, `-` and `_`: anything else was never one, and may be no key at all.
const OWN_ID = /^[\w-]{1,200}$/;
const flashes: Readonly<Record<string, Flash>> = {
  closed: { kind: 'success', text: 'The ticket is closed. A reply by mail opens a new one that follows it.' },
  reopened: { kind: 'success', text: 'The ticket is open again.' },
  'no-number': { kind: 'warning', text: 'There is no ticket with this number.' },
};

/** Ticket list, ticket, the mail inside its frame, attachments and originals. For agents. */
export function ticketsPages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();
  const agent = requireRole('agent');
  pages.get('/tickets', agent, showList);
  pages.get('/tickets/:id', agent, showTicket);
  pages.post('/tickets/:id/close', agent, (c) => changeStatus(c, 'closed', 'closed'));
  pages.post('/tickets/:id/reopen', agent, (c) => changeStatus(c, 'open', 'reopened'));
  pages.get('/tickets/:id/messages/:key/body', agent, showBody);
  pages.get('/tickets/:id/messages/:key/attachments/:index', agent, downloadAttachment);
  pages.get('/tickets/:id/messages/:key/raw', agent, downloadOriginal);
  return pages;
}

async function showList(c: MailContext): Promise<Response> {
  const { tickets } = mailServices(c);
  const number = c.req.query('number')?.trim().replace(/^#/, '');
  if (number !== undefined && number !== '') {
    const id = /^\d{1,9}$/.test(number) ? await tickets.byNumber(Number(number)) : undefined;
    return c.redirect(
      id === undefined ? '/tickets?said=no-number' : `/tickets/${encodeURIComponent(id)}`,
      303,
    );
  }
  const status: TicketStatus = c.req.query('status') === 'closed' ? 'closed' : 'open';
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const page = await tickets.page(status, { after: position.after, limit: PAGE_SIZE });
  return c.html(
    renderPage(
      <Page title="Tickets" principal={c.get('principal')} place="tickets" wide flash={flashOf(c)}>
        <ListHead status={status} />
        <ListBody status={status} page={page} position={position} />
      </Page>,
    ),
  );
}

function ListHead(props: { status: TicketStatus }) {
  const current = (status: TicketStatus): 'page' | undefined =>
    status === props.status ? 'page' : undefined;
  return (
    <div class="tabs">
      <nav aria-label="Status">
        <ul>
          <li>
            <a href="/tickets" aria-current={current('open')}>
              Open
            </a>
          </li>
          <li>
            <a href="/tickets?status=closed" aria-current={current('closed')}>
              Closed
            </a>
          </li>
        </ul>
      </nav>
      <form class="find" method="get" action="/tickets">
        <label for="number">Ticket number</label>
        <input id="number" name="number" type="text" inputmode="numeric" autocomplete="off" />
        <SubmitButton kind="secondary">Go</SubmitButton>
      </form>
    </div>
  );
}

function ListBody(props: { status: TicketStatus; page: TicketPage; position: Position }) {
  const { status, page, position } = props;
  if (page.tickets.length === 0) return <NoTickets status={status} later={position.after !== undefined} />;
  return (
    <>
      <TicketList label={status === 'open' ? 'Open tickets' : 'Closed tickets'} tickets={page.tickets} />
      <Pager
        path="/tickets"
        keep={status === 'closed' ? { status } : {}}
        position={position}
        next={page.next}
      />
    </>
  );
}

function NoTickets(props: { status: TicketStatus; later: boolean }) {
  if (props.later)
    return (
      <EmptyState title="No more tickets">
        <a href={props.status === 'closed' ? '/tickets?status=closed' : '/tickets'}>Back to the newest</a>
      </EmptyState>
    );
  if (props.status === 'closed')
    return <EmptyState title="No closed tickets yet">Tickets that somebody closes are kept here.</EmptyState>;
  return (
    <EmptyState title="No open tickets">
      Unread mail in a connected mailbox becomes a ticket within a minute or two.{' '}
      <a href="/">See whether mail is flowing</a>
    </EmptyState>
  );
}

async function showTicket(c: MailContext): Promise<Response> {
  const { tickets, mailboxes } = mailServices(c);
  const id = ownId(c, 'id');
  const conversation = id === undefined ? undefined : await tickets.read(id);
  if (conversation === undefined) return c.notFound();
  const { ticket } = conversation;
  const [mailbox, shown] = await Promise.all([
    mailboxes.get(ticket.mailboxId),
    shownMessages(c, conversation),
  ]);
  return c.html(
    renderPage(
      <Page
        title={`#${ticket.number} ${subjectOf(ticket)}`}
        principal={c.get('principal')}
        place="tickets"
        wide
        flash={flashOf(c)}
      >
        <TicketHead ticket={ticket} mailboxAddress={mailbox?.address} />
        <ol class="conversation" aria-label="Messages, oldest first">
          {shown.map((message) => (
            <li>
              <Message ticketId={ticket.id} shown={message} />
            </li>
          ))}
        </ol>
      </Page>,
    ),
  );
}

/** Text, unless asked for otherwise or there is none: the HTML is read only for what is shown formatted. */
function shownMessages(c: MailContext, { ticket, messages }: Conversation): Promise<ShownMessage[]> {
  const { tickets } = mailServices(c);
  const asked = c.req.query('formatted');
  const asText = c.req.query('text');
  return Promise.all(
    messages.map(async (message): Promise<ShownMessage> => {
      const { key } = message;
      const formatted = message.hasHtml && (key === asked || (message.text.trim() === '' && key !== asText));
      const images: RemoteImages = key === asked && c.req.query('images') === 'shown' ? 'shown' : 'blocked';
      const html = formatted ? ((await tickets.html(ticket.id, key)) ?? '') : '';
      return {
        message,
        view: formatted ? 'formatted' : 'text',
        images,
        hasRemoteImages: mentionsRemoteImages(html),
        height: frameHeight(html, message.text),
      };
    }),
  );
}

async function changeStatus(c: MailContext, status: TicketStatus, said: string): Promise<Response> {
  const id = ownId(c, 'id');
  const outcome = id === undefined ? 'missing' : await mailServices(c).tickets.setStatus(id, status);
  if (id === undefined || outcome === 'missing') return c.notFound();
  const { number, before } = outcome;
  if (before !== status)
    await recordChange(c, {
      action: said,
      subject: { kind: 'ticket', id, name: `#${number}` },
      before: { status: before },
      after: { status },
    });
  return c.redirect(`/tickets/${id}?said=${said}`, 303);
}

async function showBody(c: MailContext): Promise<Response> {
  const { tickets, blobs } = mailServices(c);
  const found = await findMessage(c);
  const html = found === undefined ? undefined : await tickets.html(found.ticketId, found.message.key);
  const remoteImages: RemoteImages = c.req.query('images') === 'shown' ? 'shown' : 'blocked';
  const headers = mailDocumentHeaders(remoteImages);
  if (found === undefined || html === undefined)
    return c.body(mailDocument('<p class="none">There is no such message.</p>'), 404, headers);
  if (html.length > SHOWN_HTML_CHARACTERS) return c.body(tooLongDocument, 200, headers);
  const images = await readInlineImages(html, found.message.attachments, (blob) => blobs.read(blob));
  const safe = await sanitiseMailHtml(html, {
    remoteImages,
    inlineImage: (contentId) => images.get(bareContentId(contentId)),
  });
  return c.body(mailDocument(safe.html), 200, headers);
}

async function downloadAttachment(c: MailContext): Promise<Response> {
  const found = await findMessage(c);
  const index = c.req.param('index');
  const attachment = found?.message.attachments.find((one) => String(one.index) === index);
  if (attachment === undefined) return c.notFound();
  return download(c, attachment.blob, attachment);
}

async function downloadOriginal(c: MailContext): Promise<Response> {
  const found = await findMessage(c);
  if (found === undefined) return c.notFound();
  const filename = `ticket-${found.number}-${found.message.key.slice(0, 8)}.eml`;
  await recordChange(c, {
    action: 'original read',
    subject: { kind: 'ticket', id: found.ticketId, name: `#${found.number}` },
    after: { file: filename },
  });
  return download(c, found.message.rawBlob, { filename, contentType: 'message/rfc822' });
}

async function download(
  c: MailContext,
  blob: string,
  file: { filename: string | undefined; contentType: string },
): Promise<Response> {
  const bytes = await mailServices(c).blobs.stream(blob);
  return bytes === undefined ? c.notFound() : fileResponse(c, bytes, file);
}

async function findMessage(
  c: MailContext,
): Promise<{ ticketId: string; number: number; message: TicketMessage } | undefined> {
  const [id, key] = [ownId(c, 'id'), ownId(c, 'key')];
  if (id === undefined || key === undefined) return undefined;
  const conversation = await mailServices(c).tickets.read(id);
  const message = conversation?.messages.find((one) => one.key === key);
  if (conversation === undefined || message === undefined) return undefined;
  return { ticketId: id, number: conversation.ticket.number, message };
}

function ownId(c: MailContext, name: 'id' | 'key'): string | undefined {
  const value = c.req.param(name);
  return value !== undefined && OWN_ID.test(value) ? value : undefined;
}

function flashOf(c: MailContext): Flash | undefined {
  const said = c.req.query('said');
  return said !== undefined && Object.hasOwn(flashes, said) ? flashes[said] : undefined;
}
