import { expect, test } from 'vitest';
import { PushLine } from '../../functions/pages/mailboxes/push-line.tsx';
import type { Push } from '../../shared/push/subscription.ts';
import { samplePush } from './sample-push.ts';

const shown = (push: Push | undefined): string => String(<PushLine push={push} />).replaceAll(/<[^>]+>/g, '');

test('the page of a mailbox says whether push is on, and if not, why', () => {
  expect(shown(samplePush())).toMatch(/^Push: on since .+ looks every 15 minutes\.$/);
  expect(shown(samplePush({ state: 'off', reason: 'The mailbox is paused.' }))).toBe(
    'Push: off. The mailbox is paused.',
  );
  expect(shown(samplePush({ state: 'refused', reason: 'Graph said: <b>no</b>' }))).toBe(
    'Push: off. Graph said: &lt;b&gt;no&lt;/b&gt;',
  );
  expect(shown(samplePush({ state: 'in-doubt', reason: 'It was silent.' }))).toContain(
    'It was silent. Postroom looks at the mailbox as often as set below.',
  );
  expect(shown(undefined)).toBe('');
});
