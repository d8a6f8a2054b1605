/** A new ticket and its acknowledgement are one transaction: neither is there without the other. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { outboxKind } from '../../shared/outbox/outbox-records.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { acknowledgement, answering } from '../harness/memory/answering.ts';
import { only } from '../harness/memory/faulty-seam.ts';
import type { IntakeWorld, WorldOptions } from '../harness/memory/intake-world.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import {
  countCalls,
  doubleFault,
  everySingleFault,
  Findings,
  race,
  schedule,
  worldWithMail,
} from './fault-schedules.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const agent = 'sam@agents.example';
const options = (): WorldOptions => ({
  design: answering(new MemoryVault(openSeam)),
  answers: { acknowledgement, alertOnTicket: [agent] },
});

const emailsOf = ({ tables }: IntakeWorld) =>
  tables
    .dump('Tickets')
    .filter(({ rowKey }) => rowKey.startsWith('o|'))
    .map((row) => outboxKind.fromRow(row));

/** Each of Kim and Lee has several new tickets within the hour, of which the first is acknowledged. */
function faultsIn(world: IntakeWorld): string[] {
  const emails = emailsOf(world);
  const due = new Set(world.tables.dump('OutboxDue').map(({ rowKey }) => rowKey.split('|')[1]));
  const count = (to: string): number => emails.filter((email) => email.to.includes(to)).length;
  return [
    ...['kim@customer.example', 'lee@customer.example'].flatMap((to) =>
      count(to) === 1 ? [] : [`${to} has ${count(to)} acknowledgements`],
    ),
    ...emails.filter(({ ticketId }) => !due.has(ticketId)).map(({ ticketId }) => `${ticketId} is never sent`),
  ];
}

test('each sender is acknowledged once, and each other ticket says why not', async () => {
  const world = await worldWithMail(options());
  await world.runUntilQuiet();
  expect(faultsIn(world)).toEqual([]);
  const first = world.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('m|'));
  const silences = first.map((row) => row['silence']);
  expect(silences).toContain('The sender was sent an acknowledgement within the last hour.');
  const [email] = emailsOf(world);
  expect(email).toMatchObject({
    kind: 'acknowledgement',
    id: 'ack',
    to: ['lee@customer.example'],
    subject: 'We have received your message: Invoice [#1]',
    references: ['<invoice@customer.example>'],
    headers: { 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All' },
  });
});

test('with every single fault, each sender has one acknowledgement, which will be sent', async () => {
  const found: string[] = [];
  for (const fault of everySingleFault(await countCalls(options()))) {
    const world = await worldWithMail(options());
    await world.run({ faultAt: only(fault) });
    await world.runUntilQuiet();
    found.push(...faultsIn(world).map((each) => `${each} (${fault.kind} at call ${fault.call})`));
  }
  expect(found).toEqual([]);
});

describe('the intake with acknowledgements on keeps its promises', () => {
  test('with every single fault', async () => {
    const findings = new Findings();
    for (const fault of everySingleFault(await countCalls(options())))
      findings.add(
        `${fault.kind} at ${fault.call}`,
        await schedule({ faultAt: only(fault) }, undefined, options()),
      );
    expect(findings.list()).toEqual([]);
  });

  test('with two faults in two runs, and with two runs at once', async () => {
    const findings = new Findings();
    const calls = await countCalls(options());
    for (let seed = 1; seed <= 60; seed += 1)
      findings.add(`double ${seed}`, await doubleFault(seed, calls, options()));
    for (let seed = 1; seed <= 40; seed += 1) findings.add(`race ${seed}`, await race(seed, 0.02, options()));
    expect(findings.list()).toEqual([]);
  });
});
