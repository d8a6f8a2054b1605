/** Compares the survivors of a run with the list of reviewed survivors. Pure. */

/** `Survived`: tests ran it and passed. `NoCoverage`: no test runs it. */
export type MutantOutcome = 'killed' | 'survived' | 'no coverage';

/** One change of the code and its result. */
export interface Mutant {
  /** From the root of the project, with forward slashes. */
  file: string;
  /** Stryker's name of the kind of change, such as `ConditionalExpression`. */
  mutator: string;
  /** The replaced code and its replacement, with whitespace collapsed. */
  original: string;
  replacement: string;
  /** From 1. Edits move it, so the list does not have it. */
  line: number;
  outcome: MutantOutcome;
}

/** A mutant that may survive, as in `survivors.json`. An entry explains one mutant; two equal ones need two. */
export interface Explained {
  file: string;
  mutator: string;
  original: string;
  replacement: string;
  /** Why no test notices it. */
  reason: string;
  /** No input distinguishes it from the code: the reason proves it, and the score excludes it. */
  equivalent?: boolean;
}

export interface Score {
  killed: number;
  /** All except the equivalent ones. */
  counted: number;
  /** Percentage of counted mutants that were killed; 100 if none is counted. */
  percent: number;
}

export interface Comparison {
  score: Score;
  unexplained: Mutant[];
  /** Entries whose mutant was killed or no longer exists: remove them from the list. */
  outdated: Explained[];
}

/** Compares the mutants of a run with the entries of the same files. */
export function compareMutants(mutants: readonly Mutant[], list: readonly Explained[]): Comparison {
  const open = Map.groupBy(list, identityOf);
  const unexplained: Mutant[] = [];
  let equivalent = 0;
  for (const mutant of mutants) {
    if (mutant.outcome === 'killed') continue;
    const entry = open.get(identityOf(mutant))?.shift();
    if (entry === undefined) unexplained.push(mutant);
    else if (entry.equivalent === true) equivalent += 1;
  }
  const killed = mutants.filter(({ outcome }) => outcome === 'killed').length;
  return {
    score: scoreOf(killed, mutants.length - equivalent),
    unexplained,
    outdated: [...open.values()].flat(),
  };
}

/** The score of several features together: each mutant has equal weight. */
export function sumScores(scores: readonly Score[]): Score {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return scoreOf(sum(scores.map(({ killed }) => killed)), sum(scores.map(({ counted }) => counted)));
}

/** Code on one line, so that a line break of the formatter does not make a different mutant. */
export function collapse(code: string): string {
  return code.replaceAll(/\s+/g, ' ').trim();
}

function scoreOf(killed: number, counted: number): Score {
  return { killed, counted, percent: counted === 0 ? 100 : (killed * 100) / counted };
}

function identityOf({ file, mutator, original, replacement }: Omit<Explained, 'reason'>): string {
  return JSON.stringify([file, mutator, original, replacement]);
}
