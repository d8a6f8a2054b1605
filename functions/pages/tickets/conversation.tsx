import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import { attachmentName } from '../../../shared/tickets/attachment-name.ts';
import { FRAME_SANDBOX, type HtmlShape } from '../../../shared/tickets/mail-document.ts';
import type { RemoteImages } from '../../../shared/tickets/mail-html.ts';
import { messageRef, type StoredMessage } from '../../../shared/tickets/message-records.ts';
import type { Person, Ticket, TicketAttachment } from '../../../shared/tickets/ticket.ts';
import type { TicketStore } from '../../../shared/tickets/ticket-store.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { Facts, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { readableSize } from '../../../shared/ui/size.ts';
import { SenderControl, type SenderState } from './block-sender.tsx';
import { BounceReportView } from './bounce-report.tsx';
import { ClassLabel } from './class-label.tsx';
import { EncryptionNote } from './encryption-note.tsx';
import { MailText, type ShownText } from './mail-text.tsx';
import { MeetingCard } from './meeting-card.tsx';
import { SenderWarning, senderFacts } from './sender-check.tsx';
import { shownName, statusNames } from './ticket-list.tsx';

/** A message, with the form in which the page shows it. */
export interface ShownMessage {
  message: StoredMessage;
  /** Set in the text view, and if there is no HTML. */
  text: ShownText | undefined;
  images: RemoteImages;
}

/** The position in a conversation, which its links preserve. */
export interface ConversationPlace {
  ticketId: string;
  /** The page shows messages before this `messageRef`; absent on the newest page. */
  before: string | undefined;
}

export type FrameHeight = 'low' | 'middle' | 'high' | 'tall';

/** Estimated from the number of lines. With script, the frame is measured instead. */
function frameHeight(shape: HtmlShape | undefined): FrameHeight {
  const lines = shape?.lines ?? Number.POSITIVE_INFINITY;
  if (lines <= 6) return 'low';
  if (lines <= 15) return 'middle';
  return lines <= 25 ? 'high' : 'tall';
}

const statusKinds = { open: 'good', waiting: 'warn', closed: 'quiet' } as const;

/** The ticket's requester and status, and the forms that block its sender and close or reopen it. */
export function TicketHead(props: {
  ticket: Ticket;
  followed: Awaited<ReturnType<TicketStore['followers']>>;
  mailboxAddress: string | undefined;
  sender: SenderState | undefined;
}): JSX.Element {
  const { ticket, mailboxAddress } = props;
  const { followers, more } = props.followed;
  return (
    <div class="ticket-head">
      <StatusLabel kind={statusKinds[ticket.status]}>{statusNames[ticket.status]}</StatusLabel>
      <p>From {shownName(ticket.requester)}</p>
      {mailboxAddress === undefined ? null : <p>To {mailboxAddress}</p>}
      <p>
        Opened <Time at={ticket.openedAt} />
      </p>
      {ticket.follows === undefined ? null : (
        <p>
          Follow-up to <a href={paths.ticket(ticket.follows)}>#{ticket.follows.number}</a>
        </p>
      )}
      {followers.length === 0 ? null : (
        <p>
          Followed by{' '}
          {followers.map(({ followerId, number }, index) => (
            <>
              {index === 0 ? '' : ', '}
              <a href={paths.ticket({ id: followerId })}>#{number}</a>
            </>
          ))}
          {more ? ' and more' : ''}
        </p>
      )}
      <div class="actions">
        <SenderControl ticket={ticket} state={props.sender} />
        {ticket.status === 'open' ? null : (
          <form method="post" action={paths.reopenTicket(ticket)}>
            <SubmitButton kind="secondary">Reopen ticket</SubmitButton>
          </form>
        )}
        {ticket.status === 'closed' ? null : (
          <form method="post" action={paths.closeTicket(ticket)}>
            <SubmitButton kind="secondary">Close ticket</SubmitButton>
          </form>
        )}
      </div>
    </div>
  );
}

/**
 * A message with its attachments; HTML is shown in a frame of its own. A collapsed message shows why it is
 * collapsed and opens on click.
 */
