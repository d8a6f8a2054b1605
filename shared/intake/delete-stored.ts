import type { Cursor } from '../mailboxes/cursor.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import { log } from '../platform/log.ts';
import type { FetchDeps } from './fetch-mailbox.ts';
import type { FetchSession } from './fetch-session.ts';

const DAY_MS = 86_400_000;
/** Once a day, regardless of when the fetch runs. */
const PAUSE_MS = 20 * 3_600_000;
/**
 * Only the newest of the old emails in a large folder: older ones were read before the mailbox was connected.
 */
const MAX_EMAILS = 5_000;
const AT_ONCE = 250;

/**
 * Deletes from the server, once a day, emails that are older than the mailbox's number of days and are stored
 * in a ticket. Everything else stays there: skipped, unimported and never fetched email.
 * @returns the cursor to save; undefined: nothing was due. If the server refuses or drops the connection, the
 * fetch still counts as successful, and the deletion is retried the next day.
 */
export async function deleteStored(
  { ledger, seam }: Pick<FetchDeps, 'ledger' | 'seam'>,
  mailbox: Mailbox,
  { inbox }: Pick<FetchSession, 'inbox'>,
  cursor: Cursor | undefined,
  mayGoOn: () => boolean,
): Promise<Cursor | undefined> {
  const { afterFetch } = mailbox;
  const now = seam.now();
  if (afterFetch.kind !== 'delete-later' || cursor === undefined || !isDeletionDue(mailbox, cursor, now))
    return undefined;
  try {
    await deleteBefore({ ledger }, mailbox, inbox, now - afterFetch.days * DAY_MS, mayGoOn);
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    log.warn('stored mail not deleted', { mailbox: mailbox.id, code: error.code });
  }
  return { ...cursor, deletedAt: new Date(now).toISOString() };
}

/** Whether a day has passed since the mailbox's last deletion. Pure. @param now milliseconds since the epoch */
export function isDeletionDue(
  { afterFetch }: Pick<Mailbox, 'afterFetch'>,
  cursor: Cursor | undefined,
  now: number,
): boolean {
  if (afterFetch.kind !== 'delete-later' || cursor === undefined || cursor.first !== undefined) return false;
  return Math.abs(now - Date.parse(cursor.deletedAt ?? '1970-01-01')) >= PAUSE_MS;
}

/** @param before milliseconds since the epoch */
async function deleteBefore(
  { ledger }: Pick<FetchDeps, 'ledger'>,
  mailbox: Mailbox,
  inbox: Inbox,
  before: number,
  mayGoOn: () => boolean,
): Promise<void> {
  const scope = { folderKey: folderKeyOf(mailbox), validity: inbox.validity };
  const old = (await inbox.receivedBefore(new Date(before).toISOString())).slice(-MAX_EMAILS);
  for (let start = 0; start < old.length && mayGoOn(); start += AT_ONCE) {
    const metas = await inbox.fetchMeta(old.slice(start, start + AT_ONCE));
    const places = await ledger.lookUp(mailbox.id, scope, metas);
    const emails = await ledger.emails(
      mailbox.id,
      [...places.values()].map(({ key }) => key),
    );
    const stored = metas.filter(({ ref, receivedAt }) => {
      const mail = emails.get(places.get(ref)?.key ?? '');
      // The server compares only days. An email that is a few hours too new waits for the next day.
      return (
        Date.parse(receivedAt) < before && mail?.state === 'done' && mail.decision?.disposition === 'ticket'
      );
    });
    if (stored.length === 0) continue;
    if ((await inbox.currentValidity()) !== inbox.validity) return;
    await inbox.remove(stored.map(({ ref }) => ref));
  }
}
