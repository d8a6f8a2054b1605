import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { Seam } from '../platform/seam.ts';
import { telemetry } from '../platform/telemetry.ts';
import type { QuarantineStore } from './quarantine-store.ts';

const MINUTE = 60_000;
/** Each mailbox has its turn once in this many minutes. */
const ROUND_MINUTES = 60;
/** Counts only the newest entries. A mailbox with more needs a person, not a number. */
const MAX_COUNTED = 999;

/**
 * Measures the quarantine of the mailboxes whose turn this minute is: with a thousand mailboxes, that is
 * seventeen requests a minute.
 * @throws PostroomError `table-storage` if storage is unavailable
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
    const count = entries.filter(({ kind }) => kind === 'quarantined').length;
    telemetry.measure('quarantineSize', count, { mailbox });
  }
}
