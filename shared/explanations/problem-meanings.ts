import type { ProblemCode } from '../platform/problem.ts';
import { appProblems } from './app-problems.ts';
import type { LineEntry, Meaning } from './explanation.ts';
import { notRecognised } from './oauth-text.ts';
import { pushProblems } from './push-problems.ts';
import { readingProblems } from './reading-problems.ts';
import { sendingProblems } from './sending-problems.ts';
import { signInProblems } from './sign-in-problems.ts';
import { storageProblems } from './storage-problems.ts';
import { vaultProblems } from './vault-problems.ts';

/** The meaning of every code of ours. A code without a meaning does not compile. */
export const problemMeanings: Readonly<Record<ProblemCode, Meaning>> = {
  ...storageProblems,
  ...vaultProblems,
  ...signInProblems,
  ...readingProblems,
  ...pushProblems,
  ...sendingProblems,
  ...appProblems,
  'not-recognised': notRecognised,
};

/** An entry for one of our codes that is also recognized by a text. */
export const ownEntry = (code: ProblemCode, pattern: RegExp): LineEntry => ({
  code,
  pattern,
  ...problemMeanings[code],
});
