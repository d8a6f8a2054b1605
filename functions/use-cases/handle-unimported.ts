import type { AuditChange } from '../../shared/audit/audit.ts';
import { queueTask } from '../../shared/intake/fetch-again.ts';
import { refOfPlace } from '../../shared/intake/ledger.ts';
import {
  type Handled,
  partsOfEntryKey,
  type QuarantineEntry,
} from '../../shared/intake/quarantine-records.ts';
import {
  openTicketAnyway,
  retryUnimported,
  type UnimportedOutcome,
} from '../../shared/intake/unimported-email.ts';
import type { Services } from '../services.ts';

type By = AuditChange['principal'];
/** The code of the message for the page, and the ticket's number. */
interface PageMessage {
  flash: string;
  number?: number;
}
type Deps = Pick<Services, 'audit' | 'intake' | 'mailboxes' | 'quarantine' | 'queues' | 'seam'>;

/**
 * Imports an email again from its stored original, or queues a new download from the mail server. The audit
 * entry is written first.
 */
export async function tryAgain(services: Deps, entry: QuarantineEntry, by: By): Promise<PageMessage> {
  const mailbox = await services.mailboxes.get(entry.mailboxId);
  if (mailbox === undefined) return { flash: 'deleted' };
  await record(services, entry, by, 'tried again');
  const outcome = await retryUnimported(services.intake, mailbox, entry);
  if (outcome.kind === 'on-server') {
    const { place } = partsOfEntryKey(entry.key);
    await queueTask(services.queues, mailbox.id, { kind: 'again', refs: [refOfPlace(place)], by: by.name });
    return { flash: 'asked' };
  }
  return resolveEntry(services, entry, by, { outcome, as: 'imported' });
}

/** Opens a ticket with the original attached, whatever the email contains. The audit entry is written first. */
export async function makeTicket(services: Deps, entry: QuarantineEntry, by: By): Promise<PageMessage> {
  await record(services, entry, by, 'made a ticket');
  const mailbox = await services.mailboxes.get(entry.mailboxId);
  const outcome = await openTicketAnyway(services.intake, entry, mailbox);
  return resolveEntry(services, entry, by, { outcome, as: 'ticket made' });
}

/** Marks an email as needing no action. The audit entry is written first. */
export async function dismiss(services: Deps, entry: QuarantineEntry, by: By): Promise<void> {
  await record(services, entry, by, 'dismissed');
  await services.quarantine.markHandled(entry, { outcome: 'dismissed', at: isoNow(services), by: by.name });
}

async function resolveEntry(
  services: Deps,
  entry: QuarantineEntry,
  by: By,
  { outcome, as }: { outcome: UnimportedOutcome; as: Handled['outcome'] },
): Promise<PageMessage> {
  if (outcome.kind !== 'in-ticket') return { flash: 'again' };
  const { ticket } = outcome;
  await services.quarantine.markHandled(entry, { outcome: as, at: isoNow(services), by: by.name, ticket });
  return { flash: 'ticket', number: ticket.number };
}

const isoNow = ({ seam }: Pick<Services, 'seam'>): string => new Date(seam.now()).toISOString();

function record(services: Deps, entry: QuarantineEntry, by: By, action: string): Promise<void> {
  const { key, mailboxId, at } = entry;
  return services.audit.record({
    at: services.seam.now(),
    principal: by,
    action,
    subject: { kind: 'quarantine', id: key, name: `email of ${at.slice(0, 10)}` },
    after: { mailbox: mailboxId },
  });
}
