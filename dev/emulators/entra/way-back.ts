import type { ServerResponse } from 'node:http';
import { aadstsBody } from './error-bodies.ts';

/** An error as Entra puts it into the address it sends the browser back to. */
export const errorBack = (code: number, error: string, text: string): Record<string, string> => {
  const { error_description, error_uri } = aadstsBody(code, error, text);
  return { error, error_description: asInAddress(error_description), error_uri };
};

/** In addresses Entra parts its sentence from the marks for support with line breaks, in answers with spaces. */
export const asInAddress = (description: string): string =>
  description.replace(/ (?=(?:Trace ID|Correlation ID|Timestamp): )/g, '\r\n');

/** Sends the browser back to the app with an answer and the state it came with. */
export function sendBack(
  response: ServerResponse,
  asked: URLSearchParams,
  answer: Readonly<Record<string, string>>,
): void {
  const target = new URL(asked.get('redirect_uri') ?? '');
  for (const [name, value] of Object.entries(answer)) target.searchParams.set(name, value);
  const state = asked.get('state');
  if (state !== null) target.searchParams.set('state', state);
  response.writeHead(302, { location: target.href, 'cache-control': 'no-store' }).end();
}
