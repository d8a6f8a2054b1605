import { describe, expect, it, test } from 'vitest';
import { openSeam } from '../../shared/platform/seam.ts';
import { parseSender, ruleFor, type SenderRule, senderProblem } from '../../shared/senders/sender-rule.ts';
import { createSenderRuleStore } from '../../shared/senders/sender-rule-store.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const rule = (sender: string, kind: SenderRule['kind'] = 'blocked'): SenderRule => ({
  sender,
  kind,
  addedAt: '2026-11-28T10:00:00.000Z',
  addedBy: 'Alex Admin',
});

describe('the sender of a rule', () => {
  test.each([
    ['kim@example.org', 'kim@example.org'],
    [' Kim@Example.ORG ', 'kim@example.org'],
    ['example.org', 'example.org'],
    ['@example.org', 'example.org'],
    ['kim@bücher.example', 'kim@xn--bcher-kva.example'],
  ])('may be entered as %s', (typed, sender) => {
    expect(parseSender(typed)).toBe(sender);
  });

  test.each([
    '',
    'kim',
    'kim@',
    'kim@localhost',
    'a b@example.org',
    'a@b@example.org',
    '*@example.org/x',
    '10.0.0.1',
    'exa_mple.org',
    '-.org',
  ])('is not %j', (typed) => {
    expect(senderProblem(parseSender(typed))).toMatch(/^Enter an email address/);
  });

  test.each(['co.uk', 'com.br', 'github.io'])(
    'is not a suffix that many organizations share, such as %s',
    (typed) => {
      expect(senderProblem(parseSender(typed))).toContain('shared by many organizations');
    },
  );

  it('may be a domain or subdomain of one organization', () => {
    expect(senderProblem('example.co.uk')).toBeUndefined();
    expect(senderProblem('mail.example.org')).toBeUndefined();
  });
});

describe('the rule that decides', () => {
  it('is the one for the address, its domain, or a domain above', () => {
    const rules = [rule('kim@example.org'), rule('spam.example')];
    expect(ruleFor(rules, 'KIM@example.org')?.sender).toBe('kim@example.org');
    expect(ruleFor(rules, 'a@spam.example')?.sender).toBe('spam.example');
    expect(ruleFor(rules, 'a@deep.mail.spam.example')?.sender).toBe('spam.example');
    expect(ruleFor(rules, 'a@notspam.example')).toBeUndefined();
    expect(ruleFor(rules, 'lee@example.org')).toBeUndefined();
    expect(ruleFor(rules, undefined)).toBeUndefined();
  });

  it('is an allowing one if both kinds match', () => {
    const rules = [rule('spam.example'), rule('boss@spam.example', 'allowed')];
    expect(ruleFor(rules, 'boss@spam.example')?.kind).toBe('allowed');
    expect(ruleFor(rules, 'other@spam.example')?.kind).toBe('blocked');
  });
});

describe('the store of rules', () => {
  it('keeps one rule per sender, lists in order, and deletes what was removed', async () => {
    const store = createSenderRuleStore({ tables: new MemoryTables(openSeam), seam: openSeam });
    for (const each of [rule('b.example'), rule('a.example'), rule('b.example', 'allowed')])
      await store.save(each);
    expect((await store.list()).map(({ sender, kind }) => [sender, kind])).toEqual([
      ['a.example', 'blocked'],
      ['b.example', 'allowed'],
    ]);
    await store.remove('b.example');
    expect(await store.list()).toEqual([rule('a.example')]);
  });

  it('reads them again after 30 seconds, at once after its own changes, and when the clock was set back', async () => {
    const tables = new MemoryTables(openSeam);
    let now = 1_000_000;
    const store = createSenderRuleStore({ tables, seam: { now: () => now } });
    const other = createSenderRuleStore({ tables, seam: { now: () => now } });
    const count = async (): Promise<number> => (await store.recent()).length;
    expect(await count()).toBe(0);
    await other.save(rule('a.example'));
    now += 29_999;
    expect(await count()).toBe(0);
    now += 1;
    expect(await count()).toBe(1);
    await store.save(rule('b.example'));
    expect(await count()).toBe(2);
    await other.save(rule('c.example'));
    now -= 3_600_000;
    expect(await count()).toBe(3);
  });
});
