/** Every code that Postroom itself creates is explained, on the page and by the command. */
import { expect, test } from 'vitest';
import { explainProblem, explainText } from '../../shared/explanations/explain.ts';
import { problemMeanings } from '../../shared/explanations/problem-meanings.ts';
import { vaultMeaning } from '../../shared/explanations/vault-problems.ts';
import { isVaultCode, problemCodes } from '../../shared/platform/problem.ts';

const ours = problemCodes.filter((code) => code !== 'not-recognised');

test.each(ours)('%s, alone or in a log line, has its own explanation', (code) => {
  const { title } = problemMeanings[code];
  expect(explainProblem(code)).toMatchObject({ code, title });
  expect(explainText({ text: code })).toMatchObject({ code, title });
  expect(explainText({ text: ` ${code}\n` }).code).toBe(code);
});

test.each(ours)('%s has an explanation, a cause and a fix in complete sentences', (code) => {
  const meanings = isVaultCode(code) ? [problemMeanings[code], vaultMeaning(code)] : [problemMeanings[code]];
  for (const { title, cause, steps, who, retry } of meanings) {
    expect(title).toMatch(/^[A-Z“].{8,90}[^.]$/);
    expect(cause).toMatch(/^[A-Z“].{20,330}\.$/);
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) expect(step).toMatch(/^[A-Z].{8,}[.)e]?$/);
    if (who === 'nobody: wait') expect(retry).toBe('by-itself');
  }
});

test.each([
  ['ticket-busy: Ticket 5 of a reply was changed by others 8 times in a row', 'ticket-busy'],
  [
    '{"level":"error","event":"shard not saved","error":"number-counter: No ticket number in 8 tries"}',
    'number-counter',
  ],
])('a log line is explained by the code in it: %s', (text, code) => {
  expect(explainText({ text }).code).toBe(code);
});

test('a server’s message is explained in preference to the code derived from it', () => {
  const failure = {
    code: 'imap-unavailable',
    said: 'NO Request is throttled. Suggested Backoff Time',
  } as const;
  expect(explainProblem(failure)).toMatchObject({ code: 'imap-throttled', who: 'nobody: wait' });
  expect(explainProblem({ ...failure, said: 'NO something new' }).code).toBe('imap-unavailable');
});

test('a code that only resembles one of ours is not recognized', () => {
  for (const text of ['bad-row-x', 'x-bad-row', 'bad_row', 'toString', 'something-else: with a sentence'])
    expect(explainText({ text }).code).toBe('not-recognised');
});
