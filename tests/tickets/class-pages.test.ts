import { describe, expect, it } from 'vitest';
import { messageClasses } from '../../shared/message-class/message-class.ts';
import { readPage } from '../harness/pages/read-page.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const html = async (postroom: SamplePostroom, path: string): Promise<string> =>
  (await postroom.ask(path)).text();
const listed = (page: string): string[] =>
  [...page.matchAll(/<span class="number">(#\d+)/g)].map(([, number]) => number ?? '');

describe('the class of a message', () => {
  it('is a label in the list and in the conversation, except for a message from a person', async () => {
    const postroom = samplePostroom();
    const id = await postroom.file(
      { subject: 'Not delivered', messageClass: 'bounce' },
      { messageClass: 'out-of-office', folded: 'Out of office.', minutesAgo: 5 },
      { messageClass: 'person', minutesAgo: 4 },
    );
    expect((await html(postroom, '/tickets')).match(/class="status[^"]*">([^<]*)</g)).toEqual([
      'class="status warn">Bounce<',
    ]);
    const conversation = await html(postroom, `/tickets/${id}`);
    expect([...conversation.matchAll(/class="status [a-z]+">([^<]*)</g)].map(([, label]) => label)).toEqual([
      'Open',
      'Bounce',
      'Out of office',
    ]);
    expect(conversation).toContain('Collapsed: Out of office.');
  });

  it('filters the list, with its pages and its status', async () => {
    const postroom = samplePostroom();
    for (let count = 1; count <= 60; count += 1)
      await postroom.file({ minutesAgo: count, messageClass: count % 30 === 0 ? 'list' : 'person' });
    const closed = await postroom.file({ messageClass: 'list', minutesAgo: 90 });
    await postroom.tickets.setStatus(closed, 'closed');
    expect(listed(await html(postroom, '/tickets?class=list'))).toEqual(['#30', '#60']);
    expect(listed(await html(postroom, '/tickets?class=list&status=closed'))).toEqual(['#61']);
    expect(await html(postroom, '/tickets?class=bounce')).toContain('No matching tickets');
    expect(listed(await html(postroom, '/tickets?class=nonsense'))).toHaveLength(50);
    const first = await html(postroom, '/tickets?class=person');
    const next = /rel="next" href="([^"]*)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(next).toContain('class=person');
    const second = await html(postroom, next);
    expect([...listed(first), ...listed(second)]).toHaveLength(58);
    expect(new Set([...listed(first), ...listed(second)]).size).toBe(58);
    expect(readPage(first)).toMatchObject({ unlabelled: [], repeatedIds: [], danglingIds: [] });
  });

  it.each(messageClasses)('is a filter for every kind: %s', async (messageClass) => {
    const postroom = samplePostroom();
    await postroom.file({ messageClass });
    await postroom.file({ messageClass: messageClass === 'list' ? 'person' : 'list', minutesAgo: 2 });
    expect(listed(await html(postroom, `/tickets?class=${messageClass}`))).toEqual(['#1']);
  });
});
