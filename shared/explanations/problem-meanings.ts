import type { ProblemCode } from '../platform/problem.ts';
import { appProblems } from './app-problems.ts';
import type { LineEntry, Meaning } from './explanation.ts';
import { mailProblems } from './mail-problems.ts';
import { notRecognised } from './oauth-text.ts';
import { signInProblems } from './sign-in-problems.ts';
import { storageProblems } from './storage-problems.ts';
import { vaultProblems } from './vault-problems.ts';

/** What every code of ours means. A code without a meaning does not compile. */
export const problemMeanings: Readonly<Record<ProblemCode, Meaning>> = {
  ...storageProblems,
  ...vaultProblems,
  ...signInProblems,
  ...mailProblems,
  ...appProblems,
  'not-recognised': notRecognised,
};

/** A code of ours that is also recognised by words, of a server or of ours. */
export const ownEntry = (code: ProblemCode, pattern: RegExp): LineEntry => ({
  code,
  pattern,
  ...problemMeanings[code],
});
