import type { AuditChange } from '../../shared/audit/audit.ts';
import { isOwnAddress } from '../../shared/mailboxes/own-address.ts';
import { isEnvelopeAddress } from '../../shared/outbox/outgoing-mail.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { parseRecipients } from '../../shared/replies/reply-recipients.ts';
import { assigneeKey } from '../../shared/tickets/assignee.ts';
import type { Person, Ticket } from '../../shared/tickets/ticket.ts';
import type { Services } from '../services.ts';
import type { ReplyContext } from './reply-context.ts';

/** A signed-in person as an assignee; without an address if their sign-in states no valid one. Pure. */
export const personOf = ({ name, address }: Pick<Principal, 'name' | 'address'>): Person => ({
  name,
  address: address !== undefined && isEnvelopeAddress(address) ? address : undefined,
});

/** Whom the ticket page suggests: who replied to the ticket, and the agents of its mailbox. Pure. */
export function knownPeople({ mailbox, sent }: Pick<ReplyContext, 'mailbox' | 'sent'>): Person[] {
  const replied = sent.map(({ by, written }): Person => ({ name: by, address: written?.address }));
  const { alertOnTicket = [], alertOnReply = [] } = mailbox?.answers ?? {};
  const agents = [...alertOnTicket, ...alertOnReply].map((address): Person => ({ name: undefined, address }));
  const known = new Map<string, Person>();
  for (const person of [...replied, ...agents])
    if (person.address !== undefined && !known.has(assigneeKey(person)))
      known.set(assigneeKey(person), person);
  return [...known.values()];
}

/**
 * The person at a typed address, with their name if they are known. Pure.
 * @param own lower-case addresses of all our mailboxes
 * @returns `refused` with a sentence for the person who typed it
 */
export function personAt(
  typed: string,
  known: readonly Person[],
  own: ReadonlySet<string>,
): { kind: 'person'; person: Person } | { kind: 'refused'; problem: string } {
  const refused = (problem: string) => ({ kind: 'refused', problem }) as const;
  const parsed = parseRecipients(typed, isEnvelopeAddress);
  if (parsed.kind === 'invalid') return refused(`${parsed.wrong[0]} is not an email address.`);
  const [address, ...more] = parsed.addresses;
  if (address === undefined || more.length > 0) return refused('Enter one email address.');
  if (isOwnAddress(address, own))
    return refused(`${address} is a mailbox of this installation. Enter the address of a person.`);
  const person = { name: undefined, address };
  return {
    kind: 'person',
    person: known.find((each) => assigneeKey(each) === assigneeKey(person)) ?? person,
  };
}

/**
 * Assigns a ticket to a person, or to nobody. The audit entry is written before the ticket changes; there is none
 * if nothing would change.
 * @param change `from`: the `assigneeKey` that the person has seen
 * @returns `changed` if the ticket has another assignee by now
 */
export async function assignTicket(
  {
    audit,
    seam,
    tickets,
  }: Pick<Services, 'audit' | 'seam'> & { tickets: Pick<Services['tickets'], 'conversation' | 'assign'> },
  id: string,
  change: { from: string; to: Person | undefined; by: Principal },
): Promise<'done' | 'changed' | 'missing'> {
  const { from, to, by } = change;
  const ticket = (await tickets.conversation(id, { limit: 1 }))?.ticket;
  if (ticket === undefined) return 'missing';
  const now = assigneeKey(ticket.assignee);
  if (now !== assigneeKey(to)) {
    if (now !== from) return 'changed';
    await audit.record(assignmentEntry(ticket, to, by, seam.now()));
  }
  return tickets.assign(id, { from, to });
}

/** The entry of the audit log. Pure. */
export const assignmentEntry = (
  { id, number, assignee }: Pick<Ticket, 'id' | 'number' | 'assignee'>,
  to: Person | undefined,
  principal: Principal,
  at: number,
): AuditChange => ({
  at,
  principal,
  action: to === undefined ? 'unassigned' : 'assigned',
  subject: { kind: 'ticket', id, name: `#${number}` },
  before: { assignee: assignee && (assignee.address ?? assignee.name) },
  after: { assignee: to && (to.address ?? to.name) },
});
