import { describe, expect, it, test } from 'vitest';
import {
  acknowledgementLimits,
  openWindows,
  SUSPECTED_AFTER,
  type WindowCounts,
  type WindowVerdict,
} from '../../shared/acknowledgements/acknowledgement-windows.ts';

const NOW = Date.parse('2026-11-28T12:00:00.000Z');
const HOUR = 3_600_000;
const empty: WindowCounts = { senders: new Map(), mailbox: [] };
const KIM = 'kim@customer.example';

/** Asks for one message after another, at the given times. */
function ask(times: readonly number[], toOf: (index: number) => string = () => KIM): WindowVerdict[] {
  let counts = empty;
  return times.map((at, index) => {
    const result = openWindows([{ key: `k${index}`, to: toOf(index) }], counts, at);
    counts = result.counts;
    return result.verdicts.get(`k${index}`) ?? { kind: 'open' };
  });
}
const words = (verdicts: readonly WindowVerdict[]): string[] =>
  verdicts.map((verdict) => (verdict.kind === 'open' ? 'open' : verdict.window));

describe('the windows of a sender', () => {
  it('open again one hour after the last acknowledgement', () => {
    expect(words(ask([NOW, NOW + HOUR - 1, NOW + HOUR]))).toEqual(['open', 'sender-hour', 'open']);
  });

  it('close for the day after five, and open a day after the first', () => {
    const times = [0, 1, 2, 3, 4, 5, 23.9, 24].map((hours) => NOW + hours * HOUR);
    expect(words(ask(times))).toEqual([...Array<string>(5).fill('open'), 'sender-day', 'sender-day', 'open']);
  });

  it('are the sender’s own', () => {
    expect(words(ask([NOW, NOW, NOW], (index) => `${index}@customer.example`))).toEqual([
      'open',
      'open',
      'open',
    ]);
  });

  it('count a message once, however often a run is repeated, and repeat its verdict', () => {
    const first = openWindows(
      [
        { key: 'a', to: KIM },
        { key: 'b', to: KIM },
      ],
      empty,
      NOW,
    );
    const again = openWindows(
      [
        { key: 'a', to: KIM },
        { key: 'b', to: KIM },
      ],
      first.counts,
      NOW + 5_000,
    );
    expect(again.verdicts).toEqual(first.verdicts);
    expect(again.counts).toEqual(first.counts);
    expect(words([...again.verdicts.values()])).toEqual(['open', 'sender-hour']);
  });

  it('stay closed for a message that was refused, also when they open for the next one', () => {
    const at = (hours: number): number => NOW + hours * HOUR;
    const first = openWindows([{ key: 'a', to: KIM }], empty, at(0));
    const second = openWindows([{ key: 'b', to: KIM }], first.counts, at(0.5));
    const later = openWindows(
      [
        { key: 'b', to: KIM },
        { key: 'c', to: KIM },
      ],
      second.counts,
      at(1.2),
    );
    expect(words([...later.verdicts.values()])).toEqual(['sender-hour', 'open']);
  });

  it('stay closed while the clock is set back', () => {
    expect(words(ask([NOW, NOW - 2 * HOUR]))).toEqual(['open', 'sender-hour']);
  });
});

describe('a mail loop', () => {
  it('is suspected after ten refusals within an hour, not when a person writes again', () => {
    const verdicts = ask(Array.from({ length: SUSPECTED_AFTER + 2 }, (_, index) => NOW + index * 1000));
    const loops = verdicts.map((verdict) => (verdict.kind === 'closed' ? verdict.loop : undefined));
    expect(loops.slice(0, SUSPECTED_AFTER)).toEqual(Array(SUSPECTED_AFTER).fill(undefined));
    expect(loops.slice(SUSPECTED_AFTER)).toEqual([SUSPECTED_AFTER, SUSPECTED_AFTER + 1]);
  });

  it('is suspected at the sixth new ticket of a day', () => {
    const verdicts = ask([0, 1, 2, 3, 4, 5].map((hours) => NOW + hours * HOUR));
    expect(verdicts.at(-1)).toEqual({ kind: 'closed', window: 'sender-day', loop: 1 });
  });
});

test('a mailbox sends no more than 200 acknowledgements within an hour', () => {
  const { mailboxHour } = acknowledgementLimits;
  const requests = Array.from({ length: mailboxHour + 1 }, (_, index) => ({
    key: `k${index}`,
    to: `${index}@customer.example`,
  }));
  const { verdicts, counts } = openWindows(requests, empty, NOW);
  expect(words([...verdicts.values()]).filter((word) => word === 'open')).toHaveLength(mailboxHour);
  expect(verdicts.get(`k${mailboxHour}`)).toEqual({ kind: 'closed', window: 'mailbox-hour', loop: 1 });
  const later = openWindows([{ key: 'later', to: 'new@customer.example' }], counts, NOW + HOUR);
  expect(later.verdicts.get('later')).toEqual({ kind: 'open' });
});

describe('two machines that hide every mark', () => {
  it('are sent at most five acknowledgements for 1,000 messages within a day', () => {
    const verdicts = ask(Array.from({ length: 1000 }, (_, index) => NOW + index * 80_000));
    expect(words(verdicts).filter((word) => word === 'open')).toHaveLength(5);
  });

  it('stop when both are a Postroom: each acknowledges the acknowledgements of the other', () => {
    // The worst case: a gateway between them removes all headers, and each acknowledgement opens a ticket.
    const desks = [empty, empty];
    let sent = 0;
    let at = NOW;
    for (let turn = 0; turn < 1000; turn += 1) {
      const side = turn % 2;
      const request = { key: `t${turn}`, to: side === 0 ? 'desk@b.example' : 'desk@a.example' };
      const { verdicts, counts } = openWindows([request], desks[side] ?? empty, at);
      desks[side] = counts;
      if (verdicts.get(request.key)?.kind !== 'open') break;
      sent += 1;
      at += 60_000;
    }
    expect(sent).toBe(2);
  });
});
