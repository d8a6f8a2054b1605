import type { Explanation, Fixer, Retry } from './explanation.ts';

/** Who reads: somebody who looks after Postroom, or the owner of a mailbox, who sees nothing else of it. */
export type Reader = 'admin' | 'mailbox-owner';

const fixers: Readonly<Record<Fixer, string>> = {
  you: 'you, who look after Postroom',
  'mailbox-owner': 'the owner of the mailbox',
  'tenant-admin': 'an admin of the tenant',
  microsoft: 'Microsoft',
  'nobody: wait': 'nobody: it passes by itself',
};

const endings: Readonly<Record<Retry, string>> = {
  'by-itself': 'Postroom tries again by itself.',
  'after-fix': 'Postroom goes on by itself when this is done.',
  'sign-in-again': 'The owner of the mailbox has to sign in again.',
};

/** Who can end the trouble, as a part of a sentence. Pure. */
export function fixerInWords(who: Fixer, reader: Reader = 'admin'): string {
  if (reader === 'admin') return fixers[who];
  if (who === 'you') return 'the people who look after Postroom: show them this page';
  return who === 'mailbox-owner' ? 'you, the owner of the mailbox' : fixers[who];
}

/** What happens once the steps are done. Pure. */
export const endingInWords = (retry: Retry): string => endings[retry];

/** What Microsoft's support asks for, in one line to copy; undefined when the error came without ids. Pure. */
export function supportLine(explanation: Explanation): string | undefined {
  const { code, correlationId, traceId, timestamp } = explanation;
  if (correlationId === undefined && traceId === undefined) return undefined;
  return [
    code,
    ...(correlationId === undefined ? [] : [`Correlation ID: ${correlationId}`]),
    ...(traceId === undefined ? [] : [`Trace ID: ${traceId}`]),
    ...(timestamp === undefined ? [] : [`Timestamp: ${timestamp}`]),
  ].join(', ');
}
