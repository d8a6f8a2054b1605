import type { Blobs } from '../platform/blobs.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Body } from '../tickets/message-records.ts';
import { INLINE_CHARACTERS } from '../tickets/ticket-columns.ts';
import { type DeliveryKind, queuedDelivery } from './delivery.ts';
import { ownRecipients } from './may-send.ts';
import type { MessageIds } from './message-id.ts';
import type { OutboxAttachment, OutboxMessage, Written } from './outbox-message.ts';
import { envelopeProblem, recipientsOf } from './outgoing-mail.ts';

export interface ComposeDeps {
  blobs: Pick<Blobs, 'putOnce'>;
  messageIds: Pick<MessageIds, 'make'>;
}

/** What an email of a ticket is composed of. */
export interface EmailParts {
  ticketId: string;
  /** See `OutboxMessage`. */
  id: string;
  kind: DeliveryKind;
  /** The ticket's mailbox, which sends it. */
  mailbox: { id: string; address: string; name?: string | undefined };
  /** Addresses of all mailboxes of the installation. */
  ownMailboxes: readonly string[];
  to: readonly string[];
  cc?: readonly string[] | undefined;
  bcc?: readonly string[] | undefined;
  /** Address for replies; absent: the mailbox. */
  replyTo?: string | undefined;
  subject: string;
  text: string;
  html?: string | undefined;
  attachments?: readonly OutboxAttachment[] | undefined;
  /** Message-IDs of the conversation, oldest first; those that are not valid are left out. */
  references: readonly string[];
  by?: string | undefined;
  /** What a person wrote: Markdown, and what an undo puts back. */
  written?: (Written & { source: string }) | undefined;
  /** ISO time; for an acknowledgement that of the email it answers, so that a rerun composes the same. */
  createdAt: string;
  /** Milliseconds from `createdAt` in which it can be withdrawn; absent: it leaves at once. */
  delayMs?: number | undefined;
}

/** More would only make the header longer; the first and the last decide where it is shown. */
const REFERENCES = 20;
const MESSAGE_ID = /^<[^\s<>]{1,200}@[^\s<>]{1,200}>$/;

/**
 * What tells machines not to answer (RFC 3834 section 5; Microsoft's [MS-OXCMAIL] section 2.2.3.2.14). Graph
 * drops headers that begin with X-, so no promise depends on those. `X-Postroom` tells other installations.
 */
const headersOf: Readonly<Record<DeliveryKind, Readonly<Record<string, string>>>> = {
  acknowledgement: {
    'Auto-Submitted': 'auto-replied',
    'X-Auto-Response-Suppress': 'All',
    'X-Postroom': 'acknowledgement',
  },
  notification: {
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'X-Postroom': 'alert',
  },
  reply: {},
};

/**
 * Composes an email that is to leave; its Message-ID is final. A text too long for a row is stored first.
 * @returns `refused` with a sentence for the person who wrote it
 * @throws PostroomError when the vault or storage is unavailable, `bad-key` for an invalid `id`
 */
export async function composeEmail(
  { blobs, messageIds }: ComposeDeps,
  parts: EmailParts,
): Promise<{ kind: 'composed'; message: OutboxMessage } | { kind: 'refused'; problem: string }> {
  const { ticketId, id, kind, mailbox, ownMailboxes, to, cc = [], bcc = [], attachments = [] } = parts;
  if (!/^[a-z0-9]{1,32}$/.test(id)) throw new PostroomError('bad-key', 'The ID of an email is not one');
  const known = parts.references.filter((each) => MESSAGE_ID.test(each));
  const references =
    known.length > REFERENCES ? [...known.slice(0, 1), ...known.slice(1 - REFERENCES)] : known;
  const from = { address: mailbox.address, name: mailbox.name };
  const headers = { ...headersOf[kind], ...(parts.replyTo !== undefined && { 'Reply-To': parts.replyTo }) };
  const domain = mailbox.address.slice(mailbox.address.lastIndexOf('@') + 1);
  const envelope = { from, to, cc, bcc, subject: parts.subject, references, headers };
  const content = {
    text: '',
    messageId: '<a@b>',
    attachments: attachments.map((file) => ({ ...file, content: empty })),
  };
  const problem = envelopeProblem({ ...envelope, ...content });
  if (problem !== undefined) return { kind: 'refused', problem };
  const [own] = ownRecipients({
    kind,
    to: recipientsOf(envelope),
    ticketMailbox: mailbox.address,
    ownMailboxes,
  });
  if (own !== undefined)
    return {
      kind: 'refused',
      problem: `${own} is a mailbox of this installation: the email would come back.`,
    };
  const store = async (name: string, text: string): Promise<Body> => {
    if (text.length <= INLINE_CHARACTERS) return { kind: 'inline', text };
    const blob = `out/${ticketId}/${id}/${name}`;
    await blobs.putOnce(blob, Buffer.from(text));
    return { kind: 'blob', blob };
  };
  const due = new Date(Date.parse(parts.createdAt) + (parts.delayMs ?? 0)).toISOString();
  return {
    kind: 'composed',
    message: {
      ticketId,
      id,
      kind,
      mailboxId: mailbox.id,
      createdAt: parts.createdAt,
      by: parts.by,
      ...envelope,
      text: await store('text', parts.text),
      html: parts.html === undefined ? undefined : await store('html', parts.html),
      attachments,
      messageId: await messageIds.make({ ticketId, id }, asciiDomain(domain)),
      delivery: queuedDelivery(due),
      ...(parts.written !== undefined && (await storeWritten(parts.written, store))),
    },
  };
}

const storeWritten = async (
  { source, ...written }: Written & { source: string },
  store: (name: string, text: string) => Promise<Body>,
): Promise<Pick<OutboxMessage, 'written' | 'source'>> => ({ written, source: await store('source', source) });

const empty = new Uint8Array();

/** A Message-ID is ASCII, whatever the mailbox's domain is written in (UTS 46). */
const asciiDomain = (domain: string): string => new URL(`https://${domain}`).hostname;
