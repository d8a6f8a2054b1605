/** The listeners' reports about the functions they ran, and what they must show. Pure. */

export interface Invocation {
  instance: string;
  function: string;
  /** ISO time. */
  startedAt: string;
  /** Of a queue message; null for a timer. */
  dequeueCount: number | null;
  /** True when the app's function succeeded. */
  ok: boolean;
}

/** How many duplicate runs of a timer the message names. */
const SHOWN = 2;

/**
 * Violations of "each timer once", in sentences.
 * @param everySeconds the schedule of all timers
 * @param atLeast the minimum number of occasions of each timer
 */
export function timerFaults(
  invocations: readonly Invocation[],
  timers: readonly string[],
  { everySeconds, atLeast }: { everySeconds: number; atLeast: number },
): string[] {
  return timers.flatMap((timer) => {
    const runs = invocations.filter((invocation) => invocation.function === timer);
    // A listener may wake slightly early or late: a run belongs to the occasion nearest to its start.
    const occasions = Map.groupBy(runs, ({ startedAt }) =>
      Math.round(Date.parse(startedAt) / (everySeconds * 1000)),
    );
    // One instance never runs a timer twice at once: two of its runs this close together mean that one came
    // late.
    const repeated = [...occasions.values()].filter(
      (same) => new Set(same.map(({ instance }) => instance)).size > 1,
    );
    const more = repeated.length > SHOWN ? [`${timer}: ${repeated.length - SHOWN} more times.`] : [];
    return [
      ...repeated
        .slice(0, SHOWN)
        .map(
          (same) =>
            `${timer} ran ${same.length} times: ${same.map((run) => `${run.instance} at ${run.startedAt}`).join(', ')}.`,
        ),
      ...more,
      ...(occasions.size < atLeast ? [`${timer} ran on ${occasions.size} occasions, not ${atLeast}.`] : []),
    ];
  });
}

/** Violations of "tried `tries` times, each in vain", in sentences. */
export function poisonFaults(
  invocations: readonly Invocation[],
  functionName: string,
  tries: number,
): string[] {
  const failed = invocations.filter((invocation) => invocation.function === functionName && !invocation.ok);
  const counts = failed.map(({ dequeueCount }) => dequeueCount);
  const wanted = Array.from({ length: tries }, (_, index) => index + 1);
  return counts.join() === wanted.join() ? [] : [`The tries were ${counts.join(', ') || 'none'}.`];
}

/** Differences between the functions that ran and those that the app registers, in sentences. */
export function differences(ran: readonly string[], registered: readonly string[]): string[] {
  return [
    ...registered.filter((name) => !ran.includes(name)).map((name) => `${name} was not run.`),
    ...ran.filter((name) => !registered.includes(name)).map((name) => `${name} is not in the app.`),
  ];
}
