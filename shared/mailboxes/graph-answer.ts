import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { GraphRefusal } from './graph-errors.ts';

const MAX_REFUSAL_BYTES = 64 * 1024;

const refusalBody = z.object({ error: z.object({ code: z.string(), message: z.string().catch('') }) });

/**
 * The body of a response as text.
 * @throws GraphRefusal 502 when it is larger than `most` bytes; the error of the connection
 */
export async function readBodyText(response: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > most) throw new GraphRefusal(502, '', `the answer is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads a response other than success. @param now milliseconds since the epoch */
export async function readRefusal(response: IncomingMessage, now: number): Promise<GraphRefusal> {
  const said = jsonIn(await readBodyText(response, MAX_REFUSAL_BYTES).catch(() => ''));
  return refusalOf(response.statusCode ?? 0, said, response.headers['retry-after'], now);
}

/** The same for a part of a batch. Pure. */
export function refusalOf(
  status: number,
  body: unknown,
  retryAfter: string | undefined,
  now: number,
): GraphRefusal {
  const said = refusalBody.safeParse(body).data?.error;
  const text = said?.message ?? `status ${status}`;
  return new GraphRefusal(status, said?.code ?? '', text, pauseOf(retryAfter, now));
}

/** Milliseconds of a `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3); undefined: none. */
function pauseOf(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy in between answered with a page of its own.
    return undefined;
  }
}
