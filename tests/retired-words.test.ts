/** The glossary's retired words stay out of documents and pages. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const [glossary = '', table = ''] = read('docs/glossary.md').split(/^## Retired words$/m);
const retired = [...table.matchAll(/^\| (?!retired|---)([^|(]+?) (?:\([^)]*\) )?\| /gm)].map(
  ([, word]) => word ?? '',
);

/** As whole words in any case, also in the plural and across lines. “Help desk” is the trade's own word. */
const patternOf = (word: string): RegExp =>
  new RegExp(String.raw`(?<!help[ -])(?<![\w-])${word.replaceAll(' ', String.raw`\s+`)}s?(?![\w-])`, 'giu');

/** What a person may read in a source file: sentences in its strings and, in JSX, the text between its tags. */
function sentencesIn(source: string, isJsx: boolean): string {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<![:\w])\/\/.*$/gm, '');
  const strings = code.match(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? [];
  const sentences = strings.filter((text) => /[a-z] [a-z]/i.test(text) && !text.includes('${'));
  const templates = strings
    .filter((text) => text.includes('${'))
    .map((text) => text.replace(/\$\{[^}]*\}/g, ' '));
  const between = isJsx ? (code.match(/(?<=>)[^<>{}=;]*[a-z]{3}[^<>{}=;]*(?=[<{])/gi) ?? []) : [];
  return [...sentences, ...templates, ...between].join('\n');
}

const found = (text: string): string[] => retired.flatMap((word) => text.match(patternOf(word)) ?? []);

// Decision records keep the words of their time.
const documents = globSync(['*.md', 'docs/*.md', 'dev/**/*.md', 'infra/**/*.md'], { cwd: root });
// Sentences of a page also come from features: findings, problems, outcomes.
const pages = globSync(['functions/**/*.{ts,tsx}', 'shared/**/*.{ts,tsx}'], { cwd: root });

describe('the words that the glossary retired', () => {
  test('are found in a sentence, and not inside another word', () => {
    expect(retired.length).toBeGreaterThan(10);
    expect(found('The desk sends a Notice, one of many mails.')).toEqual(['desk', 'Notice', 'mails']);
    expect(found('The help desk noticed it on its desktop.')).toEqual([]);
    expect(found('Press the button to take\n  back the invitation.')).toEqual(['take\n  back']);
  });

  test('are found in every kind of text that a page shows, and not in a comment', () => {
    const source = `/* A mail notice. */ const a = "It isn't mended now"; const b = <p>Alerts are told by email</p>;`;
    expect(found(sentencesIn(source, true))).toEqual(['mended', 'told by']);
  });

  test.each(documents)('are not in %s', (path) => {
    expect(found(path.endsWith('glossary.md') ? glossary : read(path))).toEqual([]);
  });

  test.each(pages)('are not in %s', (path) => {
    expect(found(sentencesIn(read(path), path.endsWith('x')))).toEqual([]);
  });

  test('“license” is spelled one way, also in comments, tests and tools', () => {
    const all = globSync(
      ['{dev,functions,shared,tests}/**/*.{ts,tsx,js,mjs}', 'tests/corpus/*.md', 'infra/**/*.bicep'],
      {
        cwd: root,
      },
    );
    expect(all.length).toBeGreaterThan(1000);
    expect(all.filter((path) => /licen[c]e/i.test(read(path)))).toEqual([]);
  });
});

test('names that had several meanings are declared nowhere: each says what it returns', () => {
  const declared = /\b(?:function|const) (?:rowOf|textOf|subjectOf)\b/;
  const sources = globSync(['{functions,shared,dev,tests}/**/*.{ts,tsx}'], { cwd: root });
  expect(declared.test(['const', 'rowOf = 1'].join(' '))).toBe(true);
  expect(sources.length).toBeGreaterThan(1000);
  expect(sources.filter((path) => declared.test(read(path)))).toEqual([]);
});
