import type { SeamPoint } from '../../shared/platform/seam.ts';
import {
  drawTurns,
  type Fault,
  type FaultKind,
  faultKinds,
  only,
  ProcessDied,
} from '../harness/memory/faulty-seam.ts';
import {
  IntakeWorld,
  type RunEnd,
  type RunOptions,
  type WorldOptions,
} from '../harness/memory/intake-world.ts';
import { type Allowed, changedTables, snapshot, violationsAtTheEnd } from '../harness/memory/promises.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { earlier, keyOf, largeMail, tinyMail, workload } from '../harness/memory/tiny-mails.ts';

/** A simulation with one open ticket and the nine emails of the workload waiting. */
export async function worldWithMail(options: WorldOptions = {}): Promise<IntakeWorld> {
  const world = new IntakeWorld(options);
  world.deliver([earlier]);
  await world.runUntilQuiet();
  world.deliver(workload);
  if (options.tokenEnds === true) await world.endToken();
  return world;
}

/** The ID of the ticket that existed before the workload arrived. */
function earlierTicket(world: IntakeWorld): string[] {
  return world.tables
    .dump('Tickets')
    .filter((row) => row.rowKey.startsWith('m|') && row['key'] === keyOf(earlier.raw))
    .map(({ partitionKey }) => partitionKey);
}

/** An agent closes the ticket that one of the emails is a reply to. */
export async function closeEarlierTicket(world: IntakeWorld): Promise<void> {
  for (const id of earlierTicket(world)) await world.tickets.setStatus(id, 'closed');
}

/** An agent closes it and reopens it. */
export async function closeAndOpenEarlierTicket(world: IntakeWorld): Promise<void> {
  await closeEarlierTicket(world);
  for (const id of earlierTicket(world)) await world.tickets.setStatus(id, 'open');
}

/** The calls that a run of the workload makes without a fault, in order. */
export async function pointsOfRun(options: WorldOptions = {}): Promise<readonly SeamPoint[]> {
  const world = await worldWithMail(options);
  return (await world.run()).seam.calls;
}

/** Their number. */
export const countCalls = async (options: WorldOptions = {}): Promise<number> =>
  (await pointsOfRun(options)).length;

/** Runs until nothing is left, once more, and once more with nothing marked as read; returns the violations found then. */
async function settleAndCheck(world: IntakeWorld, allowed: Allowed): Promise<string[]> {
  await world.runUntilQuiet();
  const violations = violationsAtTheEnd(world, allowed);
  const quiet = snapshot(world.tables, { etags: true });
  await world.run();
  violations.push(...changedTables(quiet, snapshot(world.tables, { etags: true })));
  const rows = snapshot(world.tables, { etags: false });
  await world.forgetRead();
  await world.run();
  violations.push(...changedTables(rows, snapshot(world.tables, { etags: false })));
  world.look('at the end');
  return [...world.violations, ...violations];
}

/** An error that no injected fault explains is a fault of the product. */
function unexpected({ error, result, seam }: RunEnd): string[] {
  if (result?.kind === 'failed' && result.failure.code === 'unexpected' && !seam.dead)
    return [`a run failed with ${result.failure.message}`];
  if (error === undefined || error instanceof ProcessDied || seam.dead) return [];
  const isOutage = error instanceof Error && error.message.startsWith('no answer to');
  return isOutage ? [] : [`a run ended with ${String(error)}`];
}

/** First run with these options, an agent closes the ticket, second run with those, then none. */
export async function schedule(
  first: RunOptions,
  second: RunOptions | undefined,
  options: WorldOptions = {},
): Promise<string[]> {
  const world = await worldWithMail(options);
  const ends = [await world.run(first)];
  await closeEarlierTicket(world);
  if (second !== undefined) ends.push(await world.run(second));
  return [...ends.flatMap(unexpected), ...(await settleAndCheck(world, {}))];
}

