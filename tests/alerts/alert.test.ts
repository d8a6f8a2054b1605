/** Which findings are the same fault, and which of two comes first. */
import { expect, test } from 'vitest';
import { alertId, byGravity, type Finding, keyHash, keyOf, shownOf } from '../../shared/alerts/alert.ts';
import { silent } from '../harness/memory/sample-findings.ts';

const finding = (connectRequest: Partial<Finding> = {}): Finding => ({ ...silent(), ...connectRequest });
const subject = { kind: 'secret', id: 's', name: 'The secret' } as const;

test('a fault is identified by its kind and its subject; a secret that is due and then expires is one fault', () => {
  const key = (kind: Finding['kind']): string => keyOf({ kind, subject });
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
    alertId(at, 'k'),
  );
  expect(earlier).toMatch(/^\d{14}-[0-9a-f]{32}$/);
  expect(String(later) < String(earlier)).toBe(true);
});

test('an alert shows the most severe finding of its sources', () => {
  const due = finding({ kind: 'secret-due' });
  const expired = finding({ kind: 'secret-expired' });
  expect(shownOf({ findings: { watch: due, review: expired } })).toBe(expired);
  expect(shownOf({ findings: { watch: expired, review: due } })).toBe(expired);
  expect(shownOf({ findings: { sending: due } })).toBe(due);
  expect(() => shownOf({ findings: {} })).toThrow(TypeError);
});

test('the most severe comes first, then the more important kind, then the older one', () => {
  const since = (minute: number): string => `2026-11-24T10:0${minute}:00.000Z`;
  const all = [
    finding({ severity: 'critical', kind: 'storage-failing', since: since(5) }),
    finding({ severity: 'critical', kind: 'mailbox-silent', since: since(0) }),
    finding({ severity: 'error', kind: 'storage-failing', since: since(0) }),
    finding({ severity: 'error', kind: 'mailbox-silent', since: since(1) }),
    finding({ severity: 'error', kind: 'mailbox-silent', since: since(2) }),
    finding({ severity: 'warning', kind: 'storage-failing', since: since(0) }),
  ];
  expect(all.toReversed().sort(byGravity)).toEqual(all);
  expect([...all].sort(byGravity)).toEqual(all);
});
