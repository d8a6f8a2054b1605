import { isFromFuture } from '../platform/trusted-time.ts';
import { type Alert, alertId, type Finding, keyOf, type Observation, shownOf } from './alert.ts';

/** A decision about an alert. `tell` is the notification; undefined: only the stored alert changes. */
export type Decision =
  | { kind: 'open'; alert: Alert }
  | { kind: 'keep'; alert: Alert; tell: 'repeated' | 'changed' | undefined }
  | { kind: 'close'; alert: Alert };

const HOUR = 3_600_000;
// Hours between notifications; the last value repeats. Less severe alerts repeat more rarely.
const REPEATS: Readonly<Record<Finding['severity'], readonly number[]>> = {
  critical: [1, 4, 24],
  error: [4, 24],
  warning: [24, 72, 168],
};

/**
 * Compares open alerts with current findings. Pure: the same rows, observation and time give the same
 * decisions.
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
    const before = alert.findings[source];
    const still = seen.get(alert.key);
    if (still !== undefined) {
      const kept = keep(alert, { ...alert.findings, [source]: knownSince(before, still) }, now);
      if (kept !== undefined) decisions.push(kept);
    } else if (before !== undefined && isChecked(before, observation)) {
      const { [source]: _over, ...others } = alert.findings;
      if (Object.keys(others).length === 0)
        decisions.push({ kind: 'close', alert: { ...alert, closedAt: iso(now) } });
      else decisions.push(keep(alert, others, now) ?? { kind: 'keep', alert, tell: undefined });
    }
  }
  return decisions;
}

/**
 * Keeps the time at which a fault was first found, even if its cause has changed. The notified size also
 * stays until it is exceeded: a temporary decrease and its end are not worth a notification.
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

const isChecked = ({ subject }: Finding, { about }: Observation): boolean =>
  about === undefined || about.includes(subject.id);

/** Kind, severity and stage: a change notifies again. */
const notifiedAs = ({ kind, severity, stage }: Finding): string => [kind, severity, stage ?? ''].join('|');

function opened(key: string, finding: Finding, { source }: Observation, now: number): Alert {
  const openedAt = iso(now);
  return {
    id: alertId(openedAt, key),
    key,
    findings: { [source]: finding },
    openedAt,
    notifiedAt: openedAt,
    notificationCount: 1,
    notifiedAs: notifiedAs(finding),
  };
}

/** Undefined when nothing has changed and no notification is due. */
function keep(
  alert: Alert,
  findings: Alert['findings'],
  now: number,
): (Decision & { kind: 'keep' }) | undefined {
  const next = { ...alert, findings };
  const shown = shownOf(next);
  const tell =
    notifiedAs(shown) !== alert.notifiedAs ? 'changed' : isDue(alert, shown, now) ? 'repeated' : undefined;
  if (tell !== undefined)
    return {
      kind: 'keep',
      alert: {
        ...next,
        notifiedAt: iso(now),
        notificationCount: alert.notificationCount + 1,
        notifiedAs: notifiedAs(shown),
      },
      tell,
    };
  if (JSON.stringify(findings) === JSON.stringify(alert.findings)) return undefined;
  return { kind: 'keep', alert: next, tell };
}

function isDue(alert: Alert, shown: Finding, now: number): boolean {
  if (shown.stage !== undefined) return false;
  // The clock was set back after the last notification, so its age is unknown.
  if (isFromFuture(alert.notifiedAt, now)) return true;
  const steps = REPEATS[shown.severity];
  const hours = steps[Math.min(alert.notificationCount, steps.length) - 1] ?? 24;
  return now - Date.parse(alert.notifiedAt) >= hours * HOUR;
}
