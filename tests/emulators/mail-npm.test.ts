import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MailStore } from '../../dev/emulators/mail/npm/mail-store.ts';
import { makeMailLab, plainMail, sales, support } from '../harness/stack/mail-lab.ts';
import { Conversation } from '../harness/stack/mail-lines.ts';
import { describeMailServer } from './mail-contract.ts';
import { kill, openInbox, startProcess } from './mail-process.ts';

describe('the mail server without installation', () => {
  describeMailServer('npm');

  test('has everything it acknowledged when it is killed and restarted', async () => {
    const lab = await makeMailLab('npm');
    onTestFinished(() => lab.remove());
    const first = await startProcess(lab);
    const client = await openInbox(lab, first.endpoints, support);
    for (let index = 1; index <= 20; index++) {
      await client.append('INBOX', plainMail({ subject: `acknowledged ${index}` }));
    }
    await client.messageFlagsAdd('1:5', ['\\Seen']);
    await client.messageMove('6:8', 'Archive');
    await client.messageDelete('6');
    const drop = createTransport({ ...first.endpoints.drop });
    await drop.sendMail({ from: 'kim@customer.example', to: sales, subject: 'dropped', text: 'x' });
    await kill(first.child);
    drop.close();

    const second = await startProcess(lab);
    const after = await openInbox(lab, second.endpoints, support);
    const uids = [1, 2, 3, 4, 5, ...Array.from({ length: 11 }, (_, index) => index + 10)];
    expect(await after.search({ all: true }, { uid: true })).toEqual(uids);
    expect(await after.search({ seen: true }, { uid: true })).toEqual([1, 2, 3, 4, 5]);
    expect(await after.status('Archive', { messages: true, uidNext: true })).toMatchObject({
      messages: 3,
      uidNext: 4,
    });
    const inbox = await openInbox(lab, second.endpoints, sales);
    expect(await inbox.search({ subject: 'dropped' })).toEqual([1]);
    await kill(second.child);
  });

  test('rejects a token whose scope belongs to another protocol, and accepts an app’s role', async () => {
    const lab = await makeMailLab('npm');
    onTestFinished(() => lab.remove());
    const { endpoints } = await startProcess(lab);
    const talk = new Conversation(endpoints.imap, lab.ca);
    onTestFinished(() => talk.close());
    await talk.line();
    const wrong = await lab.token(support, { scp: 'SMTP.Send POP.AccessAsUser.All' });
    const [refused] = await talk.imap(`AUTHENTICATE XOAUTH2 ${lab.xoauth2(support, wrong)}`);
    expect(refused).toBe('a1 NO AUTHENTICATE failed.');
    const app = await lab.token('', { roles: ['IMAP.AccessAsApp'] });
    const [allowed] = await talk.imap(`AUTHENTICATE XOAUTH2 ${lab.xoauth2(sales, app)}`);
    expect(allowed).toBe('a1 OK AUTHENTICATE completed.');
  });

  test('responds to nonsense with BAD and continues', async () => {
    const lab = await makeMailLab('npm');
    onTestFinished(() => lab.remove());
    const { endpoints } = await startProcess(lab);
    const talk = new Conversation(endpoints.imap, lab.ca);
    onTestFinished(() => talk.close());
    await talk.line();
    for (const nonsense of ['', 'SELECT INBOX', 'LOGIN (', 'AUTHENTICATE', 'FETCH 1 "unended']) {
      expect((await talk.imap(nonsense)).at(-1)).toMatch(/^a1 BAD /);
    }
    await talk.imap(`AUTHENTICATE XOAUTH2 ${lab.xoauth2(support, await lab.token(support))}`);
    await talk.imap('SELECT {5+}\r\nINBOX');
    for (const nonsense of [
      'FETCH x FLAGS',
      'FETCH 1 NOTHING',
      'SEARCH NONSENSE',
      'STORE 1 FLAGZ (a)',
      'GETQUOTA ""',
    ]) {
      expect((await talk.imap(nonsense)).at(-1)).toMatch(/^a1 BAD /);
    }
    expect(await talk.imap('NOOP')).toEqual(['a1 OK NOOP completed.']);
  });
});

describe('a mailbox on disk', () => {
  test('ignores a change whose line is incomplete, and an email that was never announced', async () => {
    const lab = await makeMailLab('npm');
    onTestFinished(() => lab.remove());
    const now = Date.parse('2026-11-24T00:00:00Z');
    const before = new MailStore(lab.stateDir, now);
    const inbox = before.folder('INBOX');
    if (inbox === undefined) throw new Error('No inbox');
    before.append(inbox, plainMail({ subject: 'kept' }), { date: now });
    before.close();
    appendFileSync(path.join(lab.stateDir, 'journal.jsonl'), '{"op":"gone","folder":"INBOX","ui');
    writeFileSync(path.join(lab.stateDir, 'messages', '00000099.eml'), 'never acknowledged');

    const after = new MailStore(lab.stateDir, now + 60_000);
    const kept = after.folder('INBOX');
    expect(kept).toMatchObject({ uidValidity: inbox.uidValidity, uidNext: 2, mails: [{ uid: 1 }] });
    expect(readdirSync(path.join(lab.stateDir, 'messages'))).toEqual(['00000001.eml']);
    for (const name of ['journal.jsonl', 'messages', 'messages/00000001.eml'])
      expect([name, statSync(path.join(lab.stateDir, name)).mode & 0o077]).toEqual([name, 0]);
    after.close();
  });

  test('never reuses a UID after a restart, even if the newest email was deleted', async () => {
    const lab = await makeMailLab('npm');
    onTestFinished(() => lab.remove());
    for (const expected of [1, 2, 3]) {
      const store = new MailStore(lab.stateDir, 0);
      const inbox = store.folder('INBOX');
      if (inbox === undefined) throw new Error('No inbox');
      const { uid, file } = store.append(inbox, plainMail({ subject: 'gone soon' }), { date: 0 });
      expect(uid).toBe(expected);
      store.remove(inbox, [uid]);
      expect(() => readFileSync(path.join(lab.stateDir, 'messages', file))).toThrow('ENOENT');
      store.close();
    }
  });
});
