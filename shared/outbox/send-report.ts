import type { Activity } from '../activity/activity.ts';

/** What a run did, for the log. */
export interface SendReport {
  sent: number;
  retrying: number;
  failed: number;
  unknown: number;
}

/** What the activity list says of a run; undefined: nothing was tried. Pure. */
export function runActivity(
  { sent, retrying, failed, unknown }: SendReport,
  now: number,
): Pick<Activity, 'kind' | 'at' | 'result' | 'what'> | undefined {
  const parts = [
    counted(sent, 'sent'),
    counted(retrying, 'to be retried'),
    counted(failed, 'failed'),
    counted(unknown, 'without an answer of the server'),
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  const result = failed > 0 ? 'action-required' : retrying + unknown > 0 ? 'retrying' : 'done';
  return { kind: 'send', at: new Date(now).toISOString(), result, what: `${parts.join(', ')}.` };
}

const counted = (count: number, what: string): string | undefined =>
  count === 0 ? undefined : `${count} ${count === 1 ? 'email' : 'emails'} ${what}`;
