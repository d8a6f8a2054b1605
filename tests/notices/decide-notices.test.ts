import { describe, expect, test } from 'vitest';
import { type Decision, decideNotices } from '../../shared/notices/decide-notices.ts';
import type { Condition, Notice, Source } from '../../shared/notices/notice.ts';
import { shownOf } from '../../shared/notices/notice.ts';
import { HOUR, iso, START, secret, silent } from '../harness/memory/sample-conditions.ts';

/** The open notices as they stand after each observation, and what people heard. */
class Desk {
  open: Notice[] = [];
  heard: string[] = [];
  now = START;

  see(conditions: readonly Condition[], options: { source?: Source; about?: string[] } = {}): Decision[] {
    const observation = { source: options.source ?? 'watch', conditions, about: options.about };
    const decisions = decideNotices(this.open, observation, this.now);
    for (const decision of decisions) {
      const { notice } = decision;
      this.open = this.open.filter(({ key }) => key !== notice.key);
      if (decision.kind !== 'close') this.open.push(notice);
      const what = decision.kind === 'keep' ? decision.tell : decision.kind;
      if (what !== undefined) this.heard.push(`${what} ${shownOf(notice).headline}`);
    }
    return decisions;
  }
}

describe('a notice', () => {
  test('opens once, however often the fault is seen, and closes when it is gone', () => {
    const desk = new Desk();
    for (let minute = 0; minute < 30; minute++) {
      desk.see([silent()]);
      desk.now += 60_000;
    }
    expect(desk.heard).toEqual(['open support@contoso.example is not fetched.']);
    desk.see([]);
    expect(desk.heard.at(-1)).toBe('close support@contoso.example is not fetched.');
    expect(desk.open).toEqual([]);
    desk.see([silent()]);
    expect(desk.heard).toHaveLength(3);
  });

  test('is told again after 4 hours, then each day', () => {
    const desk = new Desk();
    const at: number[] = [];
    for (let minute = 0; minute < 60 * 24 * 4; minute++) {
      const told = desk.heard.length;
      desk.see([silent()]);
      if (desk.heard.length > told) at.push((desk.now - START) / HOUR);
      desk.now += 60_000;
    }
    expect(at).toEqual([0, 4, 28, 52, 76]);
  });

  test.each([
    ['critical', [0, 1, 5, 29, 53]],
    ['warning', [0, 24, 96]],
  ] as const)('of severity %s has a schedule of its own', (severity, hours) => {
    const desk = new Desk();
    const at: number[] = [];
    for (let hour = 0; hour < 100 && at.length < hours.length; hour++) {
      const told = desk.heard.length;
      desk.see([silent('a', { severity })]);
      if (desk.heard.length > told) at.push(hour);
      desk.now += HOUR;
    }
    expect(at).toEqual(hours);
  });

  test('with a stage is told once for each stage and at no other time', () => {
    const desk = new Desk();
    for (const stage of ['60 days', '60 days', '30 days', '30 days', '7 days']) {
      desk.see([secret(stage)]);
      desk.now += 200 * HOUR;
    }
    expect(desk.heard.map((line) => line.split(' ').at(-2))).toEqual(['60', '30', '7']);
  });

  test('keeps new words without telling anybody, and nothing at all when nothing is new', () => {
    const desk = new Desk();
    desk.see([silent()]);
    expect(desk.see([silent('support', { affected: '14 unread wait.' })])).toMatchObject([
      { kind: 'keep', tell: undefined },
    ]);
    expect(desk.see([silent('support', { affected: '14 unread wait.' })])).toEqual([]);
    expect(desk.heard).toHaveLength(1);
  });

  test('is told again at once when it becomes graver', () => {
    const desk = new Desk();
    desk.see([secret('1 day')], { source: 'review' });
    desk.see(
      [
        secret('', {
          kind: 'secret-expired',
          severity: 'error',
          headline: 'It has expired.',
          stage: undefined,
        }),
      ],
      {
        source: 'review',
      },
    );
    expect(desk.heard.at(-1)).toBe('changed It has expired.');
    expect(desk.open).toHaveLength(1);
  });
});

