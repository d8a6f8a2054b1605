/** The page “Where is my email?”: what it shows for each trace, and for an email that was not seen. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createReconciliationStore } from '../../shared/intake/reconciliation-records.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { fillPostroom } from '../harness/memory/sample-mail.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import { ago, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

let postroom: SamplePostroom;
beforeEach(async () => {
  postroom = samplePostroom();
  await fillPostroom(postroom);
});

const find = async (
  fields: Record<string, string>,
  role: 'admin' | 'agent' = 'admin',
): Promise<{ status: number; html: string }> => {
  const answer = await postroom.ask('/find-email', {
    method: 'POST',
    body: new URLSearchParams(fields),
    role,
  });
  return { status: answer.status, html: (await answer.text()).replaceAll(/\s+/g, ' ') };
};

describe('the page “Where is my email?”', () => {
  test('is a form that requires an input', async () => {
    const html = await (await postroom.ask('/find-email')).text();
    expect(html).toContain('<h1>Where is my email?</h1>');
    expect(html).toContain('aria-current="page">Find email');
    expect(html).not.toContain('Searched mailboxes');
    const { status, html: again } = await find({ text: '  ' });
    expect(status).toBe(422);
    expect(again).toContain('Enter a sender, a subject or a Message-ID.');
  });

  test('links from a sender and a subject to the ticket', async () => {
    for (const text of ['ada@fabrikam.example', 'label printer']) {
      const { html } = await find({ text });
      expect(html, text).toMatch(/<a href="\/tickets\/[\w-]+">Ticket #3<\/a>/);
      expect(html).toContain('In a ticket');
    }
  });

  test('shows an unimported email with its reason, and a link to handle it', async () => {
    const { html } = await find({ text: 'Your order' });
    expect(html).toContain('Not imported: More than 1,000 parts.');
    expect(html).toContain('Received by the mail server.');
    expect(html).toContain('/unimported?mailbox=support&amp;show=waiting');
  });

  test('shows what was checked for an email that was not seen: folder, since when, last fetch, number listed', async () => {
    await createReconciliationStore(postroom.services.tables).saveCheck({
      mailboxId: 'support',
      folder: 'INBOX',
      startedAt: ago(60),
      checkedAt: ago(60),
      count: { inLedger: 1200, waiting: 3, older: 31, missing: 0 },
      missing: [],
    });
    const { html } = await find({ text: 'never sent', mailbox: 'support' });
    expect(html).toContain('Not found');
    expect(html).toContain('support@');
    expect(html).toContain('INBOX');
    expect(html).toContain('1,234 in the folder');
    expect(html).toContain('newest 1,000 open');
    expect(html).not.toContain('billing@contoso.example</td>');
  });

  test.each([
    ['paused', async () => postroom.mailbox({ enabled: false }), 'The mailbox is paused.'],
    [
      'failing',
      async () =>
        postroom.mailboxes.setFailure('support', {
          state: 'action-required',
          code: 'imap-no-access',
          problem: 'This account cannot open it.',
          since: ago(1),
          failures: 1,
          triedAt: ago(1),
          nextTryAt: ago(0),
        }),
      'This account cannot open it.',
    ],
    [
      'short of an email',
      async () =>
        createReconciliationStore(postroom.services.tables).saveCheck({
          mailboxId: 'support',
          folder: 'INBOX',
          startedAt: ago(60),
          checkedAt: ago(60),
          count: { inLedger: 1, waiting: 0, older: 0, missing: 2 },
          missing: [],
        }),
      '2 emails are missing.',
    ],
  ])('says what to do if the mailbox is %s', async (_state, arrange, sentence) => {
    await arrange();
    const { html } = await find({ text: 'never sent', mailbox: 'support' });
    expect(html).toContain(sentence);
    expect((await find({ text: 'never sent', mailbox: 'support' }, 'agent')).html).toContain(
      'Ask an administrator.',
    );
  });

  test('searches the mail server on request: in the folder, and in Junk, which it names', async () => {
    const [inbox, junk] = [new MemoryFolder(), new MemoryFolder()];
    const letter = (id: string): Buffer =>
      Buffer.from(
        `From: kim@customer.example\r\nSubject: ${id}\r\nMessage-ID: <${id}@x>\r\n\r\nThe text\r\n`,
      );
    inbox.deliver(letter('fresh'), ago(5));
    junk.deliver(letter('spam'), ago(4));
    Object.assign(postroom.services.intake, {
      accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
      openInbox: ({ folder }: { folder: string }) =>
        openMemoryInbox(folder === 'INBOX' ? inbox : junk, openSeam),
    });
    const { html } = await find({ text: 'kim@customer', server: 'support' });
    expect(html).toContain('Found in the Junk folder “Junk Email”.');
    expect(html).toContain('&lt;fresh@x&gt;');
    expect(html).toContain('Not fetched yet.');
    expect(html).not.toContain('The text');
    const { html: nowhere } = await find({ text: 'nobody', server: 'support' });
    expect(nowhere).toContain('No matching email in these folders.');
  });

  test('reports that the mail server cannot be searched', async () => {
    const { html } = await find({ text: 'kim@customer', server: 'support' });
    expect(html).toContain('role="alert"');
    expect(html).toContain('On the mail server of support@');
  });

  test('is a readable page: labels, IDs and headings', async () => {
    for (const text of ['Your order', 'never sent']) {
      const page = readPage((await find({ text })).html);
      expect(page).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
      expect(headingsInOrder(page.headings)).toBe(true);
    }
  });

  test('escapes the text of an email', async () => {
    await postroom.file({
      subject: '<script>alert(1)</script>',
      from: { name: undefined, address: 'x@evil.example' },
    });
    const { html } = await find({ text: 'evil.example' });
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('&lt;script&gt;alert(1)');
  });
});
