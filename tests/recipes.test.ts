/** Follows the recipes of CONTRIBUTING.md: each file and symbol exists, and no further file has to be touched. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { alertKinds } from '../shared/alerts/alert.ts';
import { presetNames } from '../shared/providers/presets.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const product: ReadonlyMap<string, string> = new Map(
  globSync('{functions,shared}/**/*.{ts,tsx}', { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .map((path) => [path, read(path)]),
);

interface Step {
  file: string;
  /** What the step names in backticks: to be found in its file. */
  symbols: readonly string[];
}

/** The steps of each recipe that name a file, by the recipe's heading. */
function recipesIn(document: string): ReadonlyMap<string, readonly Step[]> {
  const section = /^## Recipes$(.*?)^## /ms.exec(document)?.[1] ?? '';
  const recipes = section.split(/^### /m).slice(1);
  return new Map(
    recipes.map((recipe) => {
      const [heading = '', ...lines] = recipe.split('\n');
      const steps = lines.flatMap((line): Step[] => {
        const file = /^\d\. \[`[^`]+`\]\(([^)]+)\)/.exec(line)?.[1];
        if (file === undefined) return [];
        const words = line.slice(line.indexOf('):')).matchAll(/`(\w+)`/g);
        return [{ file, symbols: [...words].map(([, symbol = '']) => symbol) }];
      });
      return [heading, steps];
    }),
  );
}

const recipes = recipesIn(read('CONTRIBUTING.md'));
const filesOf = (recipe: string): string[] => (recipes.get(recipe) ?? []).map(({ file }) => file);
/** Files of the product that name one of these texts, quoted. */
const naming = (names: readonly string[], folder = ''): string[] =>
  [...product]
    .filter(([path]) => path.startsWith(folder))
    .filter(([, text]) => names.some((name) => text.includes(`'${name}'`)))
    .map(([path]) => path);

describe('the recipes', () => {
  test('are those that a newcomer looks for', () => {
    expect([...recipes.keys()]).toEqual([
      'Add a provider preset',
      'Add a page',
      'Add a kind of alert',
      'Add a ticket field',
    ]);
  });

  test.each([...recipes])('%s names files and symbols that are there', (_recipe, steps) => {
    expect(steps.length).toBeGreaterThan(1);
    for (const { file, symbols } of steps) {
      const text = read(file);
      for (const symbol of symbols) expect(text, `${file}: ${symbol}`).toMatch(new RegExp(`\\b${symbol}\\b`));
    }
  });

  test('are read with their symbols', () => {
    const document = '## Recipes\n\n### Add x\n\n1. [`a.ts`](a.ts): an entry of `b`, in `c`.\n\n## Next\n';
    expect([...recipesIn(document)]).toEqual([['Add x', [{ file: 'a.ts', symbols: ['b', 'c'] }]]]);
  });
});

describe('adding a provider preset', () => {
  const COMPARISON = new RegExp(`[!=]== '(?:${presetNames.join('|')})'`);
  /** `microsoft` is also somebody who can repair a fault. */
  const comparisonsIn = (text: string): string[] =>
    text.split('\n').filter((line) => COMPARISON.test(line) && !/\bwho ===/.test(line));

  test('touches one file of the product, for nothing compares a preset’s name', () => {
    const [entries = ''] = filesOf('Add a provider preset');
    expect(product.get(entries)).toContain(`{ ${presetNames.join(', ')} }`);
    const found = [...product].flatMap(([path, text]) =>
      comparisonsIn(text).map((line) => `${path}: ${line}`),
    );
    expect(found).toEqual([]);
  });

  test.each(["if (preset.name === 'google') return 1;", "provider.preset !== 'demo'"])(
    'a comparison such as %s is found',
    (line) => {
      expect(comparisonsIn(line)).toEqual([line]);
    },
  );
});

describe('adding a kind of alert', () => {
  test('touches two files: those of the recipe', () => {
    const files = filesOf('Add a kind of alert');
    expect(files).toHaveLength(2);
    for (const kind of ['poison-queue', 'row-unreadable', 'mail-loop', 'quarantine-grown'] as const) {
      expect(alertKinds).toContain(kind);
      // The code of a problem may have the same name as the kind of the alert; its list and its meaning are their own.
      const alertFiles = naming([kind]).filter((path) => !/^shared\/(?:platform|explanations)\//.test(path));
      expect(alertFiles.toSorted(), kind).toEqual(files.toSorted());
    }
  });
});

describe('adding a page', () => {
  test('leaves what it writes to a use case: no page writes an audit entry of its own', () => {
    const writing = [...product].filter(
      ([path, text]) => path.startsWith('functions/pages/') && text.includes('audit.record('),
    );
    expect(writing.map(([path]) => path)).toEqual([]);
  });
});

describe('adding a ticket field', () => {
  test('touches the files of the recipe, as the preview of a ticket does', () => {
    const files = filesOf('Add a ticket field');
    expect(files.length).toBeLessThanOrEqual(4);
    for (const file of files) expect(product.get(file), file).toMatch(/\bpreview\b/);
  });
});
