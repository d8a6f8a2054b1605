import { Secret } from '../platform/secret.ts';
import type { Credential } from './credential.ts';
import { type FieldRules, ruleProblem } from './field-rules.ts';

/** The submitted credential. */
export type CredentialInput =
  /** Keeps the current one, or none in a draft. */
  | { kind: 'keep' }
  /**
   * `expiresOn`: ISO time, the end of the day entered; undefined when the provider's secrets do not expire.
   */
  | { kind: 'secret'; value: Secret; expiresOn: string | undefined }
  | { kind: 'certificate'; expiresOn: string }
  | { kind: 'federated' };

const MONTHS_OF_A_SECRET = 24;
const DAY_MS = 86_400_000;

/**
 * The proposed expiry date of a new secret: 24 months ahead, the longest that Microsoft's portal offers.
 */
export function proposedExpiry(now: number): string {
  const date = new Date(now);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + MONTHS_OF_A_SECRET);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.toISOString().slice(0, 10);
}

/**
 * Expiry dates from this day on need confirmation: a day more than proposed, for time zones east of
 * Greenwich.
 */
export const questionedFrom = (now: number): string =>
  new Date(Date.parse(`${proposedExpiry(now)}T00:00:00.000Z`) + 2 * DAY_MS).toISOString().slice(0, 10);

export interface CredentialRules {
  now: number;
  rules: FieldRules;
  /** The kinds that the provider supports; the form accepts no other. */
  kinds: readonly Credential['kind'][];
  secretsExpire: boolean;
  /** `keep`: an empty field keeps the current secret; `optional`: a draft may have none. */
  secret: 'needed' | 'keep' | 'optional';
  /** False when no person entered the date, as for the demo's own secret. */
  questionsLateExpiry: boolean;
}

/** Reads the credential fields of the form; problems are added to `errors`. Pure. */
export function parseCredential(
  field: (name: string) => string,
  { now, rules, kinds, secretsExpire, secret, questionsLateExpiry }: CredentialRules,
  errors: Record<string, string>,
): CredentialInput {
  const chosen = field('credential');
  const value = field('secret');
  const expiry = (what: 'secret' | 'certificate'): string =>
    parseExpiry(field, now, what, questionsLateExpiry, errors);
  if (chosen === 'federated' && kinds.includes('federated')) return { kind: 'federated' };
  if (chosen === 'certificate' && kinds.includes('certificate'))
    return { kind: 'certificate', expiresOn: expiry('certificate') };
  if (value === '' && secret !== 'needed' && (secret === 'optional' || chosen !== 'secret'))
    return { kind: 'keep' };
  const wrong = value === '' ? 'Enter the client secret.' : ruleProblem(value, rules['secret']);
  if (wrong !== undefined) errors['secret'] = wrong;
  const expiresOn = secretsExpire ? expiry('secret') : undefined;
  return { kind: 'secret', value: new Secret(value), expiresOn };
}

function parseExpiry(
  field: (name: string) => string,
  now: number,
  what: 'secret' | 'certificate',
  questions: boolean,
  errors: Record<string, string>,
): string {
  const expiresOn = field('expiresOn');
  const time = Date.parse(`${expiresOn}T23:59:59.000Z`);
  const isDate = !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === expiresOn;
  if (!isDate) errors['expiresOn'] = `Enter the date on which the ${what} expires, for example 2028-11-24.`;
  else if (time < now)
    errors['expiresOn'] =
      `This date has passed: the ${what} would not work. Create a new ${what} and enter its date.`;
  else if (time > now + 100 * 366 * DAY_MS)
    errors['expiresOn'] = 'Enter a date within the next hundred years.';
  else if (questions && expiresOn >= questionedFrom(now) && field('expiryConfirmed') !== 'on')
    errors['expiryConfirmed'] =
      'This date is more than 24 months away, which Microsoft’s portal does not offer. Correct it, or confirm that it is correct.';
  return `${expiresOn}T23:59:59.000Z`;
}
