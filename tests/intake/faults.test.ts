import { beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchProtocols } from '../../shared/mailboxes/open-inbox.ts';
import { faultKinds, only } from '../harness/memory/faulty-seam.ts';
import type { IntakeWorld } from '../harness/memory/intake-world.ts';
import {
  closeAndOpenEarlierTicket,
  closeEarlierTicket,
  countCalls,
  doubleFault,
  everySingleFault,
  Findings,
  meanwhile,
  pointsOfLargeMail,
  pointsOfRun,
  race,
  renumbered,
  schedule,
  scheduleLargeMail,
} from './fault-schedules.ts';

/** Random schedules of each kind; more of them in a long run: `POSTROOM_RACES=5000`. */
const races = Number(process.env['POSTROOM_RACES'] ?? 100);
const LONG = 300_000 + races * 1_000;

beforeAll(() => {
  // Each injected outage is a warning in the log, thousands of them.
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describe.each(fetchProtocols)('the promises of the intake hold over %s', (protocol) => {
  test('without any fault', async () => {
    expect(await schedule({}, undefined, { protocol })).toEqual([]);
  });

  test.each([
    ['marked', { kind: 'mark-seen' }],
    ['deleted', { kind: 'delete' }],
  ] as const)(
    'with every single fault at every single call, with fetched email %s',
    async (_how, afterFetch) => {
      const findings = new Findings();
      const options = { afterFetch, protocol, tokenEnds: true };
      const points = await pointsOfRun(options);
      expect(new Set(points.map((point) => point.split('.')[0]))).toEqual(
        new Set(['table', 'blob', 'vault', 'token', protocol]),
      );
      for (const fault of everySingleFault(points.length)) {
        const name = `${fault.kind} at call ${fault.call}, ${points[fault.call - 1]}`;
        findings.add(name, await schedule({ faultAt: only(fault) }, undefined, options));
      }
      expect(findings.list()).toEqual([]);
    },
    LONG,
  );

  test(
    'with every single fault when a large email is streamed',
    async () => {
      const findings = new Findings();
      const flowing = /^((?:imap|pop3|graph)\.part|blob\.(putOnce|stream|piece))$/;
      const calls = (await pointsOfLargeMail({ protocol })).flatMap((point, index) =>
        flowing.test(point) ? { call: index + 1, point } : [],
      );
      expect(new Set(calls.map(({ point }) => point))).toEqual(
        new Set([`${protocol}.part`, 'blob.putOnce', 'blob.stream', 'blob.piece']),
      );
      for (const { call, point } of calls)
        for (const kind of faultKinds)
          findings.add(
            `${kind} at call ${call}, ${point}`,
            await scheduleLargeMail({ call, kind }, { protocol }),
          );
      expect(findings.list()).toEqual([]);
    },
    LONG,
  );

  test(
    'with two faults',
    async () => {
      const findings = new Findings();
      const options = { protocol, tokenEnds: true };
      const calls = await countCalls(options);
      for (let seed = 1; seed <= 2 * races; seed += 1)
        findings.add(`seed ${seed}`, await doubleFault(seed, calls, options));
      expect(findings.list()).toEqual([]);
    },
    LONG,
  );

  test.each([
    ['an agent closes a ticket', closeEarlierTicket],
    ['an agent closes a ticket and opens it again', closeAndOpenEarlierTicket],
    ['the server numbers its mail anew', renumbered],
    ['another process fetches all', (world: IntakeWorld) => world.run({ ignoreLease: true })],
  ])(
    'when between any two calls %s',
    async (_what, happens) => {
      const findings = new Findings();
      const calls = await countCalls({ protocol });
      for (let call = 1; call <= calls; call += 1)
        findings.add(`before call ${call}`, await meanwhile(call, happens, { protocol }));
      expect(findings.list()).toEqual([]);
    },
    LONG,
  );

  test(
    'with two concurrent processes',
    async () => {
      const findings = new Findings();
      for (let seed = 1; seed <= races; seed += 1)
        findings.add(`seed ${seed}`, await race(seed, 0, { protocol }));
      expect(findings.list()).toEqual([]);
    },
    LONG,
  );

  test(
    'with two concurrent processes and faults',
    async () => {
      const findings = new Findings();
      for (let seed = 1; seed <= races; seed += 1)
        findings.add(`seed ${seed}`, await race(seed, 0.03, { protocol }));
      expect(findings.list()).toEqual([]);
    },
    LONG,
  );
});
