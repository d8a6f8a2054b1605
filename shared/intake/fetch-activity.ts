import { type Activity, fetchSentence } from '../activity/activity.ts';
import type { MailHour } from '../mailboxes/mail-hours.ts';
import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchResult } from './fetch-mailbox.ts';

/** Counts the emails of a fetch for the hourly totals of the home page. Pure. */
export const countOf = ({
  opened,
  replies,
  quarantined,
  skipped,
}: FetchResult & { kind: 'fetched' }): Omit<MailHour, 'hour'> => ({
  emails: opened + replies + quarantined + skipped,
  quarantined,
});

/**
 * Summarizes how much email waited on the server during an outage. Pure.
 * @param more the fetch left some for the next one
 */
export const recoveredSentence = (emails: number, more: boolean): string =>
  `Fetching works again, ${more ? 'at least ' : ''}${emails === 1 ? '1 email' : `${emails} emails`} recovered`;

/**
 * The activity row for a fetch that changed something: email arrived, or
 * the mailbox started or stopped failing. Pure.
 */
export function activityOf(
  { id, address }: Mailbox,
  result: FetchResult,
  before: FetchFailure | undefined,
  now: number,
  ms: number,
): Activity | undefined {
  const entry = { kind: 'fetch', at: new Date(now).toISOString(), aboutId: id, about: address, ms } as const;
  switch (result.kind) {
    case 'fetched':
    case 'nothing-new': {
      // Email that a person marked unread again is fetched and changes nothing.
      const isNew = result.kind === 'fetched' && countOf(result).emails > 0;
      if (isNew) {
        const what = fetchSentence(result);
        if (before === undefined) return { ...entry, result: 'done', what };
        const recovered = recoveredSentence(countOf(result).emails, result.more);
        return { ...entry, result: 'done', what: `${recovered}: ${what}` };
      }
      if (before === undefined) return undefined;
      return { ...entry, result: 'done', what: 'Fetching works again; no new email.' };
    }
    case 'busy':
      return undefined;
    case 'failed': {
      const { kind, code, message } = result.failure;
      if (before?.code === code) return undefined;
      return { ...entry, result: kind === 'retrying' ? 'retrying' : 'action-required', what: message };
    }
  }
}
