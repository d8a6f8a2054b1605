import type { Caller } from './caller.ts';
import type { Directory } from './directory.ts';

/** What became of a secret: made (with its value), or, without one, removed. */
export interface SecretChange {
  appId: string;
  keyId: string;
  secretText?: string;
  endDateTime?: string;
}

/** What the tenant's application management policy allows. */
export interface SecretPolicy {
  secrets?: 'forbidden';
  longestDays?: number;
}

/** One request, with all that it may look at. */
export interface GraphCall {
  directory: Directory;
  caller: Caller;
  method: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** The header `Prefer`. */
  prefer: string | undefined;
  now: () => Date;
  policy: SecretPolicy | undefined;
  onSecret: ((change: SecretChange) => void) | undefined;
  /** Requests for which a new application is not there yet. */
  settleRequests: number;
  /** Object id of a new application → how many of those are left. */
  fresh: Map<string, number>;
}

export interface GraphReply {
  status?: number;
  body?: unknown;
}
