import { isOwnAddress } from '../mailboxes/own-address.ts';
import type { DeliveryKind } from './delivery.ts';

/** Who an email of a ticket may go to. Pure. */
export interface Recipients {
  kind: DeliveryKind;
  to: readonly string[];
  /** Address of the ticket's mailbox. */
  ticketMailbox: string;
  /** Addresses of all mailboxes of the installation. */
  ownMailboxes: readonly string[];
}

/**
 * The recipients that are mailboxes of ours, to which this email must not go: it would come back as a ticket,
 * whose acknowledgement comes back again. A person may write to the mailbox of the ticket itself. Pure.
 */
export function ownRecipients({ kind, to, ticketMailbox, ownMailboxes }: Recipients): string[] {
  const all = new Set(ownMailboxes.map((address) => address.toLowerCase()));
  const ofTicket = new Set([ticketMailbox.toLowerCase()]);
  return to.filter(
    (address) => isOwnAddress(address, all) && !(kind === 'reply' && isOwnAddress(address, ofTicket)),
  );
}
