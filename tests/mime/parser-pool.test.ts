import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { defaultParseLimits } from '../../shared/mime/parsed-message.ts';
import { createParserPool, type ParserPool, type ParserPoolOptions } from '../../shared/mime/parser-pool.ts';
import { bestOfThree } from '../harness/measure-time.ts';
import { cutMail, mailOf, ownMail } from '../harness/memory/mail-files.ts';

const pools: ParserPool[] = [];

function open(options: ParserPoolOptions): ParserPool {
  const pool = createParserPool(options);
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

const plain = (subject: string): Buffer =>
  Buffer.from(`From: a@b.example\r\nSubject: ${subject}\r\n\r\nhello`);
const known = ownMail('hang-mailparser.eml');
/** In a format that is not known yet. */
const hang = ownMail('hang-mailparser-quoted.eml');
/** mailparser never returns at its end; the empty lines before it are seconds of work for postal-mime, and 300 MB. */
const hangBoth = Buffer.concat([
  hang.subarray(0, hang.indexOf('--x')),
  Buffer.alloc(700_000, '\n'),
  hang.subarray(hang.indexOf('--x')),
]);

describe('the parser pool', () => {
  it('returns each result to its own caller, in any order', async () => {
    const pool = open({ workers: 2 });
    const subjects = Array.from({ length: 40 }, (_, index) => `mail ${index}`);
    const outcomes = await Promise.all(subjects.map((subject) => pool.parse(plain(subject))));
    expect(outcomes.map((outcome) => mailOf(outcome).subject)).toEqual(subjects);
  });

  it('leaves the bytes with the caller and returns complete attachments', async () => {
    const raw = ownMail('outlook-two-attachments.eml');
    const before = Buffer.from(raw);
    const mail = mailOf(await open({}).parse(raw));
    expect(raw.equals(before)).toBe(true);
    expect(mail.attachments.map((attachment) => attachment.content?.length)).toEqual([5_129, 304]);
    // Transferring shared memory would have failed and used the second parser.
    expect(mail.notes).toEqual([]);
  });

  it('passes the nonce on, so that cut parts are recognized', async () => {
    const { kept } = cutMail(ownMail('outlook-two-attachments.eml'), 64 * 1024, 'n');
    const mail = mailOf(await open({}).parse(kept, 'n'));
    expect(mail.attachments.map((attachment) => attachment.cut)).toEqual([0, 1]);
  });

  it('uses the second parser when the first one never returns, and reads the innocent emails around it', async () => {
    const pool = open({ deadlineMs: 5_000 });
    const [first, poison, ...others] = await Promise.all([
      pool.parse(plain('before')),
      pool.parse(hang),
      pool.parse(plain('beside')),
      pool.parse(plain('after')),
    ]);
    expect(mailOf(first).notes).toEqual([]);
    expect(mailOf(poison)).toMatchObject({
      subject: 'empty quoted forward',
      notes: ['read by the second parser'],
    });
    for (const other of others) expect(mailOf(other).notes).toEqual([]);
  });

  it('abandons an email that neither can read in time, with a reason, and continues', async () => {
    // With more heap than the email can fill, so that the time limit ends it, even on a fast machine.
    const pool = open({
      deadlineMs: 1_200,
      heapMb: 1_024,
      limits: { ...defaultParseLimits, lines: 1_000_000 },
    });
    const [outcome, next] = await Promise.all([pool.parse(hangBoth), pool.parse(plain('next'))]);
    expect(outcome).toEqual({
      kind: 'unreadable',
      reason: 'The email cannot be read: it takes longer than 1.2 s.',
    });
    expect(mailOf(next).subject).toBe('next');
  });

  it('reads an email that is known to hang the first parser with the second one at once', async () => {
    const pool = open({});
    await pool.parse(plain('warm'));
    const ms = await bestOfThree(3_000, async () => {
      const outcomes = await Promise.all(Array.from({ length: 40 }, () => pool.parse(known)));
      for (const outcome of outcomes)
        expect(mailOf(outcome)).toMatchObject({
          subject: 'empty inline forward',
          notes: ['read by the second parser'],
        });
    });
    expect(ms).toBeLessThan(3_000);
  });

  it('does not wait for an idle parser, whatever its deadline', async () => {
    const pool = open({ deadlineMs: 60_000 });
    const ms = await bestOfThree(10_000, async () =>
      expect(mailOf(await pool.parse(hang)).notes).toEqual(['read by the second parser']),
    );
    expect(ms).toBeLessThan(10_000);
  });

  it('reports an email as slow if it takes longer than its caller waits, and finishes it when called again', async () => {
    const pool = open({ limits: { ...defaultParseLimits, lines: 10_000_000 }, heapMb: 1_024 });
    await pool.parse(plain('warm'));
    // More than a second of work, so that it takes longer than 20 ms and the pool's 100 ms on any machine.
    const lines = Buffer.concat([plain('lines'), Buffer.alloc(6_000_000, '\n')]);
    expect(await pool.parse(lines, undefined, { patienceMs: 20 })).toEqual({ kind: 'slow' });
    expect(mailOf(await pool.parse(plain('next'), undefined, { patienceMs: 5_000 })).subject).toBe('next');
    expect(mailOf(await pool.parse(lines)).subject).toBe('lines');
  });

  it('prefers the email of an owner that waits to more of one that uses the thread', async () => {
    const pool = open({ limits: { ...defaultParseLimits, lines: 1_000_000 }, heapMb: 1_024 });
    const order: string[] = [];
    const of = async (owner: string, raw: Buffer): Promise<void> => {
      await pool.parse(raw, undefined, { owner });
      order.push(owner);
    };
    const lines = Buffer.concat([plain('lines'), Buffer.alloc(200_000, '\n')]);
    await Promise.all([...Array.from({ length: 12 }, () => of('one', lines)), of('other', plain('quick'))]);
    // The one thread had received two emails already.
    expect(order.indexOf('other')).toBe(2);
  });

  it('rejects an email of 1.5 million empty lines before a library sees it, and continues', async () => {
    const pool = open({});
    const flood = Buffer.concat([plain('flood'), Buffer.alloc(1_500_000, '\n')]);
    expect(await pool.parse(flood)).toEqual({
      kind: 'unreadable',
      reason: 'The email cannot be read: it has more than 500,000 lines.',
    });
    expect(mailOf(await pool.parse(plain('next'))).subject).toBe('next');
  });

  it('survives an email that needs more heap than a worker has', async () => {
    const pool = open({ heapMb: 24, deadlineMs: 60_000 });
    const addresses = `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n`;
    const parts = `--b\r\nContent-Type: text/plain\r\n\r\n${'w\u00f6rter '.repeat(20_000)}\r\n`.repeat(150);
    const [outcome, next] = await Promise.all([
      pool.parse(Buffer.from(`${addresses}${parts}--b--`)),
      pool.parse(plain('next')),
    ]);
    expect(outcome).toEqual({
      kind: 'unreadable',
      reason: 'The email cannot be read: it needs too much memory.',
    });
    expect(mailOf(next).subject).toBe('next');
  });

  it('uses the given limits and passes a refusal on without the second parser', async () => {
    const pool = open({
      limits: { parts: 1, depth: 1, headerBlock: 1_000_000, header: 64_000, lines: 1_000 },
    });
    expect(await pool.parse(ownMail('outlook-two-attachments.eml'))).toMatchObject({ kind: 'unreadable' });
  });

  it('rejects waiting emails when it is closed, and all later ones', async () => {
    const pool = open({ deadlineMs: 60_000 });
    const waiting = [pool.parse(hang), pool.parse(plain('a')), pool.parse(plain('b'))].map((outcome) =>
      outcome.catch(String),
    );
    await pool.close();
    expect(await Promise.all(waiting)).toEqual(
      Array(3).fill('Error: The parser pool was closed before the email was read.'),
    );
    await expect(pool.parse(plain('c'))).rejects.toThrow('closed');
  });

  it('keeps no process alive when it is idle', () => {
    const file = join(import.meta.dirname, '../../shared/mime/parser-pool.ts');
    const script = `const { createParserPool } = await import(${JSON.stringify(file)});
      const outcome = await createParserPool({}).parse(Buffer.from('Subject: s\\r\\n\\r\\nx'));
      console.log(outcome.kind);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 60_000,
      encoding: 'utf8',
    });
    expect([run.status, run.stdout.trim()]).toEqual([0, 'mail']);
  });
});
