/** An error of Entra in the formats in which people and programs see it. */
import { createHash } from 'node:crypto';

export interface Marks {
  trace: string;
  correlation: string;
  timestamp: string;
}

export interface Shape {
  name: string;
  text(number: number, error: string, sentence: string, marks: Marks): string;
}

const guid = (seed: string): string =>
  createHash('sha256')
    .update(seed)
    .digest('hex')
    .slice(0, 32)
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.*)$/, '$1-$2-4$3-a$4-$5')
    .slice(0, 36);

/** Different IDs for every error, the same in every run. */
export function marksOf(seed: string): Marks {
  const second = String(Number.parseInt(guid(seed).slice(0, 6), 16) % 60).padStart(2, '0');
  return {
    trace: guid(`trace ${seed}`).padEnd(36, '0'),
    correlation: guid(`correlation ${seed}`).padEnd(36, '0'),
    timestamp: `2026-11-24 01:42:${second}Z`,
  };
}

const description = (number: number, sentence: string, marks: Marks): string =>
  `AADSTS${number}: ${sentence} Trace ID: ${marks.trace} Correlation ID: ${marks.correlation} Timestamp: ${marks.timestamp}`;

const body = (number: number, error: string, sentence: string, marks: Marks): string =>
  JSON.stringify({
    error,
    error_description: description(number, sentence, marks),
    error_codes: [number],
    timestamp: marks.timestamp,
    trace_id: marks.trace,
    correlation_id: marks.correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
  });

/** Wrapped as by an editor or a mail program, between words. */
const wrapped = (text: string, width: number, newline: string): string =>
  text.replace(new RegExp(`(.{1,${width}})(?: |$)`, 'g'), `$1${newline}`);

const page = (number: number, sentence: string, marks: Marks): string => `Sign in
Sorry, but we’re having trouble signing you in.

AADSTS${number}: ${sentence}
Troubleshooting details
If you contact your administrator, send this info to them.
Copy info to clipboard
Request Id: ${marks.trace}
Correlation Id: ${marks.correlation}
Timestamp: ${marks.timestamp.replace(' ', 'T')}
Message: AADSTS${number}: ${sentence}
Flag sign-in errors for review: Enable flagging
If you plan on getting help for this problem, enable flagging and try to reproduce the error within 20 minutes.
© Microsoft 2026 Terms of use Privacy & cookies`;

export const shapes: readonly Shape[] = [
  { name: 'the body of the token endpoint', text: body },
  {
    name: 'the body with the older trace lines',
    text: (number, error, sentence, marks) =>
      body(number, error, sentence, marks).replaceAll(/ (Trace ID|Correlation ID|Timestamp):/g, '\\r\\n$1:'),
  },
  {
    name: 'the address of the callback',
    text: (number, error, sentence, marks) => {
      const query = new URLSearchParams({
        error,
        error_description: description(number, sentence, marks),
        error_uri: `https://login.microsoftonline.com/error?code=${number}`,
        state: 'wKx3-9cT0aVfEoW2mZ8yQ1rB7uN5sLh6',
      });
      return `https://desk.contoso.com/oauth/callback?${query}#`;
    },
  },
  { name: 'a copied page', text: (number, _, sentence, marks) => page(number, sentence, marks) },
  {
    name: 'a copied page in an answered mail',
    text: (number, _, sentence, marks) => wrapped(page(number, sentence, marks), 64, '\r\n> '),
  },
  {
    name: 'a line of a log',
    text: (number, error, sentence, marks) =>
      `2026-11-24T01:43:00.114Z [Warning] refreshing account 7f3: 400 ${body(number, error, sentence, marks)}`,
  },
  {
    name: 'the source of the page',
    text: (number, _, sentence, marks) =>
      `<html><head><title>Sign in to your account</title></head><body><script>$Config={"strServiceExceptionMessage":"${description(
        number,
        sentence,
        marks,
      ).replaceAll("'", '\\u0027')}","iErrorCode":${number}};</script></body></html>`,
  },
];
