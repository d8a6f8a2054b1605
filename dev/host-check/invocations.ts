/** What the listeners report of the functions they ran, and what it must show. Pure. */

export interface Invocation {
  instance: string;
  function: string;
  /** ISO time. */
  startedAt: string;
  /** Of a queue message; null for a timer. */
  dequeueCount: number | null;
  /** The app's function has worked. */
  ok: boolean;
}

/** So many doubles of a timer are named. */
const SHOWN = 2;

/**
 * What contradicts "each timer once", in words.
 * @param everySeconds the schedule of all timers
 * @param atLeast so many occasions must have been seen of each
 */
export function timerFaults(
  invocations: readonly Invocation[],
  timers: readonly string[],
  { everySeconds, atLeast }: { everySeconds: number; atLeast: number },
): string[] {
  return timers.flatMap((timer) => {
    const runs = invocations.filter((invocation) => invocation.function === timer);
    // A listener may wake a moment early or late: the occasion is the one nearest to the start.
    const occasions = Map.groupBy(runs, ({ startedAt }) =>
      Math.round(Date.parse(startedAt) / (everySeconds * 1000)),
    );
    // One instance never runs a timer twice at once: two of its runs so near to one another are one that came late.
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

/** What contradicts "tried `tries` times, each in vain", in words. */
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

/** What was run and what the app registers must be the same; in words where not. */
export function differences(ran: readonly string[], registered: readonly string[]): string[] {
  return [
    ...registered.filter((name) => !ran.includes(name)).map((name) => `${name} was not run.`),
    ...ran.filter((name) => !registered.includes(name)).map((name) => `${name} is not in the app.`),
  ];
}
