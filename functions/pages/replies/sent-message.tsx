/** An email that Postroom sends, in its ticket, with the state of its delivery. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { bounceExplanations, bounceInWords } from '../../../shared/bounces/bounce-explanations.ts';
import { explainProblem } from '../../../shared/explanations/explain.ts';
import { type DeliveryProblem, isWithdrawable } from '../../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../../shared/outbox/outbox-message.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Bounce } from '../../../shared/tickets/bounce.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { readableSize } from '../../../shared/ui/size.ts';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { MailText, type ShownText } from '../tickets/mail-text.tsx';
import { deliveryInWords } from './delivery-words.ts';

/** A sent email with what the page shows of it. */
export interface ShownSent {
  message: OutboxMessage;
  text: ShownText;
  /** Reports that came back for it. */
  reports: readonly BounceAtMessage[];
}

export interface BounceAtMessage {
  /** Key of the message with the report, on the same page. */
  key: string;
  at: string;
  /** One for each recipient; empty if the report could not be read in detail. */
  bounces: readonly Bounce[];
}

/** The anchor of a sent email on its ticket's page. */
export const sentAnchor = (id: string): string => `o-${id}`;

/** @param props `isAdmin`: the reader may open the connection test of the mailbox */
export function SentMessage(props: { shown: ShownSent; now: number; isAdmin: boolean }): JSX.Element {
  const { message, text, reports } = props.shown;
  const { kind, by, from, delivery } = message;
  const isFolded = kind !== 'reply' || delivery.status.state === 'withdrawn';
  const content = (
    <>
      <MailText shown={text} subject={message.subject} wholeAt={`#${sentAnchor(message.id)}`} />
      <SentFiles message={message} />
    </>
  );
  return (
    <article class="message own" id={sentAnchor(message.id)}>
      <header>
        <h2 dir="auto">
          {by ?? 'Postroom'} <span class="address">{from.name ?? from.address}</span>{' '}
          {kind === 'acknowledgement' ? <StatusLabel kind="quiet">Acknowledgement</StatusLabel> : null}
          {kind === 'notification' ? <StatusLabel kind="quiet">Notification</StatusLabel> : null}
        </h2>
        <p class="when">
          <Time at={message.createdAt} />
        </p>
        <Recipients message={message} />
      </header>
      {isFolded ? (
        <details class="folded">
          <summary>{kind === 'reply' ? 'Show the text' : 'Show what was sent'}</summary>
          {content}
        </details>
      ) : (
        content
      )}
      {reports.map((report) => (
        <BounceNote report={report} />
      ))}
      <DeliveryNote
        message={message}
        hasBounced={reports.some(isUndelivered)}
        now={props.now}
        isAdmin={props.isAdmin}
      />
    </article>
  );
}

function Recipients({ message }: { message: OutboxMessage }): JSX.Element {
  const { to, cc, bcc } = message;
  return (
    <p class="recipients">
      To {to.join(', ')}
      {cc.length === 0 ? '' : ` · Cc ${cc.join(', ')}`}
      {bcc.length === 0 ? '' : ` · Bcc ${bcc.join(', ')}`}
    </p>
  );
}

