/** Blocks and unblocks the sender of a ticket with one click. For agents. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import { changeSenderRule } from '../../../shared/senders/change-sender-rule.ts';
import { parseSender, ruleFor, type SenderRule } from '../../../shared/senders/sender-rule.ts';
import type { Ticket } from '../../../shared/tickets/ticket.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { StatusLabel } from '../../../shared/ui/lists.tsx';
import { type MailContext, mailServices } from './mail-services.ts';
import { ownId } from './message-files.ts';

/** The block state of a ticket's sender; undefined if there is no address to block. */
export interface SenderState {
  address: string;
  rule: SenderRule | undefined;
}

/**
 * Our own mailboxes can't be blocked with a click: that would also drop email that people send through them.
 */
export async function senderStateOf(c: MailContext, ticket: Ticket): Promise<SenderState | undefined> {
  const { senderRules, mailboxes } = mailServices(c);
  const address = parseSender(ticket.requester.address ?? '');
  if (address === undefined || !address.includes('@')) return undefined;
  const [rules, known] = await Promise.all([senderRules.list(), mailboxes.list()]);
  const rule = ruleFor(rules, address);
  const isOwn = known.some((mailbox) => mailbox.address.toLowerCase() === address);
  return isOwn && rule === undefined ? undefined : { address, rule };
}

export const blockSender = (c: MailContext): Promise<Response> => change(c, 'blocked');
export const unblockSender = (c: MailContext): Promise<Response> => change(c, undefined);

async function change(c: MailContext, kind: 'blocked' | undefined): Promise<Response> {
  const id = ownId(c, 'id');
  const page = id === undefined ? undefined : await mailServices(c).tickets.conversation(id, { limit: 1 });
  const state = page && (await senderStateOf(c, page.ticket));
  if (page === undefined || state === undefined) return c.notFound();
  // Only admins change an always-allowed sender or a rule for a whole domain.
  if (state.rule !== undefined && (state.rule.kind === 'allowed' || state.rule.sender !== state.address))
    return c.redirect(paths.ticket(page.ticket), 303);
  await changeSenderRule(c.get('services'), state.address, kind, c.get('principal'));
  return c.redirect(paths.ticket(page.ticket, { flash: kind ?? 'unblocked' }), 303);
}

export function SenderControl(props: { ticket: Ticket; state: SenderState | undefined }): JSX.Element | null {
  const { ticket, state } = props;
  if (state === undefined) return null;
  const { rule, address } = state;
  if (rule?.kind === 'allowed') return <StatusLabel kind="quiet">Sender always allowed</StatusLabel>;
  if (rule !== undefined && rule.sender !== address)
    return <StatusLabel kind="bad">{`${rule.sender} is blocked`}</StatusLabel>;
  return (
    <>
      {rule === undefined ? null : <StatusLabel kind="bad">Sender blocked</StatusLabel>}
      <form
        method="post"
        action={rule === undefined ? paths.blockSender(ticket) : paths.unblockSender(ticket)}
      >
        <SubmitButton kind="secondary">
          {rule === undefined ? 'Block this sender' : 'Unblock this sender'}
        </SubmitButton>
      </form>
    </>
  );
}
