import type { AgentEvent, AgentMail } from './agent-alert.ts';

/** What an email to an agent says. */
export interface AgentMailText {
  subject: string;
  text: string;
}

/** So that no auto-responder of an agent answers, and no help desk opens a ticket (RFC 3834 section 5). */
export const agentMailHeaders = {
  'Auto-Submitted': 'auto-generated',
  'X-Auto-Response-Suppress': 'All',
  'X-Postroom': 'alert',
} as const;

/**
 * Plain text with a link to each ticket. Pure.
 * @param linkTo the absolute address of a ticket's page
 */
export function agentMailText(
  { events, more }: AgentMail,
  linkTo: (ticketId: string) => string,
): AgentMailText {
  const [first] = events;
  const count = events.length + more;
  const title =
    first === undefined || count > 1
      ? `${count} new messages in Postroom`
      : `${first.kind === 'ticket' ? 'New ticket' : 'Reply to ticket'} #${first.number}: ${first.subject}`;
  const parts = events.map(
    (event) =>
      `${event.kind === 'ticket' ? 'New ticket' : 'Reply to ticket'} #${event.number}: ${event.subject}\nFrom ${senderOf(event)}\n\n${event.preview}\n\n${linkTo(event.ticketId)}`,
  );
  const rest = more > 0 ? [`And ${more} more.`] : [];
  return {
    subject: title
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .slice(0, 200)
      .toWellFormed(),
    text: `${[...parts, ...rest].join('\n\n----------\n\n')}\n`,
  };
}

const senderOf = ({ from: { name, address } }: AgentEvent): string =>
  name === undefined
    ? (address ?? 'an unknown sender')
    : address === undefined
      ? name
      : `${name} <${address}>`;
