/** Something Postroom did automatically. A fetch that found nothing is not recorded. */
export interface Activity {
  kind: ActivityKind;
  /** ISO time. */
  at: string;
  /** ID of the mailbox or account. */
  aboutId: string;
  /** The address, for display. */
  about: string;
  result: ActivityResult;
  /** For display: "2 tickets opened, 1 reply filed." Never text of an email. */
  what: string;
  /** Duration. */
  ms?: number | undefined;
}

export const activityKinds = ['fetch', 'refresh', 'send'] as const;
export type ActivityKind = (typeof activityKinds)[number];

/** `retrying`: a temporary failure. `action-required`: a person has to act. */
export const activityResults = ['done', 'retrying', 'action-required'] as const;
export type ActivityResult = (typeof activityResults)[number];

export interface FetchCounts {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
}

/** Summarizes a fetch in one sentence. Zero counts are omitted. Pure. */
export function fetchSentence({ opened, replies, quarantined, skipped }: FetchCounts): string {
  const parts = [
    counted(opened, 'ticket opened', 'tickets opened'),
    counted(replies, 'reply added', 'replies added'),
    counted(quarantined, 'email not imported', 'emails not imported'),
    counted(skipped, 'email skipped', 'emails skipped'),
  ].filter((part) => part !== undefined);
  return `${parts.join(', ')}.`;
}

function counted(count: number, one: string, many: string): string | undefined {
  return count === 0 ? undefined : `${count} ${count === 1 ? one : many}`;
}
