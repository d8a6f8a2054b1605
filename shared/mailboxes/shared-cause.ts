import { createHash } from 'node:crypto';
import { isVaultCode, partBlamed } from '../platform/problem.ts';
import type { FetchFailure, Mailbox } from './mailbox.ts';

/**
 * A token endpoint that is out of order: no response, a status of 500 and above, the errors of RFC 6749
 * section 4.1.2.1, and Microsoft's codes for outages
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes). Throttling (`http-429`,
 * `slow_down`, AADSTS50196) is excluded on purpose: a throttled client must wait as long as it was asked
 * to.
 */
const TOKEN_ENDPOINT =
  /^(?:no-answer|http-(?:408|5\d\d)|server_error|temporarily_unavailable|AADSTS(?:50033|70012|90006|90012|90024|90033|90055))$/;

/** A mail server that nobody reaches, in the words of Node and of imapflow. A busy one throttles each mailbox by itself. */
const UNREACHABLE =
  /\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b|Failed to (?:establish connection|receive greeting)/;

/**
 * The cause that a mailbox's failure shares with others: `storage`, `vault|<provider>`,
 * `sign-in|<provider>`, `server|<hash of the host>`. Undefined for a fault of this mailbox only, and for one that requires a person's
 * action. By provider, because a vault may refuse only the secret of one provider. Pure.
 */
export function sharedCauseOf(
  { providerId, host }: Pick<Mailbox, 'providerId' | 'host'>,
  { state, code, said = '' }: Pick<FetchFailure, 'state' | 'code' | 'said'>,
): string | undefined {
  if (state !== 'retrying') return undefined;
  if (partBlamed(code) === 'storage') return 'storage';
  if (isVaultCode(code)) return `vault|${providerId}`;
  if (TOKEN_ENDPOINT.test(code)) return `sign-in|${providerId}`;
  return code.endsWith('-unavailable') && UNREACHABLE.test(said) ? `server|${keyOfHost(host)}` : undefined;
}

/** Part of a row key, where text from a person must not be. */
const keyOfHost = (host: string): string =>
  createHash('sha256').update(host.toLowerCase()).digest('hex').slice(0, 16);
