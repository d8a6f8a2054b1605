import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { Seam } from '../platform/seam.ts';
import { telemetry } from '../platform/telemetry.ts';
import type { QuarantineStore } from './quarantine-store.ts';

const MINUTE = 60_000;
/** In so many minutes the turn comes to every mailbox once. */
const ROUND_MINUTES = 60;
/** Of the newest entries. Beyond that many, a mailbox needs a person and not a number. */
const MAX_COUNTED = 999;

/**
 * Measures how much of a mailbox lies in quarantine, for those mailboxes whose turn this minute is: a thousand of them
 * cost seventeen questions a minute.
 * @throws PostroomError `table-storage` when storage is away.
 */
export async function measureQuarantine(deps: {
  seam: Pick<Seam, 'now'>;
  mailboxes: Pick<MailboxStore, 'list'>;
  quarantine: Pick<QuarantineStore, 'page'>;
}): Promise<void> {
  const turn = Math.floor(deps.seam.now() / MINUTE) % ROUND_MINUTES;
  const due = (await deps.mailboxes.list()).filter((_mailbox, index) => index % ROUND_MINUTES === turn);
  for (const { id: mailbox } of due) {
    const { entries } = await deps.quarantine.page(mailbox, { limit: MAX_COUNTED });
    const kept = entries.filter(({ kind }) => kind === 'quarantined').length;
    telemetry.measure('quarantineSize', kept, { mailbox });
  }
}
