import { messageRowKey } from '../tickets/message-records.ts';
import type { IntakeDeps, Work } from './batch.ts';
import type { LedgerMail } from './ledger.ts';
import { limits } from './plan-batches.ts';

/**
 * Why an email is not tried again, if so. A decided one has an attempt more: where it is not death that ends them but a
 * storage that refuses it, that attempt is caught and says so. Pure.
 */
export function whyAbandoned({ attempts, state }: LedgerMail): string | undefined {
  const most = state === 'received' ? limits.attempts : limits.attempts + 1;
  if (attempts <= most) return undefined;
  return `the app ended ${attempts - 1} times while it worked on this email`;
}

type GiveUpDeps = Pick<IntakeDeps, 'tables' | 'ledger'>;

/** A decision that cannot be carried out gives way to quarantine, unless the message did reach its ticket. */
export async function forceQuarantine(
  { tables, ledger }: GiveUpDeps,
  mailboxId: string,
  { mail, stored }: Work,
  reason: string,
): Promise<void> {
  const now = (await ledger.mails(mailboxId, [mail.key])).get(mail.key);
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

/** What was decided, and every run died over since, is not tried again. */
export async function abandoned(deps: GiveUpDeps, mailboxId: string, each: Work): Promise<Work> {
  const { mail } = each;
  const reason = whyAbandoned(mail);
  if (mail.state !== 'decided' || reason === undefined) return each;
  await forceQuarantine(deps, mailboxId, each, reason);
  const now = (await deps.ledger.mails(mailboxId, [mail.key])).get(mail.key);
  return now === undefined ? each : { ...each, mail: now };
}