function SentFiles({ message }: { message: OutboxMessage }): JSX.Element | null {
  if (message.attachments.length === 0) return null;
  return (
    <ul class="attachments" aria-label="Attachments">
      {message.attachments.map(({ filename, size }, index) => (
        <li>
          <a href={paths.sentAttachment({ id: message.ticketId, message: message.id, index })} download="">
            <span class="name" dir="auto">
              {filename}
            </span>
            <span class="size">{readableSize(size)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** State, time, the server's line, what it means, and the one button that helps. */
function DeliveryNote(props: {
  message: OutboxMessage;
  hasBounced: boolean;
  now: number;
  isAdmin: boolean;
}): JSX.Element {
  const { message, now } = props;
  const words = deliveryInWords(message.kind, message.delivery, now);
  const { status } = message.delivery;
  return (
    <footer
      class="delivery"
      data-delivery={words.isMoving ? '' : undefined}
      id={`${sentAnchor(message.id)}-state`}
    >
      <p>
        <StatusLabel kind={words.kind}>{words.label}</StatusLabel>{' '}
        {words.at === undefined ? null : <Time at={words.at} />}
        {words.next === undefined ? null : (
          <>
            {words.at === undefined ? '' : ' · '}
            {words.next.what}{' '}
            {status.state === 'queued' ? (
              <Seconds at={words.next.at} now={now} />
            ) : (
              <Time at={words.next.at} />
            )}
          </>
        )}
      </p>
      {words.sentences.map((sentence) => (
        <p>{sentence}</p>
      ))}
      {words.line === undefined ? null : (
        <p>
          {words.isLineOfRest === true ? 'Server message for the other recipients' : 'Server message'}:{' '}
          <q class="said">{words.line}</q>
        </p>
      )}
      {words.why === undefined ? null : <Why why={words.why} mailbox={message.from.address} />}
      {props.isAdmin && status.state === 'failed' && status.isOfWayOut ? (
        <p>
          <a href={paths.connectionTest({ id: message.mailboxId })}>
            Test the connection of {message.from.address}
          </a>
        </p>
      ) : null}
      {message.kind === 'reply' ? <ReplyActions message={message} hasBounced={props.hasBounced} /> : null}
    </footer>
  );
}

/** What a person can do with a reply in its present state, if anything. */
function ReplyActions(props: { message: OutboxMessage; hasBounced: boolean }): JSX.Element | null {
  const { message } = props;
  const { status } = message.delivery;
  const place = { id: message.ticketId, message: message.id };
  const retry = (label: string): JSX.Element => (
    <form method="post" action={paths.retryReply(place)}>
      <SubmitButton kind="secondary">{label}</SubmitButton>
    </form>
  );
  const undo = isWithdrawable(message.delivery) ? (
    <form method="post" action={paths.undoReply(place)}>
      <SubmitButton kind="secondary">{status.state === 'queued' ? 'Undo' : 'Do not send'}</SubmitButton>
    </form>
  ) : null;
  if (status.state === 'queued' || status.state === 'retrying') return undo;
  if (status.state === 'unknown' && status.due === undefined) return retry('Send again');
  if (status.state === 'failed')
    return (
      <div class="actions">
        {status.isOfWayOut || !status.why.isVerdict ? retry('Try again') : null}
        {status.isOfWayOut ? undo : <EditAgain message={message} />}
      </div>
    );
  if (status.state === 'sent' && (props.hasBounced || status.refused.length > 0))
    return <EditAgain message={message} />;
  return null;
}

function EditAgain({ message }: { message: OutboxMessage }): JSX.Element | null {
  if (message.source === undefined) return null;
  return (
    <form method="post" action={paths.editReply({ id: message.ticketId, message: message.id })}>
      <SubmitButton kind="secondary">Edit and send again</SubmitButton>
    </form>
  );
}

/** A time within seconds, readable without a script; with it, the seconds count down. */
function Seconds(props: { at: string; now: number }): JSX.Element {
  const seconds = Math.max(0, Math.ceil((Date.parse(props.at) - props.now) / 1000));
  return (
    <time datetime={props.at} data-seconds="">
      {seconds === 0 ? 'now' : `in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`}
    </time>
  );
}

function Why({ why, mailbox }: { why: DeliveryProblem; mailbox: string }): JSX.Element {
  const explained = explainProblem({ code: why.code, said: why.reason }, { mailbox });
  // The server's line is shown already.
  const explanation = why.isVerdict ? { ...explained, said: '' } : explained;
  return (
    <details>
      <summary>{explanation.title}</summary>
      <ExplanationView explanation={explanation} titled={false} ending="See the state above." />
    </details>
  );
}

/** False while the mail server keeps trying. */
const isUndelivered = ({ bounces }: BounceAtMessage): boolean =>
  bounces.length === 0 || bounces.some(({ kind }) => kind !== 'delayed');

function BounceNote({ report }: { report: BounceAtMessage }): JSX.Element {
  const { bounces, key, at } = report;
  const isDelay = !isUndelivered(report);
  return (
    <div class="bounce">
      <p>
        <StatusLabel kind={isDelay ? 'warn' : 'bad'}>{isDelay ? 'Delayed' : 'Bounced'}</StatusLabel>{' '}
        <Time at={at} /> <a href={`#m-${key}`}>Show the report</a>
      </p>
      {bounces.length === 0 ? (
        <p>A mail server reports that it could not deliver this email, or not yet.</p>
      ) : (
        bounces.map((bounce) => <BounceOf bounce={bounce} />)
      )}
    </div>
  );
}

function BounceOf({ bounce }: { bounce: Bounce }): JSX.Element {
  return (
    <>
      <p>
        {bounceInWords(bounce)} {bounceExplanations[bounce.reason].advice}
      </p>
      {bounce.said === undefined ? null : (
        <p>
          Server message: <q class="said">{bounce.said}</q>
        </p>
      )}
    </>
  );
}
