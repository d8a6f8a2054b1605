/** Which faults are one, and which of two is said first. */
import { expect, test } from 'vitest';
import { byGravity, type Condition, keyHash, keyOf, noticeId, shownOf } from '../../shared/notices/notice.ts';
import { silent } from '../harness/memory/sample-conditions.ts';

const condition = (wish: Partial<Condition> = {}): Condition => ({ ...silent(), ...wish });
const subject = { kind: 'secret', id: 's', name: 'The secret' } as const;

test('a fault is one by its kind and its subject; a secret that is due and then expires is one', () => {
  const key = (kind: Condition['kind']): string => keyOf({ kind, subject });
  expect(new Set([key('secret-due'), key('secret-expired'), key('secret-refused')])).toEqual(
    new Set(['secret|secret|s']),
  );
  expect(key('consent-dead')).toBe('consent-dead|secret|s');
  expect(keyOf({ kind: 'secret-due', subject: { ...subject, id: 't' } })).not.toBe(key('secret-due'));
  expect(keyOf({ kind: 'secret-due', subject: { ...subject, kind: 'provider' } })).not.toBe(
    key('secret-due'),
  );
});

test('an occurrence is named by its time and a hash of its fault, the newest first', () => {
  expect(keyHash('k')).toMatch(/^[0-9a-f]{32}$/);
  expect(keyHash('k')).not.toBe(keyHash('l'));
  const [earlier, later] = ['2026-11-24T10:00:00.000Z', '2026-11-24T10:00:01.000Z'].map((at) =>
    noticeId(at, 'k'),
  );
  expect(earlier).toMatch(/^\d{14}-[0-9a-f]{32}$/);
  expect(String(later) < String(earlier)).toBe(true);
});

test('a notice shows the gravest of what its sources see', () => {
  const due = condition({ kind: 'secret-due' });
  const expired = condition({ kind: 'secret-expired' });
  expect(shownOf({ held: { watch: due, review: expired } })).toBe(expired);
  expect(shownOf({ held: { watch: expired, review: due } })).toBe(expired);
  expect(shownOf({ held: { sending: due } })).toBe(due);
  expect(() => shownOf({ held: {} })).toThrow(TypeError);
});

test('the gravest comes first, then the weightier kind, then the older one', () => {
  const since = (minute: number): string => `2026-11-24T10:0${minute}:00.000Z`;
  const all = [
    condition({ severity: 'critical', kind: 'storage-failing', since: since(5) }),
    condition({ severity: 'critical', kind: 'mailbox-silent', since: since(0) }),
    condition({ severity: 'error', kind: 'storage-failing', since: since(0) }),
    condition({ severity: 'error', kind: 'mailbox-silent', since: since(1) }),
    condition({ severity: 'error', kind: 'mailbox-silent', since: since(2) }),
    condition({ severity: 'warning', kind: 'storage-failing', since: since(0) }),
  ];
  expect(all.toReversed().sort(byGravity)).toEqual(all);
  expect([...all].sort(byGravity)).toEqual(all);
});
