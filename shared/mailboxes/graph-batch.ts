/**
 * Requests to Microsoft Graph that are sent as one: https://learn.microsoft.com/graph/json-batching. Pure.
 */
import { z } from 'zod';
import type { OutgoingRequest } from '../providers/guarded-fetch.ts';
import { refusalOf } from './graph-answer.ts';
import { GraphRefusal } from './graph-errors.ts';

/** A request, by its path below the mailbox: `/messages/{id}`. */
export interface GraphRequest {
  method: OutgoingRequest['method'];
  path: string;
  body?: unknown;
}

/** `refusal` is undefined when the request succeeded. */
export interface BatchAnswer {
  request: GraphRequest;
  body: unknown;
  refusal: GraphRefusal | undefined;
}

const batchAnswers = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()).nullish(),
      body: z.unknown().optional(),
    }),
  ),
});

/**
 * The body of the batch.
 * @param sent `mailbox`: its path below the version; `prefer`: a header of each request
 */
export function batchBody(
  requests: readonly GraphRequest[],
  { mailbox, prefer }: { mailbox: string; prefer: string },
): { requests: readonly object[] } {
  return {
    requests: requests.map(({ method, path, body }, index) => ({
      id: String(index),
      method,
      url: `${mailbox}${path}`,
      headers: { prefer, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    })),
  };
}

/** The answers in the order of the requests: Graph gives them in any order. @param now milliseconds since the epoch */
export function answersIn(text: string, requests: readonly GraphRequest[], now: number): BatchAnswer[] {
  const { responses } = batchAnswers.parse(JSON.parse(text));
  const byId = new Map(responses.map((each) => [each.id, each]));
  return requests.map((request, index) => {
    const response = byId.get(String(index));
    if (response === undefined)
      return { request, body: undefined, refusal: new GraphRefusal(502, '', 'No answer in the batch') };
    const { status, body, headers } = response;
    const retryAfter = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'retry-after');
    const refusal = status < 300 ? undefined : refusalOf(status, body, retryAfter?.[1], now);
    return { request, body, refusal };
  });
}
