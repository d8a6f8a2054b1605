/** The buttons that assign a ticket. For agents. */
import { paths } from '../../../shared/paths/paths.ts';
import type { Person } from '../../../shared/tickets/ticket.ts';
import { formData } from '../../http/form-data.ts';
import { assignTicket, knownPeople, personAt, personOf } from '../../use-cases/assign-ticket.ts';
import { ownAddressesOf, readReplyContext } from '../../use-cases/reply-context.ts';
import { ASSIGN_TO } from './assignment-view.tsx';
import type { MailContext } from './mail-services.ts';
import { ownId } from './message-files.ts';
import { ticketPage } from './ticket-page.tsx';

/** For a browser that asks again for a page with a correction: the forms are on the ticket. */
export function showAssignment(c: MailContext): Response | Promise<Response> {
  const id = ownId(c, 'id');
  return id === undefined ? c.notFound() : c.redirect(paths.ticket({ id }), 303);
}

export async function postAssignment(c: MailContext): Promise<Response> {
  const by = c.get('principal');
  const id = ownId(c, 'id');
  const context = id === undefined ? undefined : await readReplyContext(c.get('services'), id);
  if (id === undefined || context === undefined) return c.notFound();
  const fields = await formData(c);
  let to: Person | undefined;
  if (fields['to'] === 'me') to = personOf(by);
  else if (fields['to'] !== 'nobody') {
    const typed = fields[ASSIGN_TO] ?? '';
    const read = personAt(typed, [personOf(by), ...knownPeople(context)], ownAddressesOf(context));
    if (read.kind === 'refused')
      return ticketPage(c, id, { assignment: { typed, problem: read.problem }, status: 422 });
    to = read.person;
  }
  const outcome = await assignTicket(c.get('services'), id, { from: fields['from'] ?? '', to, by });
  if (outcome === 'missing') return c.notFound();
  const done = to === undefined ? 'unassigned' : 'assigned';
  return c.redirect(paths.ticket({ id }, { flash: outcome === 'changed' ? 'assignee-changed' : done }), 303);
}
