import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { readBodyText, readRefusal } from '../mailboxes/graph-answer.ts';
import { GraphRefusal } from '../mailboxes/graph-errors.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { guardedRequest } from '../providers/guarded-fetch.ts';
import { isUploadHost } from './upload-hosts.ts';

export interface UploadDeps {
  seam: Seam;
  config: { local: boolean };
  /** Ends the upload. */
  signal: AbortSignal;
}

/** A file of 3 MB or more, and where Microsoft Graph wants it. */
export interface Upload {
  /** Of the Microsoft Graph that named the URL. */
  graphHost: string;
  /** Authenticates by itself, so that it must be in no log and no error. */
  url: string;
  content: Uint8Array;
}

/** A multiple of 320 KiB, as upload sessions of other parts of Graph want it, and below the 4 MB of a range. */
const RANGE_BYTES = 12 * 320 * 1024;
const SILENCE_MS = 60_000;
const MAX_STATE_BYTES = 64 * 1024;
const MOST_FAILURES = 5;
/** Only the answer to the last range says that the file is attached. */
const COMPLETE = -1;
const FIRST_PAUSE_MS = 500;
/** A longer pause than this is not waited for. */
const LONGEST_PAUSE_MS = 10_000;

const ranges = z.array(z.string().regex(/^\d+(?:-\d*)?$/));
/** Exchange also writes the name with a capital letter. */
const state = z.union([
  z.object({ nextExpectedRanges: ranges }),
  z
    .object({ NextExpectedRanges: ranges })
    .transform((said) => ({ nextExpectedRanges: said.NextExpectedRanges })),
]);

/**
 * Uploads a file range by range. A range whose answer is lost is not repeated blindly: the session is asked where to
 * continue. The requests have no token: the URL authenticates by itself, at another host than Graph's.
 * https://learn.microsoft.com/graph/outlook-large-attachments,
 * https://learn.microsoft.com/graph/sdks/large-file-upload#resuming-a-file-upload
 * @throws GraphRefusal; PostroomError `endpoint-refused`, `endpoint-private` for a host that is not Exchange's,
 * `graph-unavailable` when the session is over; the error of the connection
 */
export async function uploadFile(deps: UploadDeps, upload: Upload): Promise<void> {
  const { content } = upload;
  refuseForeignHost(upload);
  /** Undefined: not known. */
  let start: number | undefined = 0;
  for (let failures = 0; ; ) {
    try {
      start ??= await ask(deps, upload);
      const end: number = Math.min(start + RANGE_BYTES, content.byteLength);
      const next = await ask(deps, upload, { start, end });
      if (next === COMPLETE) return;
      if (next <= start) throw new GraphRefusal(502, '', 'The upload does not advance.');
      start = next;
    } catch (error) {
      failures += 1;
      const wait = pauseAfter(error, failures);
      if (wait === undefined || failures > MOST_FAILURES || deps.signal.aborted) throw error;
      // Graph has not looked at a request that it throttles.
      if (!(error instanceof GraphRefusal && error.status === 429)) start = undefined;
      await pause(wait, undefined, { signal: deps.signal });
    }
  }
}

function refuseForeignHost({ url, graphHost }: Upload): void {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (!isUploadHost(host, graphHost))
    throw new PostroomError(
      'endpoint-refused',
      `Microsoft Graph wants the attachment at ${host}, which is no server of Exchange Online.`,
    );
}

/** Milliseconds to wait before the next try; undefined: it would be pointless. */
function pauseAfter(error: unknown, failures: number): number | undefined {
  if (error instanceof PostroomError) return undefined;
  const usual = FIRST_PAUSE_MS * 2 ** failures;
  if (!(error instanceof GraphRefusal)) return usual;
  const passes = error.status === 429 || (error.status >= 500 && error.status !== 507);
  const wait = error.waitMs ?? usual;
  return passes && wait <= LONGEST_PAUSE_MS ? wait : undefined;
}

/**
 * Sends a range, or asks for the state.
 * @returns the position of the first byte that is still missing, or COMPLETE
 */
async function ask(
  { seam, config, signal }: UploadDeps,
  { url, content }: Upload,
  range?: { start: number; end: number },
): Promise<number> {
  return seam.call('graph.upload', async () => {
    const response = await guardedRequest(
      url,
      {
        method: range === undefined ? 'GET' : 'PUT',
        headers: range === undefined ? {} : headersOf(range, content.byteLength),
        body: range && content.subarray(range.start, range.end),
      },
      config,
      { agent: false, signal, silenceMs: SILENCE_MS },
    );
    const status = response.statusCode ?? 0;
    if (status < 200 || status >= 300) throw endOrRefusal(await readRefusal(response, seam.now()));
    const text = await readBodyText(response, MAX_STATE_BYTES);
    if (status === 201) return COMPLETE;
    const start = Number.parseInt(state.parse(JSON.parse(text)).nextExpectedRanges[0] ?? '', 10);
    if (start < content.byteLength) return start;
    throw new GraphRefusal(502, '', 'The upload has no end.');
  });
}

const headersOf = ({ start, end }: { start: number; end: number }, size: number): Record<string, string> => ({
  'content-type': 'application/octet-stream',
  'content-range': `bytes ${start}-${end - 1}/${size}`,
});

/** The URL has ended, or the session is in another state than was thought: neither is a verdict on the email. */
const endOrRefusal = (refusal: GraphRefusal): Error =>
  [401, 403, 404, 410, 416].includes(refusal.status)
    ? new PostroomError('graph-unavailable', 'Microsoft Graph ended the upload of an attachment.', {
        cause: refusal,
      })
    : refusal;
