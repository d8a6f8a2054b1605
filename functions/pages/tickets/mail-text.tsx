import type { JSX } from 'hono/jsx/jsx-runtime';
import { splitQuotedText } from '../../../shared/tickets/quoted-text.ts';
import { linkPieces } from '../../../shared/tickets/text-links.ts';

/** The text of a message, as much as a page shows. */
export interface ShownText {
  text: string;
  /** False if the text is longer than shown. */
  whole: boolean;
}

/** Characters of one message's text that a page shows; a link leads to the full text. */
export const SHOWN_TEXT_CHARACTERS = 32 * 1024;

/** Plain text with its signature and quotation collapsed, and its URLs as links. */
export function MailText(props: { shown: ShownText; subject: string; wholeAt: string }): JSX.Element {
  const { text, whole } = props.shown;
  const { written, signature, quoted } = splitQuotedText(text, props.subject);
  if (written === '' && quoted === '') return <p class="muted">This message has no text.</p>;
  return (
    <>
      <div class="mail-text" dir="auto">
        <Linked text={written} />
      </div>
      {signature === undefined ? null : <Folded summary="Show signature" text={signature} />}
      {quoted === '' ? null : <Folded summary="Show quoted text" text={quoted} />}
      {whole ? null : (
        <p class="alert">
          This message is long; only the beginning is shown.{' '}
          <a href={props.wholeAt} target="_blank" rel="noopener">
            Show the full text
          </a>
        </p>
      )}
    </>
  );
}

function Folded(props: { summary: string; text: string }): JSX.Element {
  return (
    <details>
      <summary>{props.summary}</summary>
      <div class="mail-text quoted" dir="auto">
        <Linked text={props.text} />
      </div>
    </details>
  );
}

function Linked(props: { text: string }): JSX.Element {
  return (
    <>
      {linkPieces(props.text).map((piece) =>
        typeof piece === 'string' ? (
          piece
        ) : (
          <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </>
  );
}
