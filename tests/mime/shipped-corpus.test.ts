import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { corpusFiles, fullCorpus, isFullCorpus, shippedCorpus } from '../harness/memory/mail-files.ts';
import { ordinaryMails } from '../harness/memory/ordinary-mails.ts';

const shipped = corpusFiles(shippedCorpus).filter((path) => path !== 'README.md');

it('every message that a test names is part of the project', () => {
  const missing = ordinaryMails.map(([path]) => path).filter((path) => !shipped.includes(path));
  expect(missing).toEqual([]);
});

it('the included messages are enough for the tests that use five hundred of them', () => {
  expect(shipped.length).toBeGreaterThan(600);
});

it('every set is listed in the README with a license whose text is beside it', () => {
  const readme = readFileSync(join(shippedCorpus, 'README.md'), 'utf8');
  const sets = readdirSync(shippedCorpus, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of sets) {
    const row = new RegExp(`^\\| ${name} \\|.*$`, 'm').exec(readme)?.[0] ?? '';
    const texts = [...row.matchAll(/`([^`]*(?:LICENSE|ALERT)[^`]*)`/g)].map(([, path = '']) => path);
    expect(texts, name).not.toEqual([]);
    for (const text of texts) expect(existsSync(join(shippedCorpus, text)), text).toBe(true);
  }
});

it.skipIf(!isFullCorpus)('the included messages are byte for byte those of the full sets', () => {
  for (const path of shipped) {
    if (path === 'cpython/LICENSE') continue;
    expect(readFileSync(join(shippedCorpus, path)).equals(readFileSync(join(fullCorpus, path))), path).toBe(
      true,
    );
  }
});
