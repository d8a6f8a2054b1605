import { createHash } from 'node:crypto';
import { type AgentEvent, type AgentMail, agentsToAlert } from '../../shared/agent-alerts/agent-alert.ts';
import { agentMailText } from '../../shared/agent-alerts/agent-mail-text.ts';
import type { AgentQueueStore } from '../../shared/agent-alerts/agent-queue-store.ts';
import type { AgentNews, ArrivedMessage } from '../../shared/intake/agent-news.ts';
import { isFromBefore } from '../../shared/mailboxes/first-fetch.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { MailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { isOwnAddress } from '../../shared/mailboxes/own-address.ts';
import { type ComposeDeps, composeEmail } from '../../shared/outbox/compose-email.ts';
import type { OutboxStore } from '../../shared/outbox/outbox-store.ts';
import { isEnvelopeAddress } from '../../shared/outbox/outgoing-mail.ts';
import { paths } from '../../shared/paths/paths.ts';
import { log } from '../../shared/platform/log.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import { messageRef } from '../../shared/tickets/message-records.ts';
import type { Person } from '../../shared/tickets/ticket.ts';
import type { TicketStore } from '../../shared/tickets/ticket-store.ts';

/**
 * Where an assignee is alerted; undefined if they have no valid address, or it is a mailbox of ours. Pure.
 * @param own lower-case addresses of all our mailboxes
 */
export const alertAddressOf = (
  assignee: Partial<Pick<Person, 'address'>> | undefined,
  own: ReadonlySet<string>,
): string | undefined => {
  const address = assignee?.address;
  return address === undefined || !isEnvelopeAddress(address) || isOwnAddress(address, own)
    ? undefined
    : address;
};

/** Queues what agents are told of. @param ownAddresses lower-case addresses of all mailboxes */
export function createAgentNews(
  agentQueues: Pick<AgentQueueStore, 'add'>,
  ownAddresses: () => Promise<ReadonlySet<string>>,
): AgentNews {
  return {
    async tell(mailbox, arrived) {
      const { alertOnTicket = [], alertOnReply = [] } = mailbox.answers ?? {};
      const isAssigned = arrived.some(({ ticket }) => ticket.assignee !== undefined);
      if (arrived.length === 0 || (alertOnTicket.length + alertOnReply.length === 0 && !isAssigned)) return;
      const own = await ownAddresses();
      const news = new Map<string, AgentEvent[]>();
      for (const each of arrived)
        for (const agent of agentsOf(mailbox, each, own)) {
          const events = news.get(agent) ?? [];
          events.push(eventOf(each));
          news.set(agent, events);
        }
      for (const [agent, events] of news) await agentQueues.add(agent, events);
    },
  };
}

const agentsOf = (
  mailbox: Mailbox,
  { ticket, message, opensTicket }: ArrivedMessage,
  own: ReadonlySet<string>,
): string[] =>
  agentsToAlert(
    {
      opensTicket,
      assignee: alertAddressOf(ticket.assignee, own),
      sender: message.from.address,
      messageClass: message.messageClass ?? 'person',
      isFolded: message.folded !== undefined,
      isFirstFetch: isFromBefore(mailbox, message.at),
    },
    mailbox.answers,
    own,
  );

const eventOf = ({ ticket, message, opensTicket }: ArrivedMessage): AgentEvent => ({
  kind: opensTicket ? 'ticket' : 'reply',
  key: message.key,
  ticketId: ticket.id,
  mailboxId: ticket.mailboxId,
  number: ticket.number,
  subject: ticket.subject,
  from: message.from,
  preview: message.preview,
  at: message.at,
});

export interface AgentMailDeps extends ComposeDeps {
  seam: Pick<Seam, 'now'>;
  config: { publicUrl: string };
  agentQueues: Pick<AgentQueueStore, 'takeDue'>;
  mailboxes: Pick<MailboxStore, 'list'>;
  outbox: Pick<OutboxStore, 'queue'>;
  tickets: Pick<TicketStore, 'message' | 'readText'>;
}

/** Of the text of a message that is the only one of its email. */
const TEXT_CHARACTERS = 5_000;

/**
 * Hands the emails to agents that are due to the outbox; returns their number. Each leaves at most once, from the
 * mailbox of its first ticket whose mailbox still exists.
 * @throws PostroomError when storage or the vault is unavailable
 */
export async function sendAgentMail(deps: AgentMailDeps): Promise<number> {
  const now = deps.seam.now();
  const due = await deps.agentQueues.takeDue(now);
  if (due.length === 0) return 0;
  const mailboxes = await deps.mailboxes.list();
  let queued = 0;
  for (const { address, mail } of due) if (await queueOne(deps, mailboxes, address, mail, now)) queued += 1;
  return queued;
}

async function queueOne(
  deps: AgentMailDeps,
  mailboxes: readonly Mailbox[],
  address: string,
  mail: AgentMail,
  now: number,
): Promise<boolean> {
  const mailboxOf = (event: AgentEvent): Mailbox | undefined =>
    mailboxes.find(({ id }) => id === event.mailboxId);
  const first = mail.events.find((event) => mailboxOf(event) !== undefined);
  const mailbox = first && mailboxOf(first);
  if (first === undefined || mailbox === undefined) return false;
  const shown = await withText(deps, mail);
  const { subject, text } = agentMailText(shown, (id) => `${deps.config.publicUrl}${paths.ticket({ id })}`);
  const composed = await composeEmail(deps, {
    ticketId: first.ticketId,
    id: emailIdOf(address, now),
    kind: 'notification',
    mailbox: { id: mailbox.id, address: mailbox.address, name: mailbox.answers?.name },
    ownMailboxes: mailboxes.map((each) => each.address),
    to: [address],
    subject,
    text,
    references: [],
    createdAt: new Date(now).toISOString(),
  });
  if (composed.kind === 'refused') {
    log.warn('agent not told', { mailbox: mailbox.id, problem: composed.problem });
    return false;
  }
  return (await deps.outbox.queue(composed.message)).ok;
}

/** With the text of its message, if it is about one alone; a digest shows how each begins. */
async function withText({ tickets }: Pick<AgentMailDeps, 'tickets'>, mail: AgentMail): Promise<AgentMail> {
  const [event, ...others] = mail.events;
  if (event === undefined || event.kind === 'unsent' || others.length > 0 || mail.more > 0) return mail;
  const stored = await tickets.message(event.ticketId, messageRef(event));
  const read = stored && (await tickets.readText(stored.message.text, TEXT_CHARACTERS));
  if (read === undefined || read.text.trim() === '') return mail;
  const preview = `${read.text.trim()}${read.whole ? '' : '\n[…]'}`;
  return { ...mail, events: [{ ...event, preview }] };
}

const emailIdOf = (address: string, now: number): string =>
  `agent${createHash('sha256').update(`${address}|${now}`).digest('hex').slice(0, 24)}`;
