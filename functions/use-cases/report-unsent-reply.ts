import { createHash } from 'node:crypto';
import type { AgentEvent } from '../../shared/agent-alerts/agent-alert.ts';
import type { AgentQueueStore } from '../../shared/agent-alerts/agent-queue-store.ts';
import type { MailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { isOwnAddress } from '../../shared/mailboxes/own-address.ts';
import type { DeliveryStatus } from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import type { Person, Ticket } from '../../shared/tickets/ticket.ts';
import type { TicketStore } from '../../shared/tickets/ticket-store.ts';
import { alertAddressOf } from './alert-agents.ts';

interface ReportDeps {
  agentQueues: Pick<AgentQueueStore, 'add'>;
  mailboxes: Pick<MailboxStore, 'list'>;
  tickets: Pick<TicketStore, 'conversation' | 'setStatus'>;
}

/**
 * Opens the ticket of a reply that needs a person, because whoever wrote it may have closed it and left the
 * page, and tells them by email: otherwise the assignee, otherwise the agents of the mailbox. Tells nothing twice.
 * @throws PostroomError when storage is unavailable
 */
export async function reportUnsentReply(deps: ReportDeps, message: OutboxMessage): Promise<void> {
  const { ticketId, mailboxId, written } = message;
  const ticket = (await deps.tickets.conversation(ticketId, { limit: 1 }))?.ticket;
  if (ticket === undefined) return;
  if (ticket.status !== 'open') await deps.tickets.setStatus(ticketId, 'open');
  const mailboxes = await deps.mailboxes.list();
  const own = new Set(mailboxes.map(({ address }) => address.toLowerCase()));
  const alertOnReply = mailboxes.find(({ id }) => id === mailboxId)?.answers?.alertOnReply ?? [];
  const one = alertAddressOf(written, own) ?? alertAddressOf(ticket.assignee, own);
  const agents = one === undefined ? alertOnReply.filter((address) => !isOwnAddress(address, own)) : [one];
  for (const agent of new Set(agents.map((address) => address.toLowerCase())))
    await deps.agentQueues.add(agent, [unsentEvent(ticket, message)]);
}

function unsentEvent(
  { id, mailboxId, number, subject }: Pick<Ticket, 'id' | 'mailboxId' | 'number' | 'subject'>,
  { id: replyId, by, written, delivery: { status } }: OutboxMessage,
): AgentEvent {
  const at = 'at' in status ? status.at : '';
  const from: Person = { name: by, address: written?.address };
  const key = createHash('sha256').update(`${replyId}|${at}`).digest('hex');
  return {
    kind: 'unsent',
    key,
    ticketId: id,
    mailboxId,
    number,
    subject,
    from,
    preview: reasonOf(status),
    at,
  };
}

/** In one line. Pure. */
function reasonOf(status: DeliveryStatus): string {
  if (status.state === 'sent')
    return `Not to all recipients. ${status.refused.map(({ address, line }) => `${address}: ${line}`).join(' ')}`;
  if (status.state === 'unknown') return 'The mail server did not say whether it was sent.';
  return 'why' in status ? status.why.reason : '';
}
