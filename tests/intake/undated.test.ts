/** Email without a date: the alarm of a device, with the same bytes each time. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { faultKinds, only } from '../harness/memory/faulty-seam.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { ownMail } from '../harness/memory/mail-files.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';
import type { TinyMail } from '../harness/memory/tiny-mails.ts';
import { Findings } from './fault-schedules.ts';

const DAY = 24 * 60 * 60_000;
const alarm = (name: string): TinyMail => ({ name, raw: ownMail('device-alarm.eml'), disposition: 'ticket' });
const again: TinyMail = { ...alarm('again'), disposition: 'copy' };

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const wrong = (world: IntakeWorld, moreCopies = false): string[] => [
  ...world.violations,
  ...violationsAtTheEnd(world, { moreCopies }),
];
const tickets = (world: IntakeWorld): number =>
  world.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head').length;

describe('an alarm without a Message-ID and a Date', () => {
  test('is a new message the next day, and a copy on the same day', async () => {
    const world = new IntakeWorld();
    world.deliver([alarm('today'), again]);
    await world.runUntilQuiet();
    world.deliver([again]);
    await world.runUntilQuiet();
    expect(tickets(world)).toBe(1);
    world.now += DAY;
    world.deliver([alarm('tomorrow'), again]);
    await world.runUntilQuiet();
    expect(tickets(world)).toBe(2);
    expect(wrong(world)).toEqual([]);
  });

  test('of two days is two messages, even if both are fetched together', async () => {
    const world = new IntakeWorld();
    world.deliver([alarm('today')]);
    world.now += DAY;
    world.deliver([alarm('tomorrow')]);
    await world.runUntilQuiet();
    expect(tickets(world)).toBe(2);
    expect(wrong(world)).toEqual([]);
  });

  test('is no new message if it is fetched again days later, nor under another UIDVALIDITY', async () => {
    const world = new IntakeWorld();
    world.deliver([alarm('today')]);
    await world.runUntilQuiet();
    world.now += 2 * DAY;
    for (const mail of world.folder.mails) mail.seen = false;
    await world.runUntilQuiet();
    world.folder.renumber();
    for (const mail of world.folder.mails) mail.seen = false;
    await world.runUntilQuiet();
    expect(tickets(world)).toBe(1);
    expect(wrong(world, true)).toEqual([]);
  });

  test('is one message a day, whatever call of its fetch fails or crashes the process, and on whatever day the next run is', async () => {
    const findings = new Findings();
    const delivered = (): IntakeWorld => {
      const world = new IntakeWorld();
      world.deliver([alarm('today'), again]);
      world.now += DAY;
      world.deliver([alarm('tomorrow')]);
      return world;
    };
    const { seam } = await delivered().run();
    for (let call = 1; call <= seam.calls.length; call += 1)
      for (const kind of faultKinds) {
        const world = delivered();
        await world.run({ faultAt: only({ call, kind }) });
        world.now += DAY;
        await world.runUntilQuiet();
        findings.add(`${kind} at call ${call}`, wrong(world));
      }
    expect(findings.schedules).toBeGreaterThan(100);
    expect(findings.list()).toEqual([]);
  });
});
