/** Keeps the documents true to the tree: links, map, dependencies, words, tables and commands. */
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openPaths } from './harness/pages/route-roles.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((path) => path.replaceAll('\\', '/'));
const sources = globSync('{functions,shared,dev}/**/*.{ts,tsx,mjs}', { cwd: root }).map((path) => read(path));

interface PackageFile {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}
const packageFile = JSON.parse(read('package.json')) as PackageFile;

const withoutFences = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '');
const linksOf = (text: string): string[] =>
  [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');

/** The anchor that forges make of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsIn = (path: string): string[] =>
  [...withoutFences(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''));

/** Relative links of a document that lead nowhere, or out of the project. */
function brokenLinks(path: string, text: string): string[] {
  return linksOf(text).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : normalize(join(dirname(path), file)).replaceAll('\\', '/');
    if (target.startsWith('..') || !existsSync(join(root, target))) return true;
    if (file.endsWith('/') !== (file !== '' && statSync(join(root, target)).isDirectory())) return true;
    return anchor !== undefined && !anchorsIn(target).includes(anchor);
  });
}

/** Names in backticks in the first column of all tables of a document. */
const namedInTables = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]*)\|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''),
  );

/** What a clone holds at its top: what git ignores, and folders without a file, are no part of it. */
function topLevelEntries(): string[] {
  const ignored = read('.gitignore').split('\n');
  const holdsFile = (entry: string): boolean =>
    readdirSync(join(root, entry), { recursive: true, withFileTypes: true }).some((found) => found.isFile());
  return readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => name !== '.git' && name !== 'README.md')
    .filter(({ name }) => !ignored.some((line) => line === name || line === `${name}/`))
    .filter((entry) => !entry.name.endsWith('.log') && (!entry.isDirectory() || holdsFile(entry.name)))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
}

