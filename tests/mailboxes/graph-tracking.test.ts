/** Delta queries of Microsoft Graph: from the start in a large folder to the steady state. */
import { expect, test } from 'vitest';
import { GraphRefusal } from '../../shared/mailboxes/graph-errors.ts';
import type { GraphMessage, MessagePage } from '../../shared/mailboxes/graph-messages.ts';
import { graphRef } from '../../shared/mailboxes/graph-ref.ts';
import { continueTracking, startTracking } from '../../shared/mailboxes/graph-tracking.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const message = (name: string): GraphMessage => {
  const receivedAt = '2026-11-28T11:00:00.000Z';
  return {
    id: name,
    meta: { ref: graphRef(name, receivedAt), size: 1, isEstimate: true, receivedAt, messageId: '' },
  };
};

/** A folder of numbered messages; a link names the query and how many of them it has returned. */
class Folder {
  messages = Array.from({ length: 11 }, (_, index) => String(index + 1));
  readonly asked: string[] = [];
  isForgotten = false;
  startOfChanges = (from?: string): string => `${from === undefined ? 'whole' : `since ${from}`}/0`;
  changes = async (path: string): Promise<MessagePage> => {
    this.asked.push(path);
    if (this.isForgotten && !path.endsWith('/0'))
      throw new GraphRefusal(410, 'SyncStateNotFound', 'The sync state generation is not found.');
    const [query = '', count = ''] = path.split('/');
    // The filter leaves out everything that is in the folder at the start.
    const seen = query.startsWith('since') && count === '0' ? this.messages.length : Number(count);
    const page = this.messages.slice(seen, seen + 2);
    const link = `${query}/${seen + page.length}`;
    const more = seen + page.length < this.messages.length;
    return { messages: page.map(message), date: NOW, ...(more ? { next: link } : { later: link }) };
  };
}

test('the tracking of a large folder starts within a few requests', async () => {
  const folder = new Folder();
  const { reached, found, takenAt } = await startTracking(folder, NOW);
  expect(reached).toEqual({ link: 'since 2026-11-27T12:00:00.000Z/11', next: 'whole/8' });
  expect([found, takenAt, folder.asked.length]).toEqual([[], NOW / 1000, 5]);
});

test('the tracking of an ordinary folder needs no filter', async () => {
  const folder = new Folder();
  folder.messages.length = 7;
  expect(await startTracking(folder, NOW)).toMatchObject({ reached: { link: 'whole/7' }, found: [] });
});

test('the tracking of the whole folder takes over step by step, and no arrival is missed meanwhile', async () => {
  const folder = new Folder();
  let { reached } = await startTracking(folder, NOW);
  const found: string[] = [];
  for (const arrival of ['12', '13', '14', '15', '16']) {
    folder.messages.push(arrival);
    const tracking = await continueTracking(folder, reached);
    if (tracking === undefined) throw new Error('The tracking ended');
    found.push(...tracking.found.map(({ id }) => id));
    reached = tracking.reached;
  }
  expect(found).toEqual(['12', '13', '14', '15', '16']);
  expect(reached).toEqual({ link: 'whole/16' });
});

test('one listing reads only a few pages of the whole folder', async () => {
  const folder = new Folder();
  folder.messages.push(...folder.messages, ...folder.messages);
  const { reached } = await startTracking(folder, NOW);
  folder.asked.length = 0;
  await continueTracking(folder, reached);
  expect(folder.asked.filter((path) => path.startsWith('whole'))).toHaveLength(4);
});

test('a tracking whose state is gone has to start again', async () => {
  const folder = new Folder();
  const { reached } = await startTracking(folder, NOW);
  folder.isForgotten = true;
  expect(await continueTracking(folder, reached)).toBeUndefined();
});

test('any other refusal ends the listing', async () => {
  const folder = new Folder();
  const changes = async (): Promise<MessagePage> => {
    throw new GraphRefusal(503, 'ServiceNotAvailable', 'Away.');
  };
  await expect(continueTracking({ ...folder, changes }, { link: 'whole/11' })).rejects.toThrow('Away.');
});
