/** A property of something thrown, whatever it is. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The HTTP status that an Azure SDK puts on its errors; undefined when no answer came. */
export function statusOf(error: unknown): number | undefined {
  const status = field(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/**
 * The service refuses what was to be written, and would refuse it each time: 413 Request Entity Too Large, and 400 but
 * for what it says of the request itself, which a retry or another deployment mends.
 * https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
 */
export function isRefusedForGood(error: unknown, code: string | undefined): boolean {
  const status = statusOf(error);
  return status === 413 || (status === 400 && !PASSING.has(code ?? ''));
}

const PASSING = new Set(['OperationTimedOut', 'InvalidAuthenticationInfo', 'AuthenticationFailed']);
