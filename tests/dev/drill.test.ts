/**
 * Each fault of the drill, as `npm run drill` runs it: one alert of the right kind, code, cause and link, in time, by
 * webhook, by email and on the home page, which is then resolved.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type DrillFault, drillFaults } from '../../dev/drill/drill-faults.ts';
import { runDrill } from '../../dev/drill/run-drill.ts';
import { shiftClock } from '../../dev/drill/shifted-clock.ts';
import { formValues } from '../../dev/form-values.ts';
import { appUnderTest } from '../harness/stack/app-under-test.ts';

let appDir: string;
beforeAll(async () => {
  appDir = await appUnderTest();
});

function faultNamed(name: string): DrillFault {
  const fault = drillFaults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`There is no fault ${name}.`);
  return fault;
}

describe('npm run drill', () => {
  test('has fourteen faults, each with its own promise', () => {
    expect(drillFaults.map(({ name }) => name)).toEqual([
      'dead refresh token',
      'expired secret',
      'revoked consent',
      'wrong secret',
      'IMAP off',
      'throttling',
      'storage down',
      'vault denied',
      'SMTP AUTH off',
      'SMTP server away',
      'mail loop',
      'timer dead',
      'push silent',
      'Graph throttled',
    ]);
  });

  test.each(drillFaults)(
    '$name opens one alert, with its cause and a link to the fix, which is resolved once it is fixed',
    { timeout: 300_000 },
    async (fault) => {
      const result = await runDrill(appDir, fault);
      expect(result.wrong).toEqual([]);
      expect(result).toMatchObject({ fault: fault.name, alert: fault.kind, code: fault.code });
      expect(result.secondsToClose).toBeGreaterThan(0);
    },
  );

  test('distinguishes any two faults by code, and promises none later than fifteen minutes', () => {
    expect(new Set(drillFaults.map(({ code }) => code)).size).toBe(drillFaults.length);
    expect(Math.max(...drillFaults.map(({ withinMinutes }) => withinMinutes))).toBe(15);
  });

  test('reports a promise that is not kept', { timeout: 300_000 }, async () => {
    const nothing = {
      ...faultNamed('wrong secret'),
      withinMinutes: 1,
      inject: async () => undefined,
      fix: async () => undefined,
    };
    expect((await runDrill(appDir, nothing)).wrong).toContain('No alert came.');
  });
});

test('a clock that is set forward shows a later time everywhere, and then the real one again', () => {
  const before = Date.now();
  {
    using clock = shiftClock();
    clock.leap(3_600_000);
    expect(Date.now() - before).toBeGreaterThanOrEqual(3_600_000);
    const later = new Date();
    expect(later.valueOf() - before).toBeGreaterThanOrEqual(3_600_000);
    expect(new Date('2026-11-24T00:00:00Z').toISOString()).toBe('2026-11-24T00:00:00.000Z');
    expect(new Date(2026, 10, 24).getDate()).toBe(24);
    expect(new Date() instanceof Date).toBe(true);
    expect(clock.ahead()).toBe(3_600_000);
  }
  expect(Date.now() - before).toBeLessThan(60_000);
});

test('a form is submitted as a browser would', () => {
  const html = `<header><form method="post"><input name="out" value="1"></form></header><main>
    <form method="post" action="/x">
      <input type="hidden" name="id" value="a&amp;b"><input name="empty">
      <input type="radio" name="kind" value="one"><input type="radio" name="kind" value="two" checked="">
      <input type="checkbox" name="off" value="yes"><input type="checkbox" name="on" checked="">
      <select name="size"><option value="s">S</option><option value="m" selected="">M</option></select>
    </form></main>`;
  expect(formValues(html)).toEqual({ id: 'a&b', empty: '', kind: 'two', on: 'on', size: 'm' });
});
