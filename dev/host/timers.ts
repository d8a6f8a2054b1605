import { Cron } from 'croner';
import type { Core, HostLog, InvocationInput, RegisteredFunction } from './core.ts';
import { resolveSettings } from './setting-names.ts';

export interface Timers {
  /** Starts no more runs and waits for the running ones. */
  stop(): Promise<void>;
}

/**
 * Runs the timer functions. Schedules have six fields, seconds first, in UTC; day of month and day of week
 * must both match (NCRONTAB). A run that is still active when the next is due replaces it. Runs missed
 * while the host was off are not repeated: none of our timers needs it.
 * @throws Error with a readable message when a schedule is missing or invalid; on Azure such a timer would
 * stay silent
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

/** One run, scheduled or manual. Never rejects: a failure is logged and the next run follows. */
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

/** The arguments of a timer's handler. */
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
