import type { Explanation, Fixer, Retry } from './explanation.ts';

/** The reader: a Postroom admin, or a mailbox owner, who sees no other page. */
export type Reader = 'admin' | 'mailbox-owner';

const fixers: Readonly<Record<Fixer, string>> = {
  you: 'a Postroom admin',
  'mailbox-owner': 'the mailbox owner',
  'tenant-admin': 'a tenant admin',
  microsoft: 'Microsoft',
  'nobody: wait': 'no one: it resolves on its own',
};

const endings: Readonly<Record<Retry, string>> = {
  'by-itself': 'Postroom retries automatically.',
  'after-fix': 'Postroom resumes automatically.',
  'sign-in-again': 'The mailbox owner has to sign in again.',
};

/** Who can fix it, as part of a sentence. Pure. */
export function fixerInWords(who: Fixer, reader: Reader = 'admin'): string {
  if (reader === 'admin') return fixers[who];
  if (who === 'you') return 'a Postroom admin: show them this page';
  return who === 'mailbox-owner' ? 'you, the mailbox owner' : fixers[who];
}

/** What happens after the steps are done. Pure. */
export const endingInWords = (retry: Retry): string => endings[retry];

/** The IDs that Microsoft's support asks for, in one line; undefined when the error has none. Pure. */
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
