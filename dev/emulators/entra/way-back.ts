import type { ServerResponse } from 'node:http';
import { aadstsBody } from './error-bodies.ts';

/** An error as Entra adds it to the redirect URI. */
export const errorBack = (code: number, error: string, text: string): Record<string, string> => {
  const { error_description, error_uri } = aadstsBody(code, error, text);
  return { error, error_description: asInAddress(error_description), error_uri };
};

/** In URLs Entra separates the message from the IDs for support by line breaks, in responses by spaces. */
export const asInAddress = (description: string): string =>
  description.replace(/ (?=(?:Trace ID|Correlation ID|Timestamp): )/g, '\r\n');

/** Redirects the browser to the app with a response and the request's state. */
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
