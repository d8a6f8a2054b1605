/** How `npm run mutants` treats its survivors, and its tables; the run itself takes long and runs weekly. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  collapse,
  compareMutants,
  type Explained,
  type Mutant,
  sumScores,
} from '../../dev/mutants/compare.ts';
import { features } from '../../dev/mutants/features.ts';

const root = dirname(dirname(import.meta.dirname));
const mutant = (connectRequest: Partial<Mutant> = {}): Mutant => ({
  file: 'shared/a.ts',
  mutator: 'EqualityOperator',
  original: 'a < b',
  replacement: 'a <= b',
  line: 3,
  outcome: 'survived',
  ...connectRequest,
});
const entry = (connectRequest: Partial<Explained> = {}): Explained => ({
  file: 'shared/a.ts',
  mutator: 'EqualityOperator',
  original: 'a < b',
  replacement: 'a <= b',
  reason: 'Both sides are never equal.',
  ...connectRequest,
});

test('a survivor without an entry is named, whether tests ran it or not', () => {
  const survivors = [mutant(), mutant({ outcome: 'no coverage', line: 9 })];
  const { unexplained, score } = compareMutants([...survivors, mutant({ outcome: 'killed' })], []);
  expect(unexplained).toEqual(survivors);
  expect(score).toEqual({ killed: 1, counted: 3, percent: 100 / 3 });
});

test('a survivor with an entry is not named, and still counts as one', () => {
  const { unexplained, outdated, score } = compareMutants(
    [mutant(), mutant({ outcome: 'killed' })],
    [entry()],
  );
  expect({ unexplained, outdated }).toEqual({ unexplained: [], outdated: [] });
  expect(score).toEqual({ killed: 1, counted: 2, percent: 50 });
});

test('an equivalent one is excluded from the score', () => {
  const { score } = compareMutants([mutant(), mutant({ outcome: 'killed' })], [entry({ equivalent: true })]);
  expect(score).toEqual({ killed: 1, counted: 1, percent: 100 });
});

test.each([
  { file: 'shared/b.ts' },
  { mutator: 'ConditionalExpression' },
  { original: 'a < c' },
  { replacement: 'true' },
])('an entry does not cover a mutant that differs in %o', (other) => {
  expect(compareMutants([mutant()], [entry(other)])).toMatchObject({
    unexplained: [mutant()],
    outdated: [entry(other)],
  });
});

test('an entry covers one of two twins', () => {
  const twins = [mutant(), mutant({ line: 8 })];
  expect(compareMutants(twins, [entry()]).unexplained).toEqual([twins[1]]);
  expect(compareMutants(twins, [entry(), entry()]).unexplained).toEqual([]);
});

test('an entry must be removed if its mutant was noticed or no longer exists', () => {
  expect(compareMutants([mutant({ outcome: 'killed' })], [entry()]).outdated).toEqual([entry()]);
  expect(compareMutants([], [entry()]).outdated).toEqual([entry()]);
});

test('a file without mutants misses nothing', () => {
  expect(compareMutants([], []).score).toEqual({ killed: 0, counted: 0, percent: 100 });
});

test('the score of several features weights each mutant equally', () => {
  const scores = [
    { killed: 9, counted: 10, percent: 90 },
    { killed: 0, counted: 30, percent: 0 },
  ];
  expect(sumScores(scores)).toEqual({ killed: 9, counted: 40, percent: 22.5 });
});

test('code is compared on one line', () => {
  expect(collapse(' {\n    a,\n  }\n')).toBe('{ a, }');
});

test('the table names existing files, each once, and the list covers only those', () => {
  const mutated = Object.values(features).flatMap(({ mutate }) => mutate);
  const tests = Object.values(features).flatMap((feature) => feature.tests);
  expect([...mutated, ...tests].filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(new Set(mutated).size).toBe(mutated.length);
  const list = JSON.parse(readFileSync(join(root, 'dev/mutants/survivors.json'), 'utf8')) as Explained[];
  expect(list.filter(({ file }) => !mutated.includes(file))).toEqual([]);
  expect(list.filter(({ reason }) => reason.length < 20)).toEqual([]);
});
