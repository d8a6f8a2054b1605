import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileDisposition } from '../../dev/bench/replay-dispositions.ts';
import { projectRoot } from '../../dev/build.ts';
import { corpus, corpusFiles } from '../harness/memory/mail-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postroom-replay-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function replay(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(projectRoot, 'dev', 'replay.ts'), ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

const letter = (id: string, subject: string, more = ''): string =>
  `From: Ann <ann@client.example>\r\nTo: replay@contoso.example\r\nSubject: ${subject}\r\nMessage-ID: <${id}@client.example>\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\n${more}\r\nHello.\r\n`;

describe('npm run replay', () => {
  it('prints the disposition of every file of a folder, whatever its name', async () => {
    await mkdir(join(folder, 'deeper'));
    await writeFile(join(folder, '1.eml'), letter('one', 'The printer'));
    await writeFile(join(folder, '2 copy of 1'), letter('one', 'The printer'));
    await writeFile(join(folder, '3.txt'), 'shopping: bread, milk\n');
    const reply = letter('four', 'Re: The printer', 'In-Reply-To: <one@client.example>\r\n');
    await writeFile(join(folder, 'deeper', '4.mail'), reply);
    const { code, stdout, stderr } = await replay(folder, '--json');
    expect(code, stderr).toBe(0);
    const dispositions = JSON.parse(stdout) as FileDisposition[];
    const ticket = dispositions[0]?.ticket;
    expect(dispositions.map(({ ms: _ms, ...disposition }) => disposition)).toEqual([
      { file: '1.eml', disposition: 'ticket', ticket, text: `Opened ticket #${ticket}.` },
      {
        file: '2 copy of 1',
        disposition: 'skipped',
        reason: `copy of an email in ticket #${ticket}`,
        text: `Skipped: it is a copy of an email in ticket #${ticket}.`,
      },
      { file: '3.txt', disposition: 'skipped', reason: 'not an email', text: 'Skipped: not an email.' },
      {
        file: join('deeper', '4.mail'),
        disposition: 'ticket',
        ticket,
        text: `Added to ticket #${ticket} as a reply.`,
      },
    ]);
    expect(dispositions.every(({ ms }) => ms > 0)).toBe(true);
  });

  it('accounts for every file of a set of real emails', async () => {
    const set = 'cpython';
    const { code, stdout, stderr } = await replay(join(corpus, set), '--json');
    expect(code, stderr).toBe(0);
    const dispositions = JSON.parse(stdout) as FileDisposition[];
    const files = corpusFiles().filter((path) => path.startsWith(`${set}/`));
    expect(dispositions.map(({ file }) => join(set, file)).sort()).toEqual(files);
    const count = (wanted: FileDisposition['disposition']): number =>
      dispositions.filter(({ disposition }) => disposition === wanted).length;
    expect(count('ticket') + count('quarantine') + count('skipped')).toBe(files.length);
    expect(count('ticket')).toBeGreaterThan(files.length / 2);
    for (const { file, disposition, ticket, reason } of dispositions)
      if (disposition === 'ticket') expect(ticket, file).toBeGreaterThan(0);
      else if (disposition === 'skipped') expect(reason, file).toMatch(/^(copy of an email|not an email)/);
      else expect(reason, file).not.toBe('');
  });

  it.each([
    ['an empty folder', () => [folder], 'holds no email'],
    ['a missing folder', () => [join(folder, 'nowhere')], 'There is no folder'],
    ['no folder', () => [], 'Say which folder holds the emails'],
  ])('responds to %s with a sentence', async (_what, args, sentence) => {
    const { code, stdout, stderr } = await replay(...args());
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });
});