export function Message(props: { place: ConversationPlace; shown: ShownMessage }): JSX.Element {
  const { message, text } = props.shown;
  const place = placeOf(props.place.ticketId, message);
  const folded = message.folded;
  const content = (
    <>
      {message.notes.map((note) => (
        <p class="alert">{note}</p>
      ))}
      <BounceReportView
        bounces={(message.bounce?.bounces ?? []).map((bounce) => ({ bounce, at: message.at }))}
      />
      {message.encryption === undefined ? null : <EncryptionNote encryption={message.encryption} />}
      {message.invitation === undefined ? null : <MeetingCard invitation={message.invitation} />}
      {text === undefined ? (
        <Formatted place={props.place} shown={props.shown} />
      ) : saysItself(message, text) ? null : (
        <MailText shown={text} subject={message.subject} wholeAt={paths.messageText(place)} />
      )}
      {message.attachments.length === 0 ? null : (
        <Attachments place={place} attachments={message.attachments} />
      )}
      <footer>
        {message.html === undefined ? null : <ViewLink place={props.place} shown={props.shown} />}
        {message.html === undefined ? null : (
          <a href={paths.messageBody(place)} target="_blank" rel="noopener">
            Open in new tab
          </a>
        )}
        {message.rawBlob === '' ? null : (
          <a href={paths.messageOriginal(place)} download="">
            Download original
          </a>
        )}
      </footer>
    </>
  );
  return (
    <article class="message" id={`m-${message.key}`}>
      <header>
        <h2 dir="auto">
          {shownName(message.from)}
          {message.from.name === undefined || message.from.address === undefined ? null : (
            <span class="address">{` ${message.from.address}`}</span>
          )}{' '}
          <ClassLabel of={message.messageClass} />
        </h2>
        <p class="when">
          <Time at={message.at} />
        </p>
        <p class="recipients">To {listed(message.to)}</p>
        <SenderWarning message={message} />
        <details>
          <summary>Details</summary>
          <Headers message={message} />
        </details>
      </header>
      {folded === undefined ? (
        content
      ) : (
        <details class="folded">
          <summary>Collapsed: {folded}</summary>
          {content}
        </details>
      )}
    </article>
  );
}

/** True if the meeting card or encryption note replaces an empty text. */
const saysItself = ({ encryption, invitation }: StoredMessage, { text }: ShownText): boolean =>
  text.trim() === '' && (encryption !== undefined || invitation !== undefined);

/** Identifies a message in the paths of its body, text, attachments and original. */
const placeOf = (ticketId: string, message: { at: string; key: string }): MessagePlace => ({
  id: ticketId,
  key: messageRef(message),
});

interface MessagePlace {
  id: string;
  key: string;
}

function ViewLink(props: { place: ConversationPlace; shown: ShownMessage }): JSX.Element {
  const { message, text } = props.shown;
  return text === undefined ? (
    <a href={viewAddress(props.place, message, { text: messageRef(message) })}>View plain text</a>
  ) : (
    <a href={viewAddress(props.place, message, {})}>View HTML</a>
  );
}

function viewAddress(
  { ticketId, before }: ConversationPlace,
  { key }: { key: string },
  view: Readonly<Record<string, string>>,
): string {
  return `${paths.ticket({ id: ticketId }, { before, ...view })}#m-${encodeURIComponent(key)}`;
}

function Formatted(props: { place: ConversationPlace; shown: ShownMessage }): JSX.Element {
  const { message, images } = props.shown;
  return (
    <>
      {message.htmlShape?.remoteImages === true ? (
        <p class="alert">
          {images === 'blocked' ? (
            <>
              Remote images are blocked, so the sender cannot tell that you read this message.{' '}
              <a href={viewAddress(props.place, message, { images: messageRef(message) })}>
                Show remote images
              </a>{' '}
              (reveals your IP address to the sender)
            </>
          ) : (
            <>
              Remote images are shown. <a href={viewAddress(props.place, message, {})}>Hide remote images</a>
            </>
          )}
        </p>
      ) : null}
      <div class={`mail-frame ${frameHeight(message.htmlShape)}`}>
        <iframe
          title={`Message from ${shownName(message.from)}, formatted`}
          src={paths.messageBody(placeOf(props.place.ticketId, message), {
            images: images === 'shown' ? images : undefined,
          })}
          sandbox={FRAME_SANDBOX}
          referrerpolicy="no-referrer"
          loading="lazy"
        />
      </div>
    </>
  );
}

function Headers(props: { message: StoredMessage }): JSX.Element {
  const { message } = props;
  return (
    <Facts
      items={[
        { term: 'From', detail: listed([message.from]) },
        ...(message.replyTo === undefined ? [] : [{ term: 'Reply to', detail: listed(message.replyTo) }]),
        { term: 'To', detail: listed(message.to) },
        ...(message.cc.length === 0 ? [] : [{ term: 'Cc', detail: listed(message.cc) }]),
        { term: 'Subject', detail: message.subject },
        { term: 'Received', detail: <Time at={message.at} /> },
        {
          term: 'Date header',
          detail: message.sentAt === undefined ? 'Missing or unreadable' : <Time at={message.sentAt} />,
        },
        { term: 'Message-ID', detail: message.messageId ?? 'None' },
        ...(message.silence === undefined ? [] : [{ term: 'Not acknowledged', detail: message.silence }]),
        ...senderFacts(message),
      ]}
    />
  );
}

function Attachments(props: { place: MessagePlace; attachments: readonly TicketAttachment[] }): JSX.Element {
  return (
    <ul class="attachments" aria-label="Attachments">
      {props.attachments.map(({ index, filename, contentType, size }) => (
        <li>
          <a href={paths.messageAttachment({ ...props.place, index })} download="">
            <span class="name" dir="auto">
              {attachmentName({ filename, contentType })}
            </span>
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
  return names.length === 0 ? 'no recipients' : names.join(', ');
}