describe('several sources', () => {
  test('that see the same fault make one notice, open until none of them sees it, showing the gravest kind', () => {
    const desk = new Desk();
    desk.see([secret('3 days')], { source: 'review' });
    desk.see([
      secret('', { kind: 'secret-refused', severity: 'error', headline: 'It is refused.', stage: undefined }),
    ]);
    expect(desk.open.map((notice) => shownOf(notice).kind)).toEqual(['secret-refused']);
    desk.see([]);
    expect(desk.open.map((notice) => shownOf(notice).kind)).toEqual(['secret-due']);
    desk.see([], { source: 'review' });
    expect(desk.open).toEqual([]);
    expect(desk.heard.filter((line) => line.startsWith('open'))).toHaveLength(1);
    expect(desk.heard.filter((line) => line.startsWith('close'))).toHaveLength(1);
  });

  test('close nothing that another one saw', () => {
    const desk = new Desk();
    desk.see([secret('3 days')], { source: 'review' });
    expect(desk.see([])).toEqual([]);
    expect(desk.open).toHaveLength(1);
  });

  test('a look at one subject says nothing of the others', () => {
    const desk = new Desk();
    desk.see([silent('a'), silent('b')]);
    desk.see([], { about: ['a'] });
    expect(desk.open.map(({ key }) => key)).toEqual(['mailbox-silent|mailbox|b']);
  });
});

describe('what is known of a fault', () => {
  const only = (desk: Desk): Condition | undefined => desk.open[0] && shownOf(desk.open[0]);

  test('is how long it has lasted, whatever stands in its way now', () => {
    const desk = new Desk();
    desk.see([silent('a', { since: iso(START - HOUR) })]);
    desk.see([silent('a', { since: iso(START), cause: 'Something else.' })]);
    expect(only(desk)).toMatchObject({ since: iso(START - HOUR), cause: 'Something else.' });
    desk.see([silent('a', { since: iso(START - 2 * HOUR) })]);
    expect(only(desk)?.since).toBe(iso(START - 2 * HOUR));
  });

  test('is its greatest size, of which people heard', () => {
    const desk = new Desk();
    const sized = (size: number | undefined): Condition =>
      silent('a', { ...(size !== undefined && { size, stage: `over ${Math.floor(size / 10) * 10}` }) });
    for (const size of [12, 25, 14, 25, 26]) desk.see([sized(size)]);
    expect(only(desk)).toMatchObject({ size: 26, stage: 'over 20' });
    expect(desk.heard.map((line) => line.split(' ')[0])).toEqual(['open', 'changed']);
    desk.see([sized(3)]);
    expect(only(desk)).toMatchObject({ size: 26, stage: 'over 20' });
    desk.see([sized(undefined)]);
    expect(only(desk)).not.toHaveProperty('size');
  });

  test('keeps the words of the same size as they are seen now', () => {
    const desk = new Desk();
    desk.see([silent('a', { size: 5, stage: 'before' })]);
    desk.see([silent('a', { size: 5, stage: 'now' })]);
    expect(only(desk)).toMatchObject({ stage: 'now' });
  });

  test('is told again where the clock was set back since people heard of it', () => {
    const desk = new Desk();
    desk.see([silent()]);
    desk.now -= 24 * HOUR;
    desk.see([silent()]);
    expect(desk.heard).toHaveLength(2);
    desk.see([silent()]);
    expect(desk.heard).toHaveLength(2);
  });

  test('is kept by one source when another one sees it no more, though nothing is told', () => {
    const desk = new Desk();
    desk.see([silent()], { source: 'review' });
    desk.see([silent()]);
    expect(desk.see([])).toMatchObject([{ kind: 'keep', tell: undefined }]);
    expect(desk.open).toHaveLength(1);
  });
});

test('an occurrence has an id of its own, newest first in order of text', () => {
  const [first] = decideNotices([], { source: 'watch', conditions: [silent()] }, START);
  const [later] = decideNotices([], { source: 'watch', conditions: [silent()] }, START + 1);
  expect(String(later?.notice.id) < String(first?.notice.id)).toBe(true);
  expect(first?.notice.openedAt).toBe(iso(START));
});