async function worldWithLargeMail(options: WorldOptions): Promise<IntakeWorld> {
  const world = new IntakeWorld(options);
  world.deliver([largeMail]);
  return world;
}

/** The calls of a run that finds one email too large for memory. */
export async function pointsOfLargeMail(options: WorldOptions): Promise<readonly SeamPoint[]> {
  return (await (await worldWithLargeMail(options)).run()).seam.calls;
}

/** One fault over one email too large for memory, then runs without faults. */
export async function scheduleLargeMail(fault: Fault, options: WorldOptions): Promise<string[]> {
  const world = await worldWithLargeMail(options);
  const end = await world.run({ faultAt: only(fault) });
  return [...unexpected(end), ...(await settleAndCheck(world, {}))];
}

export const everySingleFault = (calls: number): { call: number; kind: FaultKind }[] =>
  Array.from({ length: calls }, (_, index) => index + 1).flatMap((call) =>
    faultKinds.map((kind) => ({ call, kind })),
  );

/** Two random faults, one in each of two runs. */
export async function doubleFault(
  seed: number,
  calls: number,
  options: WorldOptions = {},
): Promise<string[]> {
  const random = seeded(seed);
  const draw = (): RunOptions => ({
    faultAt: only({
      call: 1 + Math.floor(random() * calls),
      kind: faultKinds[Math.floor(random() * faultKinds.length)] ?? 'crashBefore',
    }),
  });
  return schedule(draw(), draw(), options);
}

/** Two concurrent processes at the same mailbox, both with the lease; `rate` of all calls has a fault. */
export async function race(seed: number, rate: number, options: WorldOptions = {}): Promise<string[]> {
  const random = seeded(seed);
  const world = await worldWithMail(options);
  const turn = drawTurns(random);
  const faultAt = (): FaultKind | undefined =>
    random() < rate ? faultKinds[Math.floor(random() * faultKinds.length)] : undefined;
  const run = (): Promise<RunEnd> => world.run({ turn, faultAt, ignoreLease: true });
  const ends = await Promise.all([run(), run()]);
  await closeEarlierTicket(world);
  ends.push(...(await Promise.all([run(), run()])));
  return [...ends.flatMap(unexpected), ...(await settleAndCheck(world, { quarantine: rate > 0 }))];
}

/** The server renumbers its email. */
export async function renumbered(world: IntakeWorld): Promise<void> {
  world.folder.renumber();
}

/** The same as two more emails arrive, so that stored UIDs mean email that was not stored. */
export async function renumberedWithNews(world: IntakeWorld): Promise<void> {
  world.deliver([tinyMail('late'), tinyMail('later')]);
  world.folder.renumber();
}

/** Just before this call of a run, while the run waits, something else happens from beginning to end. */
export async function meanwhile(
  call: number,
  happens: (world: IntakeWorld) => Promise<unknown>,
  options: WorldOptions = {},
): Promise<string[]> {
  const world = await worldWithMail(options);
  const turn = async (number: number): Promise<void> => {
    if (number === call) await happens(world);
  };
  const end = await world.run({ turn, ignoreLease: true });
  return [
    ...unexpected(end),
    ...(await settleAndCheck(world, {
      moreCopies: happens === renumbered || happens === renumberedWithNews,
    })),
  ];
}

/** The violations of many schedules, each once, with the schedule that first showed it and the number of schedules. */
export class Findings {
  readonly #seen = new Map<string, { schedule: string; count: number }>();
  schedules = 0;
  bad = 0;

  add(name: string, violations: readonly string[]): void {
    this.schedules += 1;
    if (violations.length > 0) this.bad += 1;
    for (const violation of new Set(violations)) {
      const known = this.#seen.get(violation);
      if (known === undefined) this.#seen.set(violation, { schedule: name, count: 1 });
      else known.count += 1;
    }
  }

  list(): string[] {
    return [...this.#seen].map(
      ([violation, { schedule: name, count }]) => `${violation} [${count}×, first: ${name}]`,
    );
  }
}
