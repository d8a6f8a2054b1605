import { escapeHtml, type RenderedText } from '../templates/render-markdown.ts';
import type { Person } from '../tickets/ticket.ts';

export interface QuotedMessage {
  from: Person;
  /** ISO time. */
  at: string;
  /** Plain text. */
  text: string;
}

/** Longest quotation; the recipient has the whole message. */
const MAX_QUOTED = 20_000;

/**
 * A message as a quotation below a reply. The HTML is made from the text, so that nothing of the sender's HTML is
 * sent on. Pure.
 */
export function quoteMessage({ from, at, text }: QuotedMessage): RenderedText {
  const who = [from.name, from.address === undefined ? undefined : `<${from.address}>`]
    .filter((part) => part !== undefined)
    .join(' ');
  const when = new Date(at).toISOString().replace('T', ' ').slice(0, 16);
  const intro = `On ${when} UTC, ${who === '' ? 'an unknown sender' : who} wrote:`;
  const cut = text.length > MAX_QUOTED;
  const quoted = `${text.slice(0, MAX_QUOTED).toWellFormed().trimEnd()}${cut ? '\n[…]' : ''}`;
  return {
    text: `${intro}\n${quoted.replace(/^(?=>)/gm, '>').replace(/^(?!>)/gm, '> ')}`,
    html: `<p>${escapeHtml(intro)}</p>\n<blockquote style="margin:0 0 0 8px;padding-left:8px;border-left:2px solid #ccc">${escapeHtml(quoted).replaceAll('\n', '<br>\n')}</blockquote>`,
  };
}
