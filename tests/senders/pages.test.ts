import { beforeEach, describe, expect, it, test } from 'vitest';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

let postroom: SamplePostroom;
beforeEach(() => {
  postroom = samplePostroom();
});

const post = (path: string, fields: Record<string, string> = {}, role: 'admin' | 'agent' = 'admin') =>
  postroom.ask(path, { method: 'POST', role, body: new URLSearchParams(fields) });
const page = async (path: string, role: 'admin' | 'agent' = 'admin'): Promise<string> =>
  (await postroom.ask(path, { role })).text();
const rules = async (): Promise<string[]> =>
  (await postroom.services.senderRules.list()).map(({ sender, kind }) => `${sender} ${kind}`);
const changes = async (): Promise<string[]> => {
  const found: string[] = [];
  for await (const entry of postroom.audit.all({ kind: 'sender' }))
    found.unshift(`${entry.principal.name}: ${entry.subject.name} ${entry.action}`);
  return found;
};

describe('the list of senders', () => {
  it('is readable, empty and filled', async () => {
    for (const sender of ['', 'spam.example', 'kim@customer.example']) {
      if (sender !== '') await post('/senders', { sender, kind: 'blocked' });
      const html = await page('/senders');
      expect(readPage(html)).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
      expect(headingsInOrder(readPage(html).headings)).toBe(true);
    }
  });

  it('adds a sender, changes its rule and removes it, each with its entry in the audit log', async () => {
    const added = await post('/senders', { sender: ' @Spam.Example ', kind: 'blocked' });
    expect([added.status, added.headers.get('location')]).toEqual([303, '/senders?flash=blocked']);
    await post('/senders', { sender: 'spam.example', kind: 'blocked' });
    expect(await rules()).toEqual(['spam.example blocked']);
    await post('/senders', { sender: 'spam.example', kind: 'allowed' });
    expect(await page('/senders')).toContain('Always allowed');
    await post('/senders/remove', { sender: 'spam.example' });
    await post('/senders/remove', { sender: 'spam.example' });
    expect(await rules()).toEqual([]);
    expect((await changes()).toSorted()).toEqual(
      ['spam.example blocked', 'spam.example allowed', 'spam.example no longer always allowed']
        .map((change) => `Mira Sund: ${change}`)
        .toSorted(),
    );
  });

  it('reports an invalid input, and keeps it', async () => {
    const answer = await post('/senders', { sender: 'everybody <x>', kind: 'allowed' });
    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('Enter an email address such as kim@example.org');
    expect(html).toContain('value="everybody &lt;x&gt;"');
    expect(html).toMatch(/value="allowed"[^>]*checked/);
    expect(await rules()).toEqual([]);
  });

  it('is linked from the mailboxes', async () => {
    expect(await page('/mailboxes')).toContain('href="/senders"');
  });
});

describe('on a ticket', () => {
  test('an agent blocks its sender with one click, and undoes that with another', async () => {
    const id = await postroom.file({ from: { name: 'Ada', address: 'Ada@Fabrikam.example' } });
    expect(await page(`/tickets/${id}`, 'agent')).toContain('Block this sender');
    const answer = await post(`/tickets/${id}/block-sender`, {}, 'agent');
    expect(answer.headers.get('location')).toBe(`/tickets/${id}?flash=blocked`);
    expect(await rules()).toEqual(['ada@fabrikam.example blocked']);
    const blocked = await page(`/tickets/${id}?flash=blocked`, 'agent');
    expect(blocked).toContain('Sender blocked');
    expect(blocked).toContain('Unblock this sender');
    await post(`/tickets/${id}/unblock-sender`, {}, 'agent');
    expect(await rules()).toEqual([]);
    expect(await changes()).toHaveLength(2);
  });

  test('an admin’s rule stays unchanged', async () => {
    const id = await postroom.file({ from: { name: undefined, address: 'ada@fabrikam.example' } });
    await post('/senders', { sender: 'fabrikam.example', kind: 'blocked' });
    expect(await page(`/tickets/${id}`, 'agent')).toContain('fabrikam.example is blocked');
    await post(`/tickets/${id}/unblock-sender`, {}, 'agent');
    expect(await rules()).toEqual(['fabrikam.example blocked']);
    await post('/senders', { sender: 'ada@fabrikam.example', kind: 'allowed' });
    expect(await page(`/tickets/${id}`, 'agent')).toContain('Sender always allowed');
    await post(`/tickets/${id}/block-sender`, {}, 'agent');
    expect(await rules()).toEqual(['ada@fabrikam.example allowed', 'fabrikam.example blocked']);
  });

  test('a mailbox of the installation and a sender without an address cannot be blocked', async () => {
    await postroom.mailbox();
    for (const address of ['support@contoso.example', undefined]) {
      const id = await postroom.file({ from: { name: 'Web form', address } });
      expect(await page(`/tickets/${id}`, 'agent')).not.toContain('Block this sender');
      expect((await post(`/tickets/${id}/block-sender`, {}, 'agent')).status).toBe(404);
    }
    expect(await rules()).toEqual([]);
  });
});
