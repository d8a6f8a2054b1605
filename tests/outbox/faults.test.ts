/** Promise 7 of the outbox: an acknowledgement at most once, a reply never lost without a word. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { SeamPoint } from '../../shared/platform/seam.ts';
import { type FaultKind, only } from '../harness/memory/faulty-seam.ts';
import { countCalls, everySingleFault, race, schedule } from './fault-schedules.ts';

/** Random schedules of each kind; more of them in a long run: `POSTROOM_RACES=5000`. */
const races = Number(process.env['POSTROOM_RACES'] ?? 100);
const LONG = 300_000 + races * 1_000;

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describe('the promises of the outbox hold', () => {
  test('without any fault: everything is sent once', async () => {
    const { violations, world } = await schedule([{}]);
    expect(violations).toEqual([]);
    expect(world.accepted.toSorted()).toEqual([
      '<kim.ack@contoso.example>',
      '<kim.first@contoso.example>',
      '<kim.second@contoso.example>',
    ]);
    expect(world.rows().map(({ delivery }) => delivery.status.state)).toEqual(['sent', 'sent', 'sent']);
  });

  test('over the relay, a copy of each reply is in the Sent folder, and none of the acknowledgement', async () => {
    const { violations, world } = await schedule([{}], { overRelay: true });
    expect(violations).toEqual([]);
    expect(world.sentMessageIds().toSorted()).toEqual([
      '<kim.first@contoso.example>',
      '<kim.second@contoso.example>',
    ]);
    expect(world.sentFolder.mails.every(({ seen }) => seen)).toBe(true);
  });

  test('over the relay, a reply whose record is lost is found by its copy, and not sent again', async () => {
    let sends = 0;
    // The acknowledgement leaves first. Once a reply has left, storage takes nothing more from this process.
    const faultAt = (_call: number, point: SeamPoint): FaultKind | undefined => {
      if (point === 'smtp.send') sends += 1;
      return sends >= 2 && /^table\.Tickets\.(?!get|list)/.test(point) ? 'failBefore' : undefined;
    };
    const { violations, world } = await schedule([{ faultAt }], { overRelay: true });
    expect(sends).toBe(2);
    expect(violations).toEqual([]);
    expect(world.accepted).toHaveLength(3);
    const found = world
      .rows()
      .filter(({ delivery: { status } }) => status.state === 'sent' && status.foundInSent);
    expect(found).toHaveLength(1);
  });

  test.each([
    ['the server keeps copies', { savesSent: true }],
    ['nobody keeps copies', { savesSent: false }],
    ['over the relay', { overRelay: true }],
  ])(
    'with every single fault at every single call; %s',
    async (_what, options) => {
      const found: string[] = [];
      const calls = await countCalls(options);
      expect(calls).toBeGreaterThan(30);
      for (const fault of everySingleFault(calls)) {
        const { violations, world } = await schedule([{ faultAt: only(fault) }], options);
        const name = `${fault.kind} at call ${fault.call}`;
        found.push(...violations.map((violation) => `${violation} (${name})`));
        for (const { kind, id, messageId, delivery } of world.rows())
          if (kind === 'reply' && (delivery.status.state !== 'sent' || !world.accepted.includes(messageId)))
            found.push(`the reply ${id} is ${delivery.status.state} (${name})`);
      }
      expect(found).toEqual([]);
    },
    LONG,
  );

  test(
    'with every pair of faults, one in each of two runs (every eleventh pair, unless POSTROOM_RACES asks for more)',
    async () => {
      const found: string[] = [];
      const first = everySingleFault(await countCalls());
      const every = races > 1_000 ? 1 : 11;
      let pairs = 0;
      for (const fault of first) {
        const { calls } = await schedule([{ faultAt: only(fault) }, {}]);
        for (const second of everySingleFault(calls[1] ?? 0)) {
          pairs += 1;
          if (pairs % every !== 0) continue;
          const { violations } = await schedule([{ faultAt: only(fault) }, { faultAt: only(second) }]);
          found.push(
            ...violations.map(
              (violation) =>
                `${violation} (${fault.kind} at ${fault.call}, ${second.kind} at ${second.call})`,
            ),
          );
        }
      }
      console.info(`${pairs} pairs`);
      expect(pairs).toBeGreaterThan(5_000);
      expect(found.slice(0, 20)).toEqual([]);
    },
    LONG,
  );

  test(
    'with two processes that send at the same time, with and without faults',
    async () => {
      const found: string[] = [];
      for (let seed = 1; seed <= races; seed += 1) {
        const { violations } = await race(seed, seed % 2 === 0 ? 0 : 0.03);
        found.push(...violations.map((violation) => `${violation} (seed ${seed})`));
      }
      expect(found).toEqual([]);
    },
    LONG,
  );
});
