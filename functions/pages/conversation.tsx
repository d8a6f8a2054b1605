import type { JSX } from 'hono/jsx/jsx-runtime';
import { safeFilename } from '../../shared/tickets/download-headers.ts';
import { FRAME_SANDBOX, type RemoteImages } from '../../shared/tickets/mail-html.ts';
import { splitQuotedText } from '../../shared/tickets/quoted-text.ts';
import type { Person, Ticket, TicketAttachment, TicketMessage } from '../../shared/tickets/ticket.ts';
import { SubmitButton } from '../../shared/ui/forms.tsx';
import { Facts, StatusLabel, Time } from '../../shared/ui/lists.tsx';
import { readableSize } from '../../shared/ui/size.ts';
import { shownName } from './ticket-list.tsx';

/** A message with what the page decided about showing it. */
export interface ShownMessage {
  message: TicketMessage;
  view: 'text' | 'formatted';
  images: RemoteImages;
  /** Its HTML names images on other servers; known only in the formatted view. */
  hasRemoteImages: boolean;
  height: FrameHeight;
}
export type FrameHeight = 'low' | 'middle' | 'high' | 'tall';

/** The frame cannot tell its height without a script, so it is guessed from how much there is to read. */
export function frameHeight(html: string, text: string): FrameHeight {
  const pictures = html.match(/<img\s/gi)?.length ?? 0;
  const written = text.split('\n').reduce((sum, line) => sum + 1 + Math.floor(line.length / 90), 0);
  const lines =
    (text.trim() === '' ? 2 * (html.match(/<(?:p|br|tr|li|h[1-6])\b/gi)?.length ?? 0) : written) +
    pictures * 5;
  if (lines <= 6) return 'low';
  if (lines <= 15) return 'middle';
  return lines <= 25 ? 'high' : 'tall';
}

/** Whose ticket it is, its state, and the forms that change it. */
export function TicketHead(props: { ticket: Ticket; mailboxAddress: string | undefined }): JSX.Element {
  const { ticket, mailboxAddress } = props;
  const open = ticket.status === 'open';
  const path = `/tickets/${encodeURIComponent(ticket.id)}`;
  return (
    <div class="ticket-head">
      <StatusLabel kind={open ? 'good' : 'quiet'}>{open ? 'Open' : 'Closed'}</StatusLabel>
      <p>From {shownName(ticket.requester)}</p>
      {mailboxAddress === undefined ? null : <p>To {mailboxAddress}</p>}
      <p>
        Opened <Time at={ticket.openedAt} />
      </p>
      {ticket.follows === undefined ? null : (
        <p>
          Follows <a href={`/tickets/${encodeURIComponent(ticket.follows.id)}`}>#{ticket.follows.number}</a>
        </p>
      )}
      <form method="post" action={`${path}/${open ? 'close' : 'reopen'}`}>
        <SubmitButton kind="secondary">{open ? 'Close ticket' : 'Reopen ticket'}</SubmitButton>
      </form>
    </div>
  );
}

/** One message with its attachments; HTML stands in a frame of its own. */
export function Message(props: { ticketId: string; shown: ShownMessage }): JSX.Element {
  const { message, view } = props.shown;
  const path = messagePath(props.ticketId, message.key);
  return (
    <article class="message" id={`m-${message.key}`}>
      <header>
        <h2>
          {shownName(message.from)}
          {message.from.name === undefined || message.from.address === undefined ? null : (
            <span class="address">{` ${message.from.address}`}</span>
          )}
        </h2>
        <p class="when">
          <Time at={message.at} />
        </p>
        <p class="recipients">To {listed(message.to)}</p>
        <details>
          <summary>Details</summary>
          <Headers message={message} />
        </details>
      </header>
      {message.notes.map((note) => (
        <p class="notice">{note}</p>
      ))}
      {view === 'formatted' ? (
        <Formatted ticketId={props.ticketId} shown={props.shown} />
      ) : (
        <MailText text={message.text} />
      )}
      {message.attachments.length === 0 ? null : (
        <Attachments path={path} attachments={message.attachments} />
      )}
      <footer>
        {message.hasHtml ? <ViewLink ticketId={props.ticketId} shown={props.shown} /> : null}
        {message.hasHtml ? (
          <a href={`${path}/body`} target="_blank" rel="noopener">
            Open formatted in its own tab
          </a>
        ) : null}
        <a href={`${path}/raw`} download="">
          Download original
        </a>
      </footer>
    </article>
  );
}

