import { isVaultCode, partBlamed } from '../platform/problem.ts';
import type { Mailbox, FetchFailure } from './mailbox.ts';

/**
 * A token endpoint that is out of order: no answer, a status of 500 and above, the words of RFC 6749 section 4.1.2.1, and
 * Microsoft's numbers for outages (https://learn.microsoft.com/entra/identity-platform/reference-error-codes). Throttling
 * (`http-429`, `slow_down`, AADSTS50196) is missing on purpose: whoever is throttled waits as long as it was told.
 */
const TOKEN_ENDPOINT =
  /^(?:no-answer|http-(?:408|5\d\d)|server_error|temporarily_unavailable|AADSTS(?:50033|70012|90006|90012|90024|90033|90055))$/;

/**
 * Names what stops a mailbox and stops others with it: `storage`, `vault|<provider>`, `sign-in|<provider>`. Undefined for
 * what is the mailbox's own, and for what waits for a person. By provider, because a vault may withhold the secret of one
 * provider alone. Pure.
 */
export function sharedCauseOf(
  { providerId }: Pick<Mailbox, 'providerId'>,
  { state, code }: Pick<FetchFailure, 'state' | 'code'>,
): string | undefined {
  if (state !== 'retrying') return undefined;
  if (partBlamed(code) === 'storage') return 'storage';
  if (isVaultCode(code)) return `vault|${providerId}`;
  return TOKEN_ENDPOINT.test(code) ? `sign-in|${providerId}` : undefined;
}