const missingFromMap = (entries: readonly string[], readme: string): string[] => {
  const [, map = ''] = readme.split(/^## The tree$/m);
  const shown = [...map.matchAll(/^\| (.+?) \| /gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  return entries.filter((entry) => !shown.includes(entry));
};

describe('the documents', () => {
  test.each(documents)('%s has no link into nothing', (path) => {
    expect(brokenLinks(path, read(path))).toEqual([]);
  });

  test('a link into nothing is found', () => {
    const planted = [
      '[a](missing.md)',
      '[b](../package.json)',
      '[c](README.md#no-such-heading)',
      '[d](functions)',
      '[e](README.md)',
    ].join('\n');
    expect(brokenLinks('README.md', planted)).toEqual([
      'missing.md',
      '../package.json',
      'README.md#no-such-heading',
      'functions',
    ]);
  });

  test('name only commands that package.json has', () => {
    const named = documents.flatMap((path) =>
      [...read(path).matchAll(/`npm run ([\w:-]+)/g)].map(([, name]) => name ?? ''),
    );
    expect(named).toContain('check');
    expect(named.filter((name) => packageFile.scripts[name] === undefined)).toEqual([]);
  });
});

describe('the map of the tree in the README', () => {
  test('shows every entry of the top level', () => {
    expect(missingFromMap(topLevelEntries(), read('README.md'))).toEqual([]);
  });

  test('an entry that it does not show is found', () => {
    expect(topLevelEntries()).toContain('functions/');
    expect(missingFromMap(['functions/', 'newcomer/'], read('README.md'))).toEqual(['newcomer/']);
  });
});

describe('the list of dependencies', () => {
  const installed = Object.keys({
    ...packageFile.dependencies,
    ...packageFile.devDependencies,
    ...packageFile.optionalDependencies,
  });

  test('has one line for each package of package.json and for no other', () => {
    expect(namedInTables(read('docs/dependencies.md')).sort()).toEqual(installed.sort());
  });

  test('tells those that are deployed from those that are not', () => {
    const [, deployed = '', rest = ''] = read('docs/dependencies.md').split(/^## /m);
    expect(namedInTables(deployed).sort()).toEqual(Object.keys(packageFile.dependencies).sort());
    expect(namedInTables(rest)).toContain('vitest');
  });

  test('names files that exist and use the package', () => {
    const rows = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|[^|]*\| `([^`]+\.tsx?)`/gm)];
    expect(rows.length).toBeGreaterThan(5);
    for (const [, name = '', file = ''] of rows)
      expect(read(file), `${file} and ${name}`).toMatch(new RegExp(`'${name}['/]`));
  });
});

describe('the glossary', () => {
  const [glossary = ''] = read('docs/glossary.md').split(/^## Retired words$/m);
  const rows = [...glossary.matchAll(/^\| ([a-z, ]+) \| (.+) \|$/gm)];
  const words = rows.filter(([, word]) => word !== 'word');
  const built = words
    .filter(([, , meaning]) => meaning?.endsWith('(not there yet)') === false)
    .flatMap(([, word = '']) => word.split(', '));
  /** `content key` also stands as contentKey, content-key, CONTENT_KEY. */
  const isUsed = (word: string): boolean => {
    const pattern = new RegExp(word.replaceAll(' ', '[\\s_-]?'), 'i');
    return sources.some((text) => pattern.test(text));
  };

  test('has every feature folder', () => {
    const features = readdirSync(join(root, 'shared')).filter((name) => !['platform', 'ui'].includes(name));
    expect(features).toContain('mailboxes');
    const singular = (name: string): string =>
      name
        .replaceAll('-', ' ')
        .replace(/xes$/, 'x')
        .replace(/ies$/, 'y')
        .replace(/(?<!s)s$/, '');
    const all = words.flatMap(([, word = '']) => word.split(', '));
    expect(features.map(singular).filter((name) => !all.includes(name))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
  });

  test('has no word that the code does not use', () => {
    expect(built).toContain('content key');
    expect(built.filter((word) => !isUsed(word))).toEqual([]);
    expect(isUsed('pigeon post')).toBe(false);
  });
});

describe('the architecture page', () => {
  test('has every table that a store opens', () => {
    const opened = sources.flatMap((text) =>
      [...text.matchAll(/\.open\('([A-Z]\w+)'\)/g)].map(([, name]) => name ?? ''),
    );
    expect(opened).toContain('Ledger');
    const page = read('docs/architecture.md');
    expect(opened.filter((name) => !new RegExp(`^\\|.*\\b${name}\\b`, 'm').test(page))).toEqual([]);
  });

  test('has every function that main.ts registers', () => {
    const registered = [...read('functions/main.ts').matchAll(/^app\.\w+\('(\w+)'/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(registered).toContain('fetchShard');
    // `healthLive` and `healthReady` stand there by their addresses.
    const page = read('docs/architecture.md');
    const shown = (name: string): boolean =>
      page.includes(name) || page.includes(name.replace(/[A-Z]/, (letter) => `/${letter.toLowerCase()}`));
    expect(registered.filter((name) => !shown(name))).toEqual([]);
  });
});

describe('the decisions', () => {
  const decisions = documents.filter((path) => path.startsWith('docs/decisions/')).sort();

  test('are numbered without a gap and say when to look at them again', () => {
    expect(decisions.length).toBeGreaterThan(0);
    for (const [index, path] of decisions.entries()) {
      const number = String(index + 1).padStart(4, '0');
      expect(basename(path)).toMatch(new RegExp(`^${number}-[a-z0-9-]+\\.md$`));
      const text = read(path);
      expect(text, path).toMatch(new RegExp(`^# ${number} .+\n\nDate: \\d{4}-\\d\\d-\\d\\d\\. Status: \\w+`));
      for (const part of ['Context', 'Decision', 'Consequences', 'Revisit when'])
        expect(text, path).toMatch(new RegExp(`^## ${part}\n\n\\S`, 'm'));
    }
  });

  test('that the code names exist', () => {
    const named = sources.flatMap((text) =>
      [...text.matchAll(/docs\/decisions\/([\w-]+)/g)].map(([, name]) => name ?? ''),
    );
    expect(named).toContain('0004-one-seam-for-faults');
    const exists = (name: string): boolean => decisions.some((path) => basename(path).startsWith(name));
    expect(named.filter((name) => !exists(name))).toEqual([]);
  });
});

test('SECURITY.md names every address that is open to everyone, and no other', () => {
  const part = /^- \*\*Open to everyone\*\*[\s\S]*?(?=^- )/m.exec(read('SECURITY.md'))?.[0] ?? '';
  const named = [...part.matchAll(/`(\/[^`]+)`/g)].map(([, path]) => path);
  expect(named.sort()).toEqual([...openPaths].sort());
});
