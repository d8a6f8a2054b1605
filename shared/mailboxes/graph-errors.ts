import { redact } from '../explanations/redact.ts';
import { PostroomError } from '../platform/errors.ts';
import { InboxError, type InboxFailure } from './inbox.ts';

/** A response of Microsoft Graph other than success. https://learn.microsoft.com/graph/errors */
export class GraphRefusal extends Error {
  readonly status: number;
  /** Graph's own code, such as `ErrorItemNotFound`; empty if the body had none. */
  readonly code: string;
  /** Milliseconds after which Graph wants the next request; undefined: it named none. */
  readonly waitMs: number | undefined;

  constructor(status: number, code: string, message: string, waitMs?: number) {
    super(message);
    this.name = 'GraphRefusal';
    this.status = status;
    this.code = code;
    this.waitMs = waitMs;
  }

  /** Too many requests, or a service that is overloaded for a moment. */
  get isThrottled(): boolean {
    return this.status === 429 || this.status === 503 || this.status === 504;
  }

  /** The message or folder of the request is not there. */
  get isGone(): boolean {
    return (
      this.status === 404 &&
      /^(?:ErrorItemNotFound|ErrorFolderNotFound|ErrorMessageNotFound)?$/.test(this.code)
    );
  }

  /**
   * The state behind a delta link is gone, so that reading starts over.
   * https://learn.microsoft.com/graph/delta-query-overview#synchronization-reset
   */
  get isExpiredLink(): boolean {
    return this.status === 410 || /sync\s?state(?:not\s?found|invalid)|resync/i.test(this.code);
  }
}

/** The connection broke after the whole request had left: Graph may have acted on it. */
export class GraphAnswerLost extends Error {
  constructor(cause: unknown) {
    super('Microsoft Graph had the whole request, and its response was lost.', { cause });
    this.name = 'GraphAnswerLost';
  }
}

/** What a request was for; the same response means different things. */
export type GraphPurpose = 'open-inbox' | 'open-folder' | 'read' | 'change';

/** Outages of one mailbox, whatever their status: it is being moved, or its database is away. */
const AWAY =
  /^(?:MailboxInfoStale|ErrorMailboxInfoStale|ErrorMailboxStoreUnavailable|ErrorMailboxMoveInProgress|ErrorServerBusy|ErrorTimeoutExpired|ErrorInternalServerTransientError)$/;

/** The meaning of a refusal for a mailbox. Pure. */
export function failureOf(
  { status, code, isGone, isThrottled }: GraphRefusal,
  purpose: GraphPurpose,
): InboxFailure {
  if (isThrottled || status >= 500 || AWAY.test(code))
    return code === 'ErrorQuotaExceeded' ? 'refused' : 'unavailable';
  if (status === 401) return 'token-refused';
  if (purpose === 'change') return 'refused';
  // Exchange also says of a folder without permission that it is not found, and every mailbox has an inbox.
  if (isGone && purpose === 'open-folder') return 'folder-missing';
  // Moved or deleted meanwhile.
  if (isGone && purpose === 'read') return 'unavailable';
  if (status === 403 || status === 404) return 'no-access';
  return 'unavailable';
}

/** The error of a call, as the port reports it. */
export function inboxErrorOf(error: unknown, purpose: GraphPurpose): InboxError {
  if (error instanceof InboxError) return error;
  if (!(error instanceof GraphRefusal))
    return graphInboxError('unavailable', 'Microsoft Graph does not respond.', {
      cause: error,
      // The address is not allowed: the message of the check says why.
      ...(error instanceof PostroomError && { said: error.message }),
    });
  const said = redact(`${error.code}: ${error.message}`).slice(0, 200);
  const message =
    purpose === 'change'
      ? `Microsoft Graph did not change stored email. It said: ${said}`
      : `Microsoft Graph said: ${said}`;
  return graphInboxError(failureOf(error, purpose), message, {
    cause: error,
    said,
    retryAfterMs: error.waitMs,
  });
}

export const graphInboxError = (
  failure: InboxFailure,
  message: string,
  options: { cause?: unknown; said?: string; retryAfterMs?: number | undefined } = {},
): InboxError => new InboxError(failure, message, { ...options, code: `graph-${failure}` });
