import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParsedMessage, ParseOutcome } from '../../shared/mime/parsed-message.ts';
import { createParserPool, type ParserPool } from '../../shared/mime/parser-pool.ts';
import { corpusFiles, corpusMail, isFullCorpus, mailOf } from '../harness/memory/mail-files.ts';
import { ordinaryMails } from '../harness/memory/ordinary-mails.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unsafe = /[\0-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Every part of an email that becomes a header, a page or a file name. */
function lines(mail: ParsedMessage): (string | undefined)[] {
  const people = [mail.from, ...mail.replyTo, ...mail.to, ...mail.cc];
  return [
    mail.subject,
    mail.fromName,
    mail.messageId,
    ...mail.inReplyTo,
    ...mail.references,
    ...people.flatMap((person) => [person?.name, person?.address]),
    ...mail.attachments.flatMap(({ filename, contentType, contentId }) => [filename, contentType, contentId]),
    ...Object.values(mail.automatic).map(String),
  ];
}

describe('email of many sources', () => {
  let pool: ParserPool;
  const outcomes = new Map<string, ParseOutcome>();
  const mail = (path: string): ParsedMessage => {
    const outcome = outcomes.get(path);
    if (outcome === undefined) throw new Error(`no such mail: ${path}`);
    return mailOf(outcome);
  };

  beforeAll(async () => {
    // The one that hangs costs a whole deadline; no other comes near it.
    pool = createParserPool({ deadlineMs: 4_000, workers: 1 });
    const paths = corpusFiles();
    await Promise.all(paths.map(async (path) => outcomes.set(path, await pool.parse(corpusMail(path)))));
  });

  afterAll(() => pool.close());

  it('is read, every one of it, or rejected with a reason', () => {
    expect(outcomes.size).toBeGreaterThan(isFullCorpus ? 1_700 : 600);
    for (const [path, outcome] of outcomes) {
      if (outcome.kind !== 'mail')
        expect('reason' in outcome && outcome.reason, path).toMatch(
          /^(not an email: |The email cannot be read: )\w/,
        );
    }
  });

  it('is unreadable only if it was made to be', () => {
    const unreadable = [...outcomes]
      .filter(([, outcome]) => outcome.kind === 'unreadable')
      .map(([path]) => path);
    expect(unreadable.sort()).toEqual([
      'hostile/nest-multipart-1000.eml',
      'hostile/nest-multipart-200.eml',
      'hostile/nest-multipart-300.eml',
    ]);
  });

  it('is reported as no email only if its header has no email field', () => {
    const reader = /^(from|to|cc|subject|date|message-id|reply-to|sender|mime-version|content-type)[ \t]*:/im;
    for (const [path, outcome] of outcomes) {
      if (outcome.kind !== 'not-a-mail') continue;
      const [header] = corpusMail(path)
        .toString('latin1')
        .trimStart()
        .split(/\r?\n\r?\n/);
      expect(reader.test(header ?? ''), path).toBe(false);
    }
  });

  it('needs the second parser only for the email on which the first one hangs', () => {
    const second = [...outcomes].filter(
      ([, outcome]) => outcome.kind === 'mail' && outcome.mail.notes.includes('read by the second parser'),
    );
    expect(second.map(([path]) => path)).toEqual(['hostile/poison-mailparser-3.14.2-hang.eml']);
    expect(mail('hostile/poison-mailparser-3.14.2-hang.eml').subject).toBe('empty inline forward');
  });

  it.each(ordinaryMails)('reads %s as its author intended', (path, from, subject, line, files) => {
    const read = mail(path);
    expect(read.from?.address).toBe(from);
    expect(read.subject).toBe(subject);
    expect(read.text.trim().split('\n')[0]?.slice(0, 60).trimEnd()).toBe(line.trimEnd());
    expect(read.attachments.map(({ filename, size }) => [filename, size])).toEqual(files);
  });

  it('has no control or direction character in any field, and no path in any file name', () => {
    for (const [path, outcome] of outcomes) {
      if (outcome.kind !== 'mail') continue;
      for (const line of lines(outcome.mail)) {
        expect(unsafe.test(line ?? ''), `${path}: ${JSON.stringify(line)}`).toBe(false);
      }
      for (const { filename } of outcome.mail.attachments) {
        expect(
          filename === undefined || /^[^./\\][^/\\]{0,149}$/.test(filename),
          `${path}: ${filename}`,
        ).toBe(true);
      }
      for (const person of [outcome.mail.from, ...outcome.mail.to, ...outcome.mail.cc]) {
        if (person !== undefined) expect(person.address, path).toMatch(/^[^\s@<>,;:"]+@[a-z0-9._-]+$/);
      }
    }
  });

  it('includes old Macintosh files, which are read like their copies with other line ends', () => {
    const twins = [...outcomes.keys()].filter((path) => path.includes('maildir/mac/'));
    expect(twins.length).toBeGreaterThan(50);
    for (const path of twins) {
      const [mac, dos] = [mail(path), mail(path.replace('/mac/', '/dos/'))];
      expect(mac.subject, path).toBe(dos.subject);
      expect(mac.from, path).toEqual(dos.from);
      expect(mac.text.trim(), path).toBe(dos.text.trim());
      expect(mac.text.trim(), path).not.toBe('');
    }
  });

  it.each([
    ['sem-att-traversal', 'passwd'],
    ['sem-att-traversal-2231', 'passwd'],
    ['sem-att-traversal-win', 'x.exe'],
    ['sem-att-nul', 'a.html'],
    ['sem-att-crlf-2231', 'aX-Evil: 1.txt'],
    ['sem-att-ct-crlf', 'xy'],
    ['sem-att-rtlo', 'invfdp.exe'],
    ['sem-att-reserved', '_CON.txt'],
    ['sem-att-two-names', 'a.pdf'],
    ['sem-att-dots', undefined],
    ['sem-att-empty', undefined],
  ])('gives the attachment of hostile/%s the name %s', (name, expected) => {
    expect(mail(`hostile/${name}.eml`).attachments.map((attachment) => attachment.filename)).toEqual([
      expected,
    ]);
  });

  it.each([
    ['sem-subj-crlf-ew', 'hi Bcc: victim@x.example'],
    ['sem-subj-nul', 'a b'],
    ['sem-subj-8bit-gbk', '转发'],
    ['sem-subj-rtlo', 'gnp.exe'],
    ['sem-subj-split-mb', 'ä'],
    ['sem-subj-formula', '=HYPERLINK("http://evil.example";"x")'],
  ])('gives hostile/%s the subject %s', (name, expected) => {
    expect(mail(`hostile/${name}.eml`).subject).toBe(expected);
  });

  it.each([
    ['sem-from-crlf-ew', 'a@example.com'],
    ['sem-from-name-is-addr', 'a@example.com'],
    ['sem-from-ew-addr', 'a@example.com'],
    ['sem-from-ew-whole', undefined],
    ['sem-from-two-headers', 'real@example.com'],
    ['sem-from-eai', 'jörg@xn--exmple-cua.com'],
    ['sem-from-none', undefined],
    ['sem-from-empty', undefined],
  ])('accepts %s of hostile email as sent by %s', (name, expected) => {
    expect(mail(`hostile/${name}.eml`).from?.address).toBe(expected);
  });
});
