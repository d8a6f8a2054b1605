import type { DrillFault } from './drill-faults.ts';
import { type DrillWorld, openDrillWorld } from './drill-world.ts';
import type { ReceivedNotice } from './notice-receiver.ts';

export interface DrillResult {
  fault: string;
  /** Kind of the notice; undefined: none came. */
  notice: string | undefined;
  cause: string | undefined;
  link: string | undefined;
  /** On the app's clock. */
  secondsToNotice: number | undefined;
  secondsToClose: number | undefined;
  /** What was not as promised, in sentences; empty: all was. */
  wrong: readonly string[];
}

const WARM_UP_MINUTES = 3;
/** Throttled mailboxes are left alone for up to half an hour. */
const CLOSE_WITHIN_MINUTES = 40;
/** So long after the notice another one would still have come of the same fault. */
const QUIET_MINUTES = 2;

/** Breaks one thing in a world of its own, waits for what is said, mends it, and waits until that is said too. */
export async function runDrill(appDir: string, fault: DrillFault): Promise<DrillResult> {
  await using running = new AsyncDisposableStack();
  const world = await openDrillWorld(appDir, running);
  for (let minute = 0; minute < WARM_UP_MINUTES; minute += 1) await world.minute();
  const { received } = world.receiver;
  const wrong = received.map(
    ({ kind, headline }) => `Before the fault there was a notice: ${kind}: ${headline}`,
  );
  received.length = 0;

  const brokenAt = world.seconds();
  await fault.inject(world);
  const opened = await until(world, fault.withinMinutes + 2, fault.timers !== false, () =>
    received.find(({ what }) => what === 'opened'),
  );
  const secondsToNotice = opened === undefined ? undefined : world.seconds() - brokenAt;
  for (let minute = 0; minute < QUIET_MINUTES; minute += 1)
    await world.minute({ timers: fault.timers !== false });

  if (opened !== undefined) await fault.mend(world, pathOf(opened.link));
  const mendedAt = world.seconds();
  const closed = await until(world, CLOSE_WITHIN_MINUTES, true, () =>
    received.find(({ what, key }) => what === 'closed' && key === opened?.key),
  );
  const secondsToClose = closed === undefined ? undefined : world.seconds() - mendedAt;
  for (let minute = 0; minute < QUIET_MINUTES; minute += 1) await world.minute();

  const { kind, cause, link } = opened ?? {};
  const mistakes = [
    ...wrong,
    ...mistakesIn(fault, opened, secondsToNotice),
    ...othersThan(opened, received),
    ...(closed === undefined ? ['The notice did not close.'] : []),
  ];
  if (mistakes.length > 0) mistakes.push(...world.complaints().slice(-5));
  return { fault: fault.name, notice: kind, cause, link, secondsToNotice, secondsToClose, wrong: mistakes };
}

function pathOf(link: string): string {
  const { pathname, search } = new URL(link);
  return pathname + search;
}

async function until<T>(
  world: DrillWorld,
  minutes: number,
  timers: boolean,
  found: () => T | undefined,
): Promise<T | undefined> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await world.minute({ timers });
    const result = found();
    if (result !== undefined) return result;
  }
  return undefined;
}

function mistakesIn(
  fault: DrillFault,
  opened: ReceivedNotice | undefined,
  seconds: number | undefined,
): string[] {
  if (opened === undefined || seconds === undefined) return ['No notice came.'];
  const { kind, cause, link } = opened;
  return [
    ...(kind === fault.kind ? [] : [`The notice is of kind ${kind}, not ${fault.kind}.`]),
    ...(fault.cause.test(cause) ? [] : [`The cause is not named: ${cause}`]),
    ...(fault.link.test(link) ? [] : [`The link leads elsewhere: ${link}`]),
    // A minute is the drill's smallest step, and what the machine needs for it counts as well.
    ...(seconds <= (fault.withinMinutes + 1) * 60 ? [] : [`It came after ${seconds} s.`]),
  ];
}

/** Another fault than the one that was made; or the same one opened twice. */
function othersThan(opened: ReceivedNotice | undefined, received: readonly ReceivedNotice[]): string[] {
  return received
    .filter((one) => one.what === 'opened' && one !== opened)
    .map(({ kind, headline }) => `A second notice came: ${kind}: ${headline}`);
}