const messagePath = (ticketId: string, key: string): string =>
  `/tickets/${encodeURIComponent(ticketId)}/messages/${encodeURIComponent(key)}`;

function ViewLink(props: { ticketId: string; shown: ShownMessage }): JSX.Element {
  const { message, view } = props.shown;
  const to = view === 'formatted' ? 'text' : 'formatted';
  return (
    <a href={viewAddress(props.ticketId, message.key, { [to]: message.key })}>
      {to === 'text' ? 'Show as text' : 'Show formatted'}
    </a>
  );
}

const viewAddress = (ticketId: string, key: string, query: Readonly<Record<string, string>>): string =>
  `/tickets/${encodeURIComponent(ticketId)}?${new URLSearchParams(query)}#m-${encodeURIComponent(key)}`;

function Formatted(props: { ticketId: string; shown: ShownMessage }): JSX.Element {
  const { message, images, hasRemoteImages, height } = props.shown;
  const { key } = message;
  const query = images === 'shown' ? '?images=shown' : '';
  return (
    <>
      {hasRemoteImages ? (
        <p class="notice">
          {images === 'blocked' ? (
            <>
              Images from other servers are not loaded, so the sender cannot tell that you read this.{' '}
              <a href={viewAddress(props.ticketId, key, { formatted: key, images: 'shown' })}>
                Show remote images
              </a>{' '}
              tells those servers your address and the time.
            </>
          ) : (
            <>
              Images are loaded from other servers.{' '}
              <a href={viewAddress(props.ticketId, key, { formatted: key })}>Hide remote images</a>
            </>
          )}
        </p>
      ) : null}
      <div class={`mail-frame ${height}`}>
        <iframe
          title={`Message from ${shownName(message.from)}, formatted`}
          src={`${messagePath(props.ticketId, key)}/body${query}`}
          sandbox={FRAME_SANDBOX}
          referrerpolicy="no-referrer"
          loading="lazy"
        />
      </div>
    </>
  );
}

function MailText(props: { text: string }): JSX.Element {
  const { written, quoted } = splitQuotedText(props.text);
  if (written === '' && quoted === '') return <p class="muted">This message has no text.</p>;
  return (
    <>
      <div class="mail-text">{written}</div>
      {quoted === '' ? null : (
        <details>
          <summary>Show quoted text</summary>
          <div class="mail-text quoted">{quoted}</div>
        </details>
      )}
    </>
  );
}

function Headers(props: { message: TicketMessage }): JSX.Element {
  const { message } = props;
  return (
    <Facts
      items={[
        { term: 'From', detail: listed([message.from]) },
        { term: 'To', detail: listed(message.to) },
        ...(message.cc.length === 0 ? [] : [{ term: 'Cc', detail: listed(message.cc) }]),
        { term: 'Subject', detail: message.subject },
        { term: 'Received', detail: <Time at={message.at} /> },
        {
          term: 'Date it claims',
          detail: message.sentAt === undefined ? 'None that can be read' : <Time at={message.sentAt} />,
        },
        { term: 'Message-ID', detail: message.messageId ?? 'None' },
      ]}
    />
  );
}

function Attachments(props: { path: string; attachments: readonly TicketAttachment[] }): JSX.Element {
  return (
    <ul class="attachments" aria-label="Attachments">
      {props.attachments.map(({ index, filename, size }) => (
        <li>
          <a href={`${props.path}/attachments/${index}`} download="">
            <span class="name">{safeFilename(filename)}</span>
            <span class="size">{readableSize(size)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function listed(people: readonly Person[]): string {
  const names = people.map(({ name, address }) =>
    name !== undefined && address !== undefined ? `${name} <${address}>` : (name ?? address ?? 'Unknown'),
  );
  return names.length === 0 ? 'nobody named' : names.join(', ');
}
