import { describe, expect, it, test } from 'vitest';
import { type Treatment, treatmentOf } from '../../shared/intake/treatment.ts';
import {
  defaultHandling,
  handlingOf,
  messageClasses,
  setClasses,
} from '../../shared/message-class/message-class.ts';
import type { SenderRule } from '../../shared/senders/sender-rule.ts';

const rule = (sender: string, kind: SenderRule['kind']): SenderRule => ({
  sender,
  kind,
  addedAt: '2026-11-28T10:00:00.000Z',
  addedBy: 'Alex Admin',
});
const sender = 'kim@customer.example';

describe('the disposition of an email', () => {
  it('of each class has a default', () => {
    const defaults = messageClasses.map((one) => [
      one,
      treatmentOf({ sender, messageClass: one }, undefined, []).kind,
    ]);
    expect(Object.fromEntries(defaults)).toEqual({
      person: 'ticket',
      list: 'ticket',
      notification: 'ticket',
      'auto-reply': 'fold',
      'out-of-office': 'fold',
      bounce: 'ticket',
      complaint: 'ticket',
      own: 'skip',
    });
  });

  test.each(setClasses)('of the class %s is the setting of its mailbox', (one) => {
    for (const handling of ['ticket', 'fold', 'skip'] as const)
      expect(handlingOf(one, { [one]: handling })).toBe(handling);
    expect(handlingOf(one, {})).toBe(defaultHandling[one]);
  });

  it('includes the reason, with the class or the rule', () => {
    const skipped = treatmentOf({ sender, messageClass: 'list' }, { list: 'skip' }, []);
    expect(skipped).toEqual<Treatment>({
      kind: 'skip',
      reason: 'skipped by the settings of the mailbox: Mailing list',
    });
    const blocked = treatmentOf({ sender, messageClass: 'person' }, {}, [
      rule('customer.example', 'blocked'),
    ]);
    expect(blocked).toEqual<Treatment>({ kind: 'skip', reason: 'blocked sender: customer.example' });
  });

  it('of an always-allowed sender is a ticket, whatever its class and whoever blocks the domain', () => {
    const rules = [rule('customer.example', 'blocked'), rule(sender, 'allowed')];
    expect(treatmentOf({ sender, messageClass: 'own' }, { own: 'skip' }, rules)).toEqual({
      kind: 'ticket',
      isAllowed: true,
    });
  });
});
