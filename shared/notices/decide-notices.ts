import { isFromFuture } from '../platform/trusted-time.ts';
import { type Condition, keyOf, type Notice, noticeId, type Observation, shownOf } from './notice.ts';

/** What is to become of a notice. `tell` is what people hear; undefined: only what is kept changes. */
export type Decision =
  | { kind: 'open'; notice: Notice }
  | { kind: 'keep'; notice: Notice; tell: 'repeated' | 'changed' | undefined }
  | { kind: 'close'; notice: Notice };

const HOUR = 3_600_000;
// Hours from one telling to the next; the last one goes on for ever. What is less
// urgent is said more rarely.
const REPEATS: Readonly<Record<Condition['severity'], readonly number[]>> = {
  critical: [1, 4, 24],
  error: [4, 24],
  warning: [24, 72, 168],
};

/**
 * Compares what is open with what is seen now. Pure: the same rows, observation and time give the same decisions.
 * @param now milliseconds since the epoch
 */
export function decideNotices(open: readonly Notice[], observation: Observation, now: number): Decision[] {
  const { source } = observation;
  const seen = new Map(observation.conditions.map((condition) => [keyOf(condition), condition]));
  const known = new Map(open.map((notice) => [notice.key, notice]));
  const decisions: Decision[] = [];
  for (const [key, condition] of seen)
    if (!known.has(key)) decisions.push({ kind: 'open', notice: opened(key, condition, observation, now) });
  for (const notice of open) {
    const before = notice.held[source];
    const still = seen.get(notice.key);
    if (still !== undefined) {
      const kept = keep(notice, { ...notice.held, [source]: knownSince(before, still) }, now);
      if (kept !== undefined) decisions.push(kept);
    } else if (before !== undefined && isLookedAt(before, observation)) {
      const { [source]: _over, ...others } = notice.held;
      if (Object.keys(others).length === 0)
        decisions.push({ kind: 'close', notice: { ...notice, closedAt: iso(now) } });
      else decisions.push(keep(notice, others, now) ?? { kind: 'keep', notice, tell: undefined });
    }
  }
  return decisions;
}

/**
 * A fault is as old as it was when it was first seen, also where what stands in its way has changed since. What people
 * heard of its size stands until it is greater: that it is a little less for an hour is no news, nor that it is back.
 */
function knownSince(before: Condition | undefined, still: Condition): Condition {
  if (before === undefined) return still;
  const { stage, size = 0 } = before;
  return {
    ...still,
    ...(before.since < still.since && { since: before.since }),
    ...(still.size !== undefined && still.size < size && { stage, size }),
  };
}

const iso = (now: number): string => new Date(now).toISOString();

const isLookedAt = ({ subject }: Condition, { about }: Observation): boolean =>
  about === undefined || about.includes(subject.id);

/** Kind and stage: with another one, people hear of it again. */
const toldAs = ({ kind, severity, stage }: Condition): string => [kind, severity, stage ?? ''].join('|');

function opened(key: string, condition: Condition, { source }: Observation, now: number): Notice {
  const openedAt = iso(now);
  return {
    id: noticeId(openedAt, key),
    key,
    held: { [source]: condition },
    openedAt,
    toldAt: openedAt,
    told: 1,
    toldAs: toldAs(condition),
  };
}

/** Undefined when nothing is different and nothing is due. */
function keep(notice: Notice, held: Notice['held'], now: number): (Decision & { kind: 'keep' }) | undefined {
  const next = { ...notice, held };
  const shown = shownOf(next);
  const tell =
    toldAs(shown) !== notice.toldAs ? 'changed' : isDue(notice, shown, now) ? 'repeated' : undefined;
  if (tell !== undefined)
    return {
      kind: 'keep',
      notice: { ...next, toldAt: iso(now), told: notice.told + 1, toldAs: toldAs(shown) },
      tell,
    };
  if (JSON.stringify(held) === JSON.stringify(notice.held)) return undefined;
  return { kind: 'keep', notice: next, tell };
}

function isDue(notice: Notice, shown: Condition, now: number): boolean {
  if (shown.stage !== undefined) return false;
  // Told under a clock that has been set back since: how long ago that was, nobody knows.
  if (isFromFuture(notice.toldAt, now)) return true;
  const steps = REPEATS[shown.severity];
  const hours = steps[Math.min(notice.told, steps.length) - 1] ?? 24;
  return now - Date.parse(notice.toldAt) >= hours * HOUR;
}
