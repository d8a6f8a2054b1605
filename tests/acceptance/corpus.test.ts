/**
 * Real email: five hundred emails of many sources, hostile ones among them, through the built app. Every
 * one must become a ticket message, or be in quarantine or skipped with a reason.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { corpusMail } from '../harness/memory/mail-files.ts';
import { ordinaryMails } from '../harness/memory/ordinary-mails.ts';
import {
  connectSupport,
  dumpTables,
  fetchOnce,
  openPostroom,
  type Postroom,
  SUPPORT,
  type Watcher,
  watchInbox,
} from '../harness/stack/installation.ts';
import { chosenFiles } from './chosen-mails.ts';
import { type Records, readRecords } from './installation-records.ts';

const MAILS = 500;
const kind = mailServerKindHere();
if (kind !== 'debian')
  console.warn('Dovecot is not installed: the corpus is fetched from the small mail server.');

describe('five hundred emails of many sources', () => {
  let postroom: Postroom;
  let host: HostProcess;
  let mailboxId: string;
  let files: string[];
  let watcher: Watcher;
  let records: Records;

  beforeAll(async () => {
    files = chosenFiles(MAILS);
    postroom = await openPostroom(kind);
    mailboxId = await connectSupport(postroom);
    await postroom.stack.mail.deliverMany(SUPPORT, files.map(corpusMail));
    host = await postroom.startHost();
    watcher = await watchInbox(postroom);
    const began = Date.now();
    await fetchOnce(postroom, host, mailboxId, { limitMs: 230_000 });
    console.log(
      `${files.length} emails fetched from ${kind} in ${((Date.now() - began) / 1000).toFixed(1)} s`,
    );
    const { all, uidValidity } = await watcher.look();
    expect(all).toEqual(files.map((_, index) => index + 1));
    records = await readRecords(postroom, mailboxId, uidValidity, all);
  }, 300_000);
  afterAll(async () => {
    await watcher?.close();
    await postroom?.[Symbol.asyncDispose]();
  });

  const reasonsOf = (wanted: 'quarantined' | 'skipped'): { file: string; reason: string }[] =>
    files.flatMap((file, index) => {
      const disposition = records.dispositions.get(index + 1);
      return disposition?.kind === wanted ? [{ file, reason: disposition.reason }] : [];
    });

  it('are fetched with access tokens as large as Microsoft’s', async () => {
    const token = await postroom.stack.identityProvider.control.mintAccessToken({ upn: SUPPORT });
    expect(token.length).toBeGreaterThan(2_300);
  });

  it('each became one ticket message, or is quarantined or skipped with its reason', async () => {
    expect(records.faults).toEqual([]);
    const dispositions = [...records.dispositions.values()];
    expect(dispositions).toHaveLength(MAILS);
    const count = (wanted: string): number =>
      dispositions.filter((disposition) => disposition?.kind === wanted).length;
    console.log(
      `${count('message')} ticket messages, ${count('quarantined')} quarantined, ${count('skipped')} skipped`,
    );
    for (const { file, reason } of [...reasonsOf('quarantined'), ...reasonsOf('skipped')])
      console.log(`${file}: ${reason}`);
    expect(count('message') + count('quarantined') + count('skipped')).toBe(MAILS);
    expect((await watcher.look()).seen).toHaveLength(MAILS);
  });

  it('are in quarantine only if hostile, and few', () => {
    const quarantined = reasonsOf('quarantined');
    expect(quarantined.filter(({ file, reason }) => !file.startsWith('hostile/') || reason === '')).toEqual(
      [],
    );
    expect(quarantined.length).toBeLessThanOrEqual(MAILS * 0.02);
  });

  it('are skipped only if they are copies or no email', () => {
    const others = reasonsOf('skipped').filter(
      ({ reason }) => !/^(copy of an email|not an email)/.test(reason),
    );
    expect(others).toEqual([]);
  });

  it.each(ordinaryMails)(
    'include %s with its sender, subject, first line and attachments',
    async (path, from, subject, line, named) => {
      const disposition = records.dispositions.get(files.indexOf(path) + 1);
      const key = disposition !== undefined && 'key' in disposition ? disposition.key : '';
      const [message] = records.messages.get(key) ?? [];
      const read = async (blob: unknown): Promise<Buffer> =>
        Buffer.from((await postroom.blobs.read(String(blob))) ?? '');
      const text = String(message?.['text'] ?? (await read(message?.['textBlob'])));
      const rows = records.attachments.get(key) ?? [];
      const attached = await Promise.all(
        rows.map(async (row, index) => {
          const bytes = await read(row['blob']);
          // The table has the sizes of the original files; a text with bare LF is sent with CRLF.
          const unixSize = bytes.toString('latin1').replaceAll('\r\n', '\n').length;
          const size = unixSize === named[index]?.[1] ? unixSize : bytes.length;
          return [row['filename'], bytes.length === row['size'] ? size : 'not as long as said'];
        }),
      );
      expect({
        from: (JSON.parse(String(message?.['from'] ?? '{}')) as { address?: string }).address,
        subject: message?.['subject'],
        line: text.trimStart().split('\n')[0]?.slice(0, line.length),
        attached,
      }).toEqual({ from, subject, line, attached: named });
    },
  );

  it('do not change in a second run, nor in one after all email was marked unread', async () => {
    const dump = async (): Promise<Record<string, string>> => {
      const rows = await dumpTables(postroom.stack.storage.connectionString);
      // Shows when the shard was last fetched.
      return Object.fromEntries([...rows].filter(([name]) => !name.startsWith('MailboxState/state/shard|')));
    };
    const before = await dump();
    await fetchOnce(postroom, host, mailboxId);
    expect(await dump()).toEqual(before);
    await watcher.unsee();
    await fetchOnce(postroom, host, mailboxId);
    expect(await dump()).toEqual(before);
    expect((await watcher.look()).seen).toHaveLength(MAILS);
  });

  it('the comparison detects a lost message, a ticket listed twice and an email in no ledger', async () => {
    const { tables } = postroom;
    const [message] = [...records.messages.values()].flat();
    const [listed] = await tables.open('TicketIndex').list('open', { limit: 1 });
    if (message === undefined || listed === undefined) throw new Error('nothing was stored');
    const { etag: _etag, timestamp: _timestamp, ...row } = listed;
    await tables.open('Tickets').commit(message.partitionKey, [{ kind: 'remove', rowKey: message.rowKey }]);
    await tables
      .open('TicketIndex')
      .commit('closed', [{ kind: 'put', row: { ...row, partitionKey: 'closed' } }]);
    const { all, uidValidity } = await watcher.look();
    const uids = [...all, MAILS + 1];
    const { faults } = await readRecords(postroom, mailboxId, uidValidity, uids);
    expect(faults.filter((fault) => /is 0 ticket messages/.test(fault))).toHaveLength(1);
    expect(faults.filter((fault) => /is listed 2 times/.test(fault))).toHaveLength(1);
    expect(faults).toContain(`mail ${MAILS + 1} is in no ledger`);
  });
});
