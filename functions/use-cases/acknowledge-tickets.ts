import { reserveAcknowledgements } from '../../shared/acknowledgements/acknowledgement-window-store.ts';
import { windowReasons } from '../../shared/acknowledgements/acknowledgement-windows.ts';
import { composeAcknowledgement } from '../../shared/acknowledgements/compose-acknowledgement.ts';
import {
  decideAcknowledgement,
  silenceReasons,
} from '../../shared/acknowledgements/decide-acknowledgement.ts';
import {
  type Acknowledgements,
  noAcknowledgements,
  type OpenedTicket,
} from '../../shared/intake/acknowledgements.ts';
import type { AnswerSettings } from '../../shared/mailboxes/answer-settings.ts';
import { isFromBefore } from '../../shared/mailboxes/first-fetch.ts';
import { recordMailLoop } from '../../shared/mailboxes/mail-loops.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { type ComposeDeps, composeEmail } from '../../shared/outbox/compose-email.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import type { OutboxStore } from '../../shared/outbox/outbox-store.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import type { Row, Tables } from '../../shared/platform/tables.ts';
import { ACKNOWLEDGEMENT_ID } from '../../shared/tickets/email-ids.ts';
import { replyToOf } from '../../shared/tickets/plus-address.ts';

export interface AcknowledgeDeps extends ComposeDeps {
  seam: Pick<Seam, 'now'>;
  tables: Tables;
  outbox: Pick<OutboxStore, 'announce' | 'changeOf' | 'enqueue'>;
  /** Lower-case addresses of all mailboxes. */
  ownAddresses(): Promise<ReadonlySet<string>>;
}

/**
 * Acknowledges the new tickets of mailboxes that do so. In this order, so that a process may end anywhere and
 * nobody is acknowledged twice: the windows count the message, the timetable has the email, its row is written in
 * the transaction that opens the ticket.
 */
export function createAcknowledgements(deps: AcknowledgeDeps): Acknowledgements {
  return {
    async prepare(mailbox, opened) {
      const template = mailbox.answers?.acknowledgement;
      if (template === undefined || opened.length === 0) return noAcknowledgements;
      const own = await deps.ownAddresses();
      const silences = new Map<string, string>();
      const wanted = await withinWindows(
        deps,
        mailbox,
        wantedOf(mailbox, opened, own, deps.seam.now(), silences),
        silences,
      );
      const emails = new Map<string, OutboxMessage>();
      for (const each of wanted) {
        const composed = await compose(deps, mailbox, template, each, own);
        if (composed.kind === 'composed') emails.set(each.opened.message.key, composed.message);
        else silences.set(each.opened.message.key, composed.problem);
      }
      const all = [...emails.values()];
      await deps.outbox.announce(all);
      return {
        rows: new Map([...emails].map(([key, email]) => [key, rowsOf(deps.outbox, email)])),
        silences,
        send: () => deps.outbox.enqueue(all),
      };
    },
  };
}

interface Wanted {
  opened: OpenedTicket;
  to: string;
}

/** Pure, but for the sentences that it adds to `silences`. */
function wantedOf(
  mailbox: Mailbox,
  opened: readonly OpenedTicket[],
  ownAddresses: ReadonlySet<string>,
  now: number,
  silences: Map<string, string>,
): Wanted[] {
  return opened.flatMap((each): Wanted[] => {
    const { message, mail } = each;
    const decision = decideAcknowledgement(
      {
        ...mail,
        messageClass: message.messageClass ?? 'person',
        receivedAt: message.at,
        opensTicket: true,
        failsAuthentication: message.authentication?.fails === true,
        isOwn: message.messageClass === 'own',
        isFirstFetch: isFromBefore(mailbox, message.at),
      },
      { acknowledges: true, ownAddresses },
      now,
    );
    if (decision.kind === 'send') return [{ opened: each, to: decision.to }];
    silences.set(message.key, silenceReasons[decision.reason]);
    return [];
  });
}

async function withinWindows(
  { tables, seam }: AcknowledgeDeps,
  mailbox: Mailbox,
  wanted: readonly Wanted[],
  silences: Map<string, string>,
): Promise<Wanted[]> {
  if (wanted.length === 0) return [];
  const requests = wanted.map(({ opened, to }) => ({ key: opened.message.key, to }));
  const verdicts = await reserveAcknowledgements(tables, mailbox.id, requests, seam.now());
  const open: Wanted[] = [];
  let loop: Parameters<typeof recordMailLoop>[1] | undefined;
  for (const each of wanted) {
    const { key, at } = each.opened.message;
    const verdict = verdicts.get(key);
    if (verdict?.kind === 'open') open.push(each);
    if (verdict?.kind !== 'closed') continue;
    silences.set(key, windowReasons[verdict.window]);
    const { ticketId } = each.opened;
    if (verdict.loop !== undefined)
      loop = {
        mailboxId: mailbox.id,
        sender: each.to,
        at,
        ticketId,
        count: verdict.loop,
        stopsAcknowledgements: true,
      };
  }
  if (loop !== undefined) await recordMailLoop(tables, loop);
  return open;
}

async function compose(
  deps: AcknowledgeDeps,
  mailbox: Mailbox,
  template: NonNullable<AnswerSettings['acknowledgement']>,
  { opened: { ticketId, number, message }, to }: Wanted,
  own: ReadonlySet<string>,
): ReturnType<typeof composeEmail> {
  const ticket = { number, subject: message.subject, requester: message.from };
  const { subject, text, html, references } = await composeAcknowledgement(
    template,
    { ticket, mailbox },
    message,
  );
  return composeEmail(deps, {
    ticketId,
    id: ACKNOWLEDGEMENT_ID,
    kind: 'acknowledgement',
    mailbox: { id: mailbox.id, address: mailbox.address, name: mailbox.answers?.name },
    ownMailboxes: [...own],
    to: [to],
    replyTo: replyToOf(mailbox, number),
    subject,
    text,
    html,
    references,
    createdAt: message.at,
  });
}

function rowsOf(outbox: Pick<OutboxStore, 'changeOf'>, email: OutboxMessage): Row[] {
  const change = outbox.changeOf(email);
  return change.kind === 'insert' ? [change.row] : [];
}
