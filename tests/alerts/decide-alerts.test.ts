import { describe, expect, test } from 'vitest';
import type { Alert, Finding, Source } from '../../shared/alerts/alert.ts';
import { shownOf } from '../../shared/alerts/alert.ts';
import { type Decision, decideAlerts } from '../../shared/alerts/decide-alerts.ts';
import { HOUR, iso, START, secret, silent } from '../harness/memory/sample-findings.ts';

/** The open alerts after each observation, and the notifications sent. */
class Postroom {
  open: Alert[] = [];
  heard: string[] = [];
  now = START;

  see(findings: readonly Finding[], options: { source?: Source; about?: string[] } = {}): Decision[] {
    const observation = { source: options.source ?? 'watch', findings, about: options.about };
    const decisions = decideAlerts(this.open, observation, this.now);
    for (const decision of decisions) {
      const { alert } = decision;
      this.open = this.open.filter(({ key }) => key !== alert.key);
      if (decision.kind !== 'close') this.open.push(alert);
      const what = decision.kind === 'keep' ? decision.tell : decision.kind;
      if (what !== undefined) this.heard.push(`${what} ${shownOf(alert).headline}`);
    }
    return decisions;
  }
}

describe('an alert', () => {
  test('opens once, however often the fault is seen, and closes when it is resolved', () => {
    const postroom = new Postroom();
    for (let minute = 0; minute < 30; minute++) {
      postroom.see([silent()]);
      postroom.now += 60_000;
    }
    expect(postroom.heard).toEqual(['open support@contoso.example is not fetched.']);
    postroom.see([]);
    expect(postroom.heard.at(-1)).toBe('close support@contoso.example is not fetched.');
    expect(postroom.open).toEqual([]);
    postroom.see([silent()]);
    expect(postroom.heard).toHaveLength(3);
  });

  test('is repeated after 4 hours, then each day', () => {
    const postroom = new Postroom();
    const at: number[] = [];
    for (let minute = 0; minute < 60 * 24 * 4; minute++) {
      const told = postroom.heard.length;
      postroom.see([silent()]);
      if (postroom.heard.length > told) at.push((postroom.now - START) / HOUR);
      postroom.now += 60_000;
    }
    expect(at).toEqual([0, 4, 28, 52, 76]);
  });

  test.each([
    ['critical', [0, 1, 5, 29, 53]],
    ['warning', [0, 24, 96]],
  ] as const)('of severity %s has its own schedule', (severity, hours) => {
    const postroom = new Postroom();
    const at: number[] = [];
    for (let hour = 0; hour < 100 && at.length < hours.length; hour++) {
      const told = postroom.heard.length;
      postroom.see([silent('a', { severity })]);
      if (postroom.heard.length > told) at.push(hour);
      postroom.now += HOUR;
    }
    expect(at).toEqual(hours);
  });

  test('with a stage sends one notification for each stage and no other', () => {
    const postroom = new Postroom();
    for (const stage of ['60 days', '60 days', '30 days', '30 days', '7 days']) {
      postroom.see([secret(stage)]);
      postroom.now += 200 * HOUR;
    }
    expect(postroom.heard.map((line) => line.split(' ').at(-2))).toEqual(['60', '30', '7']);
  });

  test('stores a new message without a notification, and writes nothing if nothing is new', () => {
    const postroom = new Postroom();
    postroom.see([silent()]);
    expect(postroom.see([silent('support', { affected: '14 unread wait.' })])).toMatchObject([
      { kind: 'keep', tell: undefined },
    ]);
    expect(postroom.see([silent('support', { affected: '14 unread wait.' })])).toEqual([]);
    expect(postroom.heard).toHaveLength(1);
  });

  test('is sent again at once when it becomes more severe', () => {
    const postroom = new Postroom();
    postroom.see([secret('1 day')], { source: 'review' });
    postroom.see(
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
    expect(postroom.heard.at(-1)).toBe('changed It has expired.');
    expect(postroom.open).toHaveLength(1);
  });
});

describe('several sources', () => {
  test('with the same fault make one alert with the most severe kind, open until none of them sees it', () => {
    const postroom = new Postroom();
    postroom.see([secret('3 days')], { source: 'review' });
    postroom.see([
      secret('', { kind: 'secret-refused', severity: 'error', headline: 'It is refused.', stage: undefined }),
    ]);
    expect(postroom.open.map((alert) => shownOf(alert).kind)).toEqual(['secret-refused']);
    postroom.see([]);
    expect(postroom.open.map((alert) => shownOf(alert).kind)).toEqual(['secret-due']);
    postroom.see([], { source: 'review' });
    expect(postroom.open).toEqual([]);
    expect(postroom.heard.filter((line) => line.startsWith('open'))).toHaveLength(1);
    expect(postroom.heard.filter((line) => line.startsWith('close'))).toHaveLength(1);
  });

  test('close only their own findings', () => {
    const postroom = new Postroom();
    postroom.see([secret('3 days')], { source: 'review' });
    expect(postroom.see([])).toEqual([]);
    expect(postroom.open).toHaveLength(1);
  });

  test('do not affect other subjects when they check one', () => {
    const postroom = new Postroom();
    postroom.see([silent('a'), silent('b')]);
    postroom.see([], { about: ['a'] });
    expect(postroom.open.map(({ key }) => key)).toEqual(['mailbox-silent|mailbox|b']);
  });
});

describe('an observed fault', () => {
  const only = (postroom: Postroom): Finding | undefined => postroom.open[0] && shownOf(postroom.open[0]);

  test('keeps its duration, whatever hides it now', () => {
    const postroom = new Postroom();
    postroom.see([silent('a', { since: iso(START - HOUR) })]);
    postroom.see([silent('a', { since: iso(START), cause: 'Something else.' })]);
    expect(only(postroom)).toMatchObject({ since: iso(START - HOUR), cause: 'Something else.' });
    postroom.see([silent('a', { since: iso(START - 2 * HOUR) })]);
    expect(only(postroom)?.since).toBe(iso(START - 2 * HOUR));
  });

  test('keeps the greatest size that was notified', () => {
    const postroom = new Postroom();
    const sized = (size: number | undefined): Finding =>
      silent('a', { ...(size !== undefined && { size, stage: `over ${Math.floor(size / 10) * 10}` }) });
    for (const size of [12, 25, 14, 25, 26]) postroom.see([sized(size)]);
    expect(only(postroom)).toMatchObject({ size: 26, stage: 'over 20' });
    expect(postroom.heard.map((line) => line.split(' ')[0])).toEqual(['open', 'changed']);
    postroom.see([sized(3)]);
    expect(only(postroom)).toMatchObject({ size: 26, stage: 'over 20' });
    postroom.see([sized(undefined)]);
    expect(only(postroom)).not.toHaveProperty('size');
  });

  test('has the current message if its size is the same', () => {
    const postroom = new Postroom();
    postroom.see([silent('a', { size: 5, stage: 'before' })]);
    postroom.see([silent('a', { size: 5, stage: 'now' })]);
    expect(only(postroom)).toMatchObject({ stage: 'now' });
  });

  test('is sent again if the clock was set back after the notification', () => {
    const postroom = new Postroom();
    postroom.see([silent()]);
    postroom.now -= 24 * HOUR;
    postroom.see([silent()]);
    expect(postroom.heard).toHaveLength(2);
    postroom.see([silent()]);
    expect(postroom.heard).toHaveLength(2);
  });

  test('is kept by one source after another stops seeing it, without a notification', () => {
    const postroom = new Postroom();
    postroom.see([silent()], { source: 'review' });
    postroom.see([silent()]);
    expect(postroom.see([])).toMatchObject([{ kind: 'keep', tell: undefined }]);
    expect(postroom.open).toHaveLength(1);
  });
});

test('an occurrence has its own ID, newest first in text order', () => {
  const [first] = decideAlerts([], { source: 'watch', findings: [silent()] }, START);
  const [later] = decideAlerts([], { source: 'watch', findings: [silent()] }, START + 1);
  expect(String(later?.alert.id) < String(first?.alert.id)).toBe(true);
  expect(first?.alert.openedAt).toBe(iso(START));
});
