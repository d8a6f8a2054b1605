import type { AuditChange } from '../../shared/audit/audit.ts';
import type { TicketStatus } from '../../shared/tickets/ticket.ts';
import type { Services } from '../services.ts';

/**
 * Closes or reopens a ticket. The audit entry is written before the ticket changes; there is none if the ticket
 * already has the status.
 * @param action a past participle for the audit log: `closed`, `reopened`
 */
export async function setTicketStatus(
  {
    audit,
    seam,
    tickets,
  }: Pick<Services, 'audit' | 'seam'> & {
    tickets: Pick<Services['tickets'], 'conversation' | 'setStatus'>;
  },
  id: string,
  change: { status: TicketStatus; action: string; by: AuditChange['principal'] },
): Promise<'done' | 'missing'> {
  const { status, action, by } = change;
  const ticket = (await tickets.conversation(id, { limit: 1 }))?.ticket;
  if (ticket === undefined) return 'missing';
  if (ticket.status !== status)
    await audit.record({
      at: seam.now(),
      principal: by,
      action,
      subject: { kind: 'ticket', id, name: `#${ticket.number}` },
      before: { status: ticket.status },
      after: { status },
    });
  const outcome = await tickets.setStatus(id, status);
  return outcome === 'missing' ? 'missing' : 'done';
}
