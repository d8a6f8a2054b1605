/** Something that Postroom did by itself. A look at a mailbox that found nothing is none: it leaves no row. */
export interface Activity {
  kind: ActivityKind;
  /** ISO time. */
  at: string;
  /** Id of the mailbox or account. */
  aboutId: string;
  /** The address, for people. */
  about: string;
  result: ActivityResult;
  /** For people: "2 tickets opened, 1 reply filed." Never text of an email. */
  what: string;
  /** How long it took. */
  ms?: number | undefined;
}

export const activityKinds = ['fetch', 'refresh', 'send'] as const;
export type ActivityKind = (typeof activityKinds)[number];

/** `retrying`: time mends it. `action-required`: a person has to. */
export const activityResults = ['done', 'retrying', 'action-required'] as const;
export type ActivityResult = (typeof activityResults)[number];

export interface FetchCounts {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
}

/** What a fetch brought, in a sentence; what is zero is not said, and something is not. Pure. */
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
