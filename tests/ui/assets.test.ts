import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assets } from '../../shared/ui/assets.ts';

const folder = join(import.meta.dirname, '../../shared/ui/static');
const served = assets.map(({ body }) => body).join('\n');

test.each(readdirSync(folder))('%s is served unchanged', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  expect(text.length).toBeGreaterThan(500);
  expect(served).toContain(text);
});

test('every class that a stylesheet names is one of a page: a rule without a page means a page without its rule', () => {
  const root = join(import.meta.dirname, '../..');
  const pages = globSync(['functions/**/*.tsx', 'shared/**/*.tsx', 'shared/ui/static/*.js'], { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  const styles = readdirSync(folder)
    .filter((name) => name.endsWith('.css'))
    .map((name) => readFileSync(join(folder, name), 'utf8').replace(/\/\*[\s\S]*?\*\//g, ''))
    .join('\n');
  const classes = new Set(
    Array.from(styles.matchAll(/\.([a-z][\w-]*)(?=[^{}]*\{)/g), ([, name = '']) => name),
  );
  expect(classes.size).toBeGreaterThan(50);
  // `step-proven` is written as `step-${state}`.
  const isUsed = (name: string): boolean =>
    new RegExp(String.raw`(?<![\w-])${name}(?![\w-])`).test(pages) ||
    (name.includes('-') && pages.includes(`${name.replace(/[^-]+$/, '')}\${`));
  expect([...classes].filter((name) => !isUsed(name))).toEqual([]);
});
