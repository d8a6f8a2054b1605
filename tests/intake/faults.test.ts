import { beforeAll, describe, expect, test, vi } from 'vitest';
import { only } from '../harness/faulty-seam.ts';
import {
  agentRace,
  countCalls,
  doubleFault,
  everySingleFault,
  Findings,
  race,
  schedule,
} from './fault-schedules.ts';

beforeAll(() => {
  // Each injected outage is a warning in the log, thousands of them.
  for (const level of ['warn', 'error'] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

describe('the promises of the intake hold', () => {
  test('without any fault', async () => {
    expect(await schedule({}, undefined)).toEqual([]);
  });

  test('with every single fault at every single call', async () => {
    const findings = new Findings();
    const calls = await countCalls();
    expect(calls).toBeGreaterThan(30);
    for (const fault of everySingleFault(calls)) {
      const name = `${fault.kind} at call ${fault.call}`;
      findings.add(name, await schedule({ faultAt: only(fault) }, undefined));
    }
    console.log(calls, findings.schedules);
    expect(findings.list()).toEqual([]);
  }, 60_000);

  test('with two faults', async () => {
    const findings = new Findings();
    const calls = await countCalls();
    for (let seed = 1; seed <= 300; seed += 1) findings.add(`seed ${seed}`, await doubleFault(seed, calls));
    expect(findings.list()).toEqual([]);
  }, 60_000);

  test('with an agent who closes and opens a ticket while a reply to it is filed', async () => {
    const findings = new Findings();
    for (let seed = 1; seed <= 100; seed += 1) findings.add(`seed ${seed}`, await agentRace(seed));
    expect(findings.list()).toEqual([]);
  }, 60_000);

  test('with two processes at once', async () => {
    const findings = new Findings();
    for (let seed = 1; seed <= 150; seed += 1) findings.add(`seed ${seed}`, await race(seed, 0));
    expect(findings.list()).toEqual([]);
  }, 60_000);

  test('with two processes at once and faults', async () => {
    const findings = new Findings();
    for (let seed = 1; seed <= 150; seed += 1) findings.add(`seed ${seed}`, await race(seed, 0.03));
    expect(findings.list()).toEqual([]);
  }, 60_000);
});
