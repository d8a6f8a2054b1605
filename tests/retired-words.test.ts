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

/** As a whole word in any case, also in its plural. “Help desk” is the trade's own word. */
const patternOf = (word: string): RegExp =>
  new RegExp(String.raw`(?<!help[ -])(?<![\w-])${word}s?(?![\w-])`, 'giu');

/** What a person may read in a source file: sentences in its strings, and the text between its tags. */
function textOf(source: string): string {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<![:\w])\/\/.*$/gm, '');
  const strings = code.match(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g) ?? [];
  const sentences = strings.filter((text) => /[a-z] [a-z]/i.test(text) && !text.includes('${'));
  const templates = strings
    .filter((text) => text.includes('${'))
    .map((text) => text.replace(/\$\{[^}]*\}/g, ' '));
  const between = code.match(/(?<=>)[^<>{}=;]*[a-z]{3}[^<>{}=;]*(?=[<{])/gi) ?? [];
  return [...sentences, ...templates, ...between].join('\n');
}

const found = (text: string): string[] => retired.flatMap((word) => text.match(patternOf(word)) ?? []);

const documents = globSync(['*.md', 'docs/*.md'], { cwd: root });
const pages = globSync(['functions/**/*.tsx', 'shared/{ui,explanations}/**/*.{ts,tsx}'], { cwd: root });

describe('the words that the glossary retired', () => {
  test('are found in a sentence, and not inside another word', () => {
    expect(retired.length).toBeGreaterThan(10);
    expect(found('The desk sends a Notice, one of many mails.')).toEqual(['desk', 'Notice', 'mails']);
    expect(found('The help desk noticed it on its desktop.')).toEqual([]);
  });

  test.each(documents)('are not in %s', (path) => {
    expect(found(path.endsWith('glossary.md') ? glossary : read(path))).toEqual([]);
  });

  test.each(pages)('are not in %s', (path) => {
    expect(found(textOf(read(path)))).toEqual([]);
  });
});
