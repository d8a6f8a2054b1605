import type { Mailbox } from './mailbox.ts';

/** Minutes between two looks at a mailbox whose server announces new email (docs/decisions/0022). */
export const ANNOUNCED_MINUTES = 15;
/** No subscription of Microsoft Graph lives longer, so a later time is of a wrong clock. */
const LONGEST_MS = 7 * 86_400_000;

/**
 * Minutes between two looks at a mailbox. While its server announces new email, a look only checks that nothing
 * was missed. As soon as that is in doubt, or has lapsed, the mailbox's own interval counts. Pure.
 * @param announcedUntil ISO time until which the server announces new email; undefined: it does not
 * @param now milliseconds since the epoch
 */
export function lookInterval(
  { intervalMinutes }: Pick<Mailbox, 'intervalMinutes'>,
  announcedUntil: string | undefined,
  now: number,
): number {
  const until = Date.parse(announcedUntil ?? '');
  const isAnnounced = until > now && until <= now + LONGEST_MS;
  return isAnnounced ? Math.max(intervalMinutes, ANNOUNCED_MINUTES) : intervalMinutes;
}
