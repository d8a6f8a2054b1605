import { composeEmail } from '../../shared/outbox/compose-email.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { seenToken } from '../../shared/replies/changes-since.ts';
import { draftLimits, type ReplyDraft } from '../../shared/replies/reply-draft.ts';
import { assigneeKey } from '../../shared/tickets/assignee.ts';
import { replyToOf } from '../../shared/tickets/plus-address.ts';
import type { Ticket, TicketStatus } from '../../shared/tickets/ticket.ts';
import type { Services } from '../services.ts';
import { assignmentEntry, assignTicket, personOf } from './assign-ticket.ts';
import { composeDraft, type ReplyContext, readReplyContext, ticketState } from './reply-context.ts';
import { setTicketStatus } from './set-ticket-status.ts';

export interface ReplyToSend {
  /** Chosen by the form, so that a form that is posted twice sends once. */
  id: string;
  draft: ReplyDraft;
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  /** The ticket's status afterwards; undefined: unchanged. */
  status: 'waiting' | 'closed' | undefined;
  by: Principal;
}

type Deps = Pick<
  Services,
  'config' | 'seam' | 'audit' | 'blobs' | 'messageIds' | 'outbox' | 'tickets' | 'drafts'
>;

/**
 * Puts a reply into the outbox, changes the ticket and removes the draft, in this order: after a crash, the reply
 * leaves, and the draft may still be there. A ticket without an assignee is assigned to the person. Sending the same
 * `id` again changes nothing.
 * @returns `refused` with a sentence for the person who wrote it
 * @throws PostroomError when storage or the vault is unavailable
 */
export async function sendReply(
  services: Deps,
  context: ReplyContext,
  reply: ReplyToSend,
): Promise<{ kind: 'queued' } | { kind: 'refused'; problem: string }> {
  const { config, seam, drafts } = services;
  const { ticket, mailbox, ownMailboxes } = context;
  if (mailbox === undefined) return { kind: 'refused', problem: 'The mailbox of this ticket was deleted.' };
  const { id, draft, by, to, cc, bcc } = reply;
  const status = reply.status === ticket.status ? undefined : reply.status;
  const { subject, text, html, references } = await composeDraft(services.tickets, context, draft);
  const composed = await composeEmail(services, {
    ticketId: ticket.id,
    id,
    kind: 'reply',
    mailbox: { id: mailbox.id, address: mailbox.address, name: mailbox.answers?.name },
    ownMailboxes,
    to,
    cc,
    bcc,
    subject,
    text,
    html,
    attachments: draft.attachments.map(({ id: _, ...file }) => file),
    references,
    replyTo: replyToOf(mailbox, ticket.number),
    by: by.name,
    createdAt: new Date(seam.now()).toISOString(),
    delayMs: config.undoSendSeconds * 1000,
    written: {
      personId: by.id,
      address: personOf(by).address,
      quotes: draft.quotes,
      source: draft.text,
      ...(status !== undefined && { statusBefore: ticket.status, statusAfter: status }),
    },
  });
  if (composed.kind === 'refused') return composed;
  await queueReply(services, ticket, composed.message, by);
  if (status !== undefined)
    await setTicketStatus(services, ticket.id, { status, action: actionOf[status], by });
  await drafts.sent(ticket.id, by.id);
  return { kind: 'queued' };
}

/** Queues the reply and assigns the ticket in one transaction, so that there is never one without the other. */
async function queueReply(
  { audit, seam, outbox, tickets }: Deps,
  ticket: Pick<Ticket, 'id' | 'number'>,
  message: OutboxMessage,
  by: Principal,
): Promise<void> {
  const person = personOf(by);
  let isRecorded = false;
  for (;;) {
    const assigning = await tickets.firstAssignee(ticket.id, person);
    if (assigning !== undefined && !isRecorded) {
      await audit.record(assignmentEntry({ ...ticket, assignee: undefined }, person, by, seam.now()));
      isRecorded = true;
    }
    const written = message.written && { ...message.written, assigns: assigning !== undefined };
    const queued = await outbox.queue({ ...message, written }, assigning === undefined ? [] : [assigning]);
    if (queued.ok && assigning !== undefined) await tickets.rewriteIndexRow(ticket.id);
    // `exists`: this form was sent before. Otherwise, the ticket changed since it was read.
    if (queued.ok || queued.refusal === 'exists') return;
  }
}

/** Past participles for the audit log. */
const actionOf: Readonly<Record<'waiting' | 'closed', string>> = {
  waiting: 'set to waiting',
  closed: 'closed',
};

/**
 * Keeps a reply from leaving, and gives its text back as the person's draft. The ticket gets its former status, and
 * no assignee if it had none; not if somebody has changed that since.
 */
export async function undoReply(
  services: Pick<Services, 'seam' | 'audit' | 'outbox' | 'mailboxes' | 'tickets' | 'drafts'>,
  ref: { ticketId: string; id: string },
  by: Principal,
): Promise<'undone' | 'too-late' | 'missing'> {
  const outcome = await services.outbox.withdraw(ref);
  if (outcome !== 'withdrawn') return outcome;
  const message = (await services.outbox.get(ref))?.record;
  const { statusBefore, statusAfter, assigns, address } = message?.written ?? {};
  const ticket = (await services.tickets.conversation(ref.ticketId, { limit: 1 }))?.ticket;
  if (statusBefore !== undefined && ticket?.status === statusAfter)
    await setTicketStatus(services, ref.ticketId, {
      status: statusBefore,
      action: reopened[statusBefore],
      by,
    });
  if (assigns === true)
    await assignTicket(services, ref.ticketId, {
      from: assigneeKey({ name: message?.by, address }),
      to: undefined,
      by,
    });
  await editAgain(services, ref, by);
  return 'undone';
}

const reopened: Readonly<Record<TicketStatus, string>> = {
  open: 'reopened',
  waiting: 'set to waiting',
  closed: 'closed',
};

/**
 * Copies a reply into the person's draft. What they have written since then stays below it.
 * @returns false if there is no such reply, or Postroom wrote it
 */
export async function editAgain(
  services: Pick<Services, 'seam' | 'outbox' | 'mailboxes' | 'tickets' | 'drafts'>,
  ref: { ticketId: string; id: string },
  by: Principal,
): Promise<boolean> {
  const { seam, outbox, tickets, drafts } = services;
  const message = (await outbox.get(ref))?.record;
  const context = await readReplyContext(services, ref.ticketId);
  if (message?.source === undefined || context === undefined) return false;
  const seen = seenToken(ticketState(context));
  const source = (await tickets.readText(message.source, draftLimits.text))?.text ?? '';
  for (;;) {
    const stored = await drafts.get(ref.ticketId, by.id);
    const before = stored?.draft;
    const copied = message.attachments.map((file) => ({ ...file, id: file.blob.slice(-36) }));
    const known = new Set(before?.attachments.map(({ id }) => id));
    const draft: ReplyDraft = {
      ticketId: ref.ticketId,
      personId: by.id,
      personName: by.name,
      to: message.to.join(', '),
      cc: message.cc.join(', '),
      bcc: message.bcc.join(', '),
      text: [source, before?.text ?? ''].filter((text) => text.trim() !== '').join('\n\n'),
      quotes: message.written?.quotes ?? false,
      attachments: [...(before?.attachments ?? []), ...copied.filter(({ id }) => !known.has(id))],
      seen,
      savedAt: new Date(seam.now()).toISOString(),
    };
    if ((await drafts.save(draft, stored?.etag)).kind === 'saved') return true;
  }
}
