/** A property of a thrown value of any kind. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The HTTP status that an Azure SDK sets on its errors; undefined when there was no response. */
export function statusOf(error: unknown): number | undefined {
  const status = field(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/**
 * True when the service rejects the content and would do so again: 413 Request Entity Too Large, and 400
 * unless the code concerns the request itself, which a retry or a new deployment fixes.
 * https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
 */
export function isRefusedForGood(error: unknown, code: string | undefined): boolean {
  const status = statusOf(error);
  return status === 413 || (status === 400 && !PASSING.has(code ?? ''));
}

const PASSING = new Set(['OperationTimedOut', 'InvalidAuthenticationInfo', 'AuthenticationFailed']);
