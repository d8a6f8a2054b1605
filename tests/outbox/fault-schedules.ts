import { drawTurns, type Fault, type FaultKind, faultKinds } from '../harness/memory/faulty-seam.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { OutboxWorld, type RunOptions, type WorldOptions } from './outbox-world.ts';

/** A run with these options, then one with those, then runs without faults until nothing is left. */
export async function schedule(
  runs: readonly RunOptions[],
  options: WorldOptions = {},
): Promise<{ violations: string[]; world: OutboxWorld; calls: number[] }> {
  const world = new OutboxWorld(options);
  const calls: number[] = [];
  const unexpected: string[] = [];
  for (const run of runs) {
    const { seam, error } = await world.run(run);
    calls.push(seam.calls.length);
    if (error !== undefined && !seam.dead) unexpected.push(`a run ended with ${String(error)}`);
    world.now += 61_000;
  }
  await world.settle();
  return { violations: [...unexpected, ...world.violationsAtTheEnd()], world, calls };
}

/** The number of calls of a run without faults. */
export async function countCalls(options: WorldOptions = {}): Promise<number> {
  const { calls } = await schedule([{}], options);
  return calls[0] ?? 0;
}

export const everySingleFault = (calls: number): Fault[] =>
  Array.from({ length: calls }, (_, index) => index + 1).flatMap((call) =>
    faultKinds.map((kind) => ({ call, kind })),
  );

/** Two processes at the same time; `rate` of all calls has a fault. */
export async function race(
  seed: number,
  rate: number,
  options: WorldOptions = {},
): Promise<{ violations: string[]; world: OutboxWorld }> {
  const random = seeded(seed);
  const world = new OutboxWorld(options);
  const turn = drawTurns(random);
  const faultAt = (): FaultKind | undefined =>
    random() < rate ? faultKinds[Math.floor(random() * faultKinds.length)] : undefined;
  // The first run fills the timetable; then both have the same emails to send.
  await world.run({ faultAt: (_call, point) => (point === 'smtp.connect' ? 'failBefore' : undefined) });
  world.now += 61_000;
  const ends = await Promise.all([world.run({ turn, faultAt }), world.run({ turn, faultAt })]);
  const unexpected = ends.flatMap(({ seam, error }) =>
    error === undefined || seam.dead ? [] : [`a run ended with ${String(error)}`],
  );
  world.now += 61_000;
  await world.settle();
  return { violations: [...unexpected, ...world.violationsAtTheEnd()], world };
}
