import { isFromFuture } from '../platform/trusted-time.ts';
import { type Finding, keyOf, type Alert, alertId, type Observation, shownOf } from './alert.ts';

/** What is to become of an alert. `tell` is what people hear; undefined: only what is kept changes. */
export type Decision =
  | { kind: 'open'; alert: Alert }
  | { kind: 'keep'; alert: Alert; tell: 'repeated' | 'changed' | undefined }
  | { kind: 'close'; alert: Alert };

const HOUR = 3_600_000;
// Hours from one notification to the next; the last one goes on for ever. What is less
// urgent is said more rarely.
const REPEATS: Readonly<Record<Finding['severity'], readonly number[]>> = {
  critical: [1, 4, 24],
  error: [4, 24],
  warning: [24, 72, 168],
};

/**
 * Compares what is open with what is seen now. Pure: the same rows, observation and time give the same decisions.
 * @param now milliseconds since the epoch
 */
export function decideAlerts(open: readonly Alert[], observation: Observation, now: number): Decision[] {
  const { source } = observation;
  const seen = new Map(observation.findings.map((finding) => [keyOf(finding), finding]));
  const known = new Map(open.map((alert) => [alert.key, alert]));
  const decisions: Decision[] = [];
  for (const [key, finding] of seen)
    if (!known.has(key)) decisions.push({ kind: 'open', alert: opened(key, finding, observation, now) });
  for (const alert of open) {
    const before = alert.held[source];
    const still = seen.get(alert.key);
    if (still !== undefined) {
      const kept = keep(alert, { ...alert.held, [source]: knownSince(before, still) }, now);
      if (kept !== undefined) decisions.push(kept);
    } else if (before !== undefined && isLookedAt(before, observation)) {
      const { [source]: _over, ...others } = alert.held;
      if (Object.keys(others).length === 0)
        decisions.push({ kind: 'close', alert: { ...alert, closedAt: iso(now) } });
      else decisions.push(keep(alert, others, now) ?? { kind: 'keep', alert, tell: undefined });
    }
  }
  return decisions;
}

/**
 * A fault is as old as it was when it was first seen, also where what stands in its way has changed since. What people
 * heard of its size stands until it is greater: that it is a little less for an hour is no news, nor that it is back.
 */
function knownSince(before: Finding | undefined, still: Finding): Finding {
  if (before === undefined) return still;
  const { stage, size = 0 } = before;
  return {
    ...still,
    ...(before.since < still.since && { since: before.since }),
    ...(still.size !== undefined && still.size < size && { stage, size }),
  };
}

const iso = (now: number): string => new Date(now).toISOString();

const isLookedAt = ({ subject }: Finding, { about }: Observation): boolean =>
  about === undefined || about.includes(subject.id);

/** Kind and stage: with another one, people hear of it again. */
const notifiedAs = ({ kind, severity, stage }: Finding): string => [kind, severity, stage ?? ''].join('|');

function opened(key: string, finding: Finding, { source }: Observation, now: number): Alert {
  const openedAt = iso(now);
  return {
    id: alertId(openedAt, key),
    key,
    held: { [source]: finding },
    openedAt,
    notifiedAt: openedAt,
    told: 1,
    notifiedAs: notifiedAs(finding),
  };
}

/** Undefined when nothing is different and nothing is due. */
function keep(alert: Alert, held: Alert['held'], now: number): (Decision & { kind: 'keep' }) | undefined {
  const next = { ...alert, held };
  const shown = shownOf(next);
  const tell =
    notifiedAs(shown) !== alert.notifiedAs ? 'changed' : isDue(alert, shown, now) ? 'repeated' : undefined;
  if (tell !== undefined)
    return {
      kind: 'keep',
      alert: { ...next, notifiedAt: iso(now), told: alert.told + 1, notifiedAs: notifiedAs(shown) },
      tell,
    };
  if (JSON.stringify(held) === JSON.stringify(alert.held)) return undefined;
  return { kind: 'keep', alert: next, tell };
}

function isDue(alert: Alert, shown: Finding, now: number): boolean {
  if (shown.stage !== undefined) return false;
  // The clock was set back after the last notification, so its age is unknown.
  if (isFromFuture(alert.notifiedAt, now)) return true;
  const steps = REPEATS[shown.severity];
  const hours = steps[Math.min(alert.told, steps.length) - 1] ?? 24;
  return now - Date.parse(alert.notifiedAt) >= hours * HOUR;
}
