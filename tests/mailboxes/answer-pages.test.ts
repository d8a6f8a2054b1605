/** The page "Answers" of a mailbox. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AskAcknowledgement } from '../../functions/pages/mailboxes/ask-acknowledgement.tsx';
import { answerFields } from '../../shared/mailboxes/answer-settings.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { defaultTemplates } from '../../shared/templates/default-templates.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import { writeIndexes } from '../../shared/tickets/ticket-indexes.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { newMessage, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const id = 'a'.repeat(26);
const path = `/mailboxes/${id}/answers`;
let postroom: SamplePostroom;
beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox({ id });
});

const post = (fields: Record<string, string>) =>
  postroom.ask(path, { method: 'POST', role: 'admin', body: new URLSearchParams(fields) });
const page = async (): Promise<string> => (await postroom.ask(path, { role: 'admin' })).text();
const stored = async () => (await postroom.mailboxes.get(id))?.answers;
/** Files an email in the mailbox of the page. */
async function fileHere(subject: string, number: number): Promise<void> {
  const { tables } = postroom.services;
  const messages = [await newMessage({ subject }, 'x', 0, postroom.blobs)];
  await reserveNumbers(tables, ['here']);
  const filing = { ticketId: 'here', number, mailboxId: id, follows: undefined, opens: true, messages };
  await writeIndexes(tables, id, [await appendMessages(tables, filing)]);
}
const german = { [answerFields.language]: 'de' };

describe('a mailbox that was just connected', () => {
  const asked = async (change: Partial<Mailbox>): Promise<string> => {
    const mailbox = await postroom.mailboxes.get(id);
    if (mailbox === undefined) throw new Error('There is no mailbox.');
    return String(AskAcknowledgement({ mailbox: { ...mailbox, ...change } }) ?? '');
  };
  const sending = { host: 'smtp.contoso.example', port: 587, providerId: 'p', accountId: 'a' };

  it('asks whether it acknowledges new tickets, and takes the answer', async () => {
    const panel = await asked({ sending });
    const [, action = ''] = /action="([^"]+)"/.exec(panel) ?? [];
    const [, name = ''] = /<select id="[^"]+" name="([^"]+)"/.exec(panel) ?? [];
    expect([action, name]).toEqual([path, answerFields.language]);
    await post({ [name]: 'de' });
    expect((await stored())?.acknowledgement).toEqual({ language: 'de', ...defaultTemplates.de });
  });

  it('does not ask if it sends no email, or if it was answered before', async () => {
    expect(await asked({ sending: undefined })).toBe('');
    expect(await asked({ sending, answers: { signature: 'Sam' } })).toBe('');
  });
});

describe('how a mailbox answers', () => {
  it('is saved with an audit entry, with the standard text of the language if none was written', async () => {
    const answer = await post({
      ...german,
      [answerFields.signature]: 'Your **support**',
      [answerFields.tagsSubject]: 'on',
      [answerFields.plusAddress]: 'on',
      [answerFields.alertOnTicket]: 'Sam@agents.example, lee@agents.example',
    });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${path}?flash=saved`]);
    expect(await stored()).toEqual({
      acknowledgement: { language: 'de', ...defaultTemplates.de },
      signature: 'Your **support**',
      tagsSubject: true,
      plusAddress: true,
      alertOnTicket: ['sam@agents.example', 'lee@agents.example'],
    });
    const [entry] = await Array.fromAsync(postroom.audit.all({ kind: 'mailbox' }));
    expect(entry).toMatchObject({ action: 'changed', subject: { id }, principal: { name: 'Mira Sund' } });
    expect(await page()).toContain(defaultTemplates.de.subject);
  });

  it('changes the standard text with the language, and keeps a text of one’s own', async () => {
    await post(german);
    const fields = { [answerFields.language]: 'fr', [answerFields.text]: defaultTemplates.de.text };
    await post({ ...fields, [answerFields.subject]: 'Merci' });
    expect((await stored())?.acknowledgement).toEqual({
      language: 'fr',
      subject: 'Merci',
      text: defaultTemplates.fr.text,
    });
  });

  it('switches acknowledgements off', async () => {
    await post(german);
    await post({ [answerFields.language]: '' });
    expect(await stored()).toBeUndefined();
  });

  it('is previewed with a sample or a ticket of the mailbox, and saves nothing then', async () => {
    await postroom.mailbox({ id: 'support' });
    await postroom.file({ subject: 'Ticket of another mailbox' });
    const sample = await (await post({ ...german, preview: 'yes' })).text();
    expect(sample).toContain('Wir haben Ihre Nachricht erhalten: Printer on the second floor [#1042]');
    await fileHere('Broken <lamp>', 2);
    const real = await (await post({ ...german, preview: 'yes', previewTicket: '#2' })).text();
    expect(real).toContain('Wir haben Ihre Nachricht erhalten: Broken &lt;lamp&gt; [#2]');
    const other = await post({ ...german, preview: 'yes', previewTicket: '1' });
    expect(other.status).toBe(422);
    expect(await other.text()).toContain('This mailbox has no ticket with this number.');
    expect(await stored()).toBeUndefined();
  });

  it('is previewed in both versions that are sent, and nothing in the HTML is active', async () => {
    const text = '**Thanks** for [{{subject}}](https://contoso.example)\n\n<script>alert(1)</script>';
    const html = await (await post({ ...german, [answerFields.text]: text, preview: 'yes' })).text();
    const [, rendered = ''] = /<div class="rendered"[^>]*>(.*?)<\/div>/s.exec(html) ?? [];
    expect(rendered).toContain('<strong>Thanks</strong>');
    expect(rendered).toMatch(/<a href="https:\/\/contoso\.example"[^>]*>Printer on the second floor<\/a>/);
    expect(rendered).not.toContain('<script');
    const [, plain = ''] = /<div class="mail-text"[^>]*>(.*?)<\/div>/s.exec(html) ?? [];
    expect(plain).toContain('Thanks for Printer on the second floor');
    expect(plain).not.toMatch(/\*\*|<strong/);
  });

  it('reports an unknown variable with its place, and keeps what was typed', async () => {
    const answer = await post({
      ...german,
      [answerFields.text]: 'Hello\n{{nobody}}',
      [answerFields.subject]: 'Hi',
    });
    expect(answer.status).toBe(422);
    const html = await answer.text();
    expect(html).toContain('Line 2, character 1');
    expect(html).toContain('Hello\n{{nobody}}');
  });

  it('is for admins, and of mailboxes that exist', async () => {
    expect((await postroom.ask(path, { role: 'agent' })).status).toBe(403);
    expect((await postroom.ask(`/mailboxes/${'b'.repeat(26)}/answers`, { role: 'admin' })).status).toBe(404);
  });

  it('is a whole and accessible page: empty, with errors, with a preview', async () => {
    const drawn = {
      empty: await page(),
      errors: await (await post({ ...german, [answerFields.text]: '{{x' })).text(),
      preview: await (await post({ ...german, preview: 'yes' })).text(),
    };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
