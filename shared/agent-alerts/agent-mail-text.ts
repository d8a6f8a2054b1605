import type { AgentEvent, AgentMail } from './agent-alert.ts';

/** What an email to an agent says. */
export interface AgentMailText {
  subject: string;
  text: string;
}

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
  const title = first === undefined || count > 1 ? `${count} new messages in Postroom` : headingOf(first);
  const parts = events.map(
    (event) =>
      `${headingOf(event)}\nFrom ${senderOf(event)}\n\n${event.preview}\n\n${linkTo(event.ticketId)}`,
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

const headings: Readonly<Record<AgentEvent['kind'], string>> = {
  ticket: 'New ticket',
  reply: 'Reply to ticket',
  unsent: 'Reply not sent: ticket',
};

const headingOf = ({ kind, number, subject }: AgentEvent): string =>
  `${headings[kind]} #${number}: ${subject}`;

const senderOf = ({ from: { name, address } }: AgentEvent): string =>
  name === undefined
    ? (address ?? 'an unknown sender')
    : address === undefined
      ? name
      : `${name} <${address}>`;
