import { Cron } from 'croner';
import type { Core, HostLog, InvocationInput, RegisteredFunction } from './core.ts';
import { resolveSettings } from './setting-names.ts';

export interface Timers {
  /** Starts no further run and waits for the ones under way. */
  stop(): Promise<void>;
}

/**
 * Runs the timer functions: six fields, seconds first, UTC, day of month and day of week both have to fit (NCRONTAB).
 * A run that is still under way when the next is due takes its place. Runs missed while the host was off are not made
 * up for: nothing of ours needs it.
 * @throws Error in words when a schedule is missing or wrong; on Azure such a timer would stay silent.
 */
export function startTimers(core: Core, log: HostLog): Timers {
  const running = new Set<Promise<void>>();
  const jobs = [...core.functions.values()]
    .filter(({ trigger }) => trigger.type === 'timerTrigger')
    .map((target) => {
      const job: Cron = new Cron(
        scheduleOf(target),
        { mode: '6-part', domAndDow: true, timezone: 'Etc/UTC', protect: true },
        async () => {
          const run = runTimer(core, target, log, job.nextRun()?.toISOString());
          running.add(run);
          await run;
          running.delete(run);
        },
      );
      return job;
    });
  return {
    async stop() {
      for (const job of jobs) job.stop();
      await Promise.all(running);
    },
  };
}

/** One run, on time or by hand. Never rejects: a failed run is logged and the next one comes. */
export async function runTimer(
  core: Core,
  target: RegisteredFunction,
  log: HostLog,
  next?: string,
): Promise<void> {
  try {
    await core.invoke(target, timerInput({ next }));
  } catch (error) {
    log('error', `failed: ${String(error)}`, target.name);
  }
}

/** What a timer's handler gets. */
export function timerInput({
  next,
  isPastDue = false,
}: {
  next?: string | undefined;
  isPastDue?: boolean;
}): InvocationInput {
  const now = new Date().toISOString();
  const info = {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: { Last: now, Next: next ?? now, LastUpdated: now },
    IsPastDue: isPastDue,
  };
  return { data: { json: JSON.stringify(info) } };
}

function scheduleOf({ name, trigger }: RegisteredFunction): string {
  const schedule = resolveSettings(trigger.schedule ?? '', `the timer ${name}`);
  try {
    new Cron(schedule, { mode: '6-part', paused: true }).stop();
  } catch {
    throw new Error(
      `The schedule of ${name} is "${schedule}". Six fields are needed, seconds first, such as "0 * * * * *" for each minute.`,
    );
  }
  return schedule;
}
