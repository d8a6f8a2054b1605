import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GraphError, invalidToken } from '../graph-error.ts';
import type { MailReply, MailUser, MailWorld } from './mail-call.ts';
import { itemNotFound } from './mail-ids.ts';

interface UploadSession {
  readonly token: string;
  readonly size: number;
  readonly expiresAt: number;
  readonly chunks: Buffer[];
  received: number;
  readonly finish: (content: Buffer) => void;
}

/** Upload sessions under way, by their id; in memory. */
export type UploadSessions = Map<string, UploadSession>;

/** What stands for `https://outlook.office.com/api/gv1.0`. */
const ROOT = '/api/gv1.0/';
const LARGEST_RANGE = 4 * 1024 * 1024;
const LIFE_MS = 60 * 60_000;

export const isUpload = (pathname: string): boolean => pathname.startsWith(ROOT);

/** `createUploadSession` (Microsoft: "attachment: createUploadSession"). */
export function createSession(
  { uploads, origin, now }: MailWorld,
  { oid }: MailUser,
  { draft, size, finish }: { draft: string; size: number; finish: (content: Buffer) => void },
): MailReply {
  const [id, token] = [randomUUID(), randomUUID()];
  const expiresAt = now().getTime() + LIFE_MS;
  uploads.set(id, { token, size, expiresAt, chunks: [], received: 0, finish });
  const place = `users('${encodeURIComponent(oid)}')/messages('${encodeURIComponent(draft)}')/AttachmentSessions('${id}')`;
  return {
    status: 201,
    body: {
      '@odata.context': `${origin()}/v1.0/$metadata#microsoft.graph.uploadSession`,
      uploadUrl: `${origin()}${ROOT}${place}?authtoken=${token}`,
      expirationDateTime: new Date(expiresAt).toISOString(),
      nextExpectedRanges: ['0-'],
    },
  };
}

/**
 * PUT of a range, GET of the state, DELETE. The URL authenticates by itself.
 * @throws GraphError 401 with an `Authorization` header or a wrong token, 404 for a session that is over, 416 for a
 * range out of order
 */
export function answerUpload(
  { uploads, now }: MailWorld,
  { method, headers }: IncomingMessage,
  url: URL,
  body: Buffer,
): MailReply {
  if (headers.authorization !== undefined)
    throw new GraphError(
      401,
      'InvalidAudience',
      "The audience claim value is invalid for current resource. Audience claim is 'https://graph.microsoft.com', request url is 'https://outlook.office.com' and resource type is 'Exchange'.",
    );
  const id = /AttachmentSessions\('([\w-]+)'\)$/.exec(decodeURIComponent(url.pathname))?.[1] ?? '';
  const session = uploads.get(id);
  if (session === undefined || session.expiresAt < now().getTime()) throw itemNotFound();
  if (url.searchParams.get('authtoken') !== session.token) throw invalidToken('Access token is empty.');
  if (method === 'DELETE') {
    uploads.delete(id);
    return { status: 204 };
  }
  if (method === 'PUT') take(session, headers['content-range'], body);
  else if (method !== 'GET')
    throw new GraphError(405, 'ErrorInvalidRequest', 'The HTTP verb is not allowed.');
  if (session.received < session.size)
    return {
      status: 200,
      body: {
        ExpirationDateTime: new Date(session.expiresAt).toISOString(),
        nextExpectedRanges: [String(session.received)],
      },
    };
  uploads.delete(id);
  session.finish(Buffer.concat(session.chunks));
  return {
    status: 201,
    headers: { location: `${url.origin}${url.pathname.replace(/AttachmentSessions/, 'Attachments')}` },
  };
}

/** Microsoft: "You must upload bytes in a file in order", each range at most 4 MB. */
function take(session: UploadSession, range: string | undefined, body: Buffer): void {
  const [, start, end, total] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? '') ?? []).map(Number);
  if (start === undefined || end === undefined || body.length !== end - start + 1)
    throw new GraphError(
      400,
      'ErrorInvalidRequest',
      'The header Content-Range is missing or does not fit the body.',
    );
  if (body.length > LARGEST_RANGE)
    throw new GraphError(413, 'ErrorMessageSizeExceeded', 'The range is larger than 4 MB.');
  if (start !== session.received || total !== session.size || end >= session.size)
    throw new GraphError(
      416,
      'ErrorInvalidRequest',
      `The range that is expected begins at ${session.received}.`,
    );
  session.chunks.push(body);
  session.received = end + 1;
}
