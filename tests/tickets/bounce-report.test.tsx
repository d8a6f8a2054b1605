import { describe, expect, it } from 'vitest';
import { BounceReportView } from '../../functions/pages/tickets/bounce-report.tsx';
import type { Bounce } from '../../shared/tickets/bounce.ts';

const bounce: Bounce = {
  messageId: '<t.reply1.k.0@contoso.example>',
  recipient: 'kim@customer.example',
  status: '5.1.1',
  said: '550 5.1.1 <no> such user',
  kind: 'permanent',
  reason: 'no-mailbox',
};
const at = '2026-11-24T10:00:00.000Z';
const drawn = (change: Partial<Bounce> = {}): string =>
  String(<BounceReportView bounces={[{ bounce: { ...bounce, ...change }, at }]} />);

describe('the report of a bounce', () => {
  it('says who was not reached, why, what to do, and what the server said', () => {
    const html = drawn();
    for (const part of ['Not delivered', 'kim@customer.example', '(5.1.1)', '&lt;no&gt; such user'])
      expect(html).toContain(part);
  });

  it('says that a delayed email needs nobody', () => {
    expect(drawn({ kind: 'delayed' })).toContain('The mail server keeps trying.');
    expect(drawn({ kind: 'delayed' })).not.toContain('class="alert"');
  });

  it('is absent at other messages', () => {
    expect(BounceReportView({ bounces: [] })).toBeNull();
  });
});
