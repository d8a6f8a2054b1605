import { messageRowKey } from '../tickets/message-records.ts';
import type { IntakeDeps, Work } from './batch.ts';
import type { LedgerMail } from './ledger.ts';
import { limits } from './plan-batches.ts';

/**
 * Returns the reason an email is not tried again, or undefined. A decided email gets one more attempt: if
 * storage refuses it rather than the process dying, that attempt catches the error and reports it. Pure.
 */
export function whyAbandoned({ attempts, state }: LedgerMail): string | undefined {
  const most = state === 'received' ? limits.attempts : limits.attempts + 1;
  if (attempts <= most) return undefined;
  return `the app stopped ${attempts - 1} times while it processed this email`;
}

type ForceDeps = Pick<IntakeDeps, 'tables' | 'ledger'>;

/**
 * Replaces a decision that cannot be applied with quarantine, unless the message is already in its ticket.
 */
export async function forceQuarantine(
  { tables, ledger }: ForceDeps,
  mailboxId: string,
  { mail, stored }: Work,
  reason: string,
): Promise<void> {
  const now = (await ledger.emails(mailboxId, [mail.key])).get(mail.key);
  const ticketId = now?.decision?.ticketId;
  if (now?.state !== 'decided' || ticketId === undefined) return;
  const rowKey = messageRowKey(stored.receivedAt, mail.key);
  if ((await tables.open('Tickets').get(ticketId, rowKey)) !== undefined) return;
  await ledger.forceQuarantine(mailboxId, now, {
    disposition: 'quarantine',
    ticketId: undefined,
    number: undefined,
    opens: false,
    follows: undefined,
    reason,
  });
}

/** Quarantines a decided email after too many runs have died while applying its decision. */
export async function abandoned(deps: ForceDeps, mailboxId: string, each: Work): Promise<Work> {
  const { mail } = each;
  const reason = whyAbandoned(mail);
  if (mail.state !== 'decided' || reason === undefined) return each;
  await forceQuarantine(deps, mailboxId, each, reason);
  const now = (await deps.ledger.emails(mailboxId, [mail.key])).get(mail.key);
  return now === undefined ? each : { ...each, mail: now };
}
