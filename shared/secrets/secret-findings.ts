import type { Finding, Subject } from '../alerts/alert.ts';
import { paths } from '../paths/paths.ts';
import { secretName } from '../providers/credential.ts';
import { firstWarningOf, type SecretState, stageOf } from './secret-state.ts';

/** A secret as the review found it. Contains no value. */
export interface ReviewedSecret {
  /** Name of the entry in Key Vault. */
  vaultName: string;
  /** `new`: a replacement that has not been used yet. */
  what:
    | 'client secret'
    | 'certificate'
    | 'new client secret'
    | 'new certificate'
    | 'relay address'
    | 'webhook address'
    | 'webhook key';
  /** Its provider; undefined for the installation's own secrets. */
  provider: { id: string; name: string } | undefined;
  expiresOn: string | undefined;
  /** ISO time of the vault's last recorded change. */
  changedOn: string | undefined;
  state: SecretState;
  /** ISO time at which a replacement was entered that has not been used yet. */
  replacedSince: string | undefined;
  /** Why the last automatic rotation failed, in a sentence. */
  rotationProblem: string | undefined;
  /** Addresses that sign in with it. */
  mailboxes: readonly string[];
}

/**
 * What a person must know about a secret; undefined if all is well. Pure.
 * @param now milliseconds since the epoch
 */
export function findingFor(secret: ReviewedSecret, now: number): Finding | undefined {
  const { state, provider, what } = secret;
  if (state.kind === 'healthy' || state.kind === 'endless') return undefined;
  const stage = stageOf(state);
  const name =
    provider === undefined ? `the ${what} of this installation` : `the ${what} of ${provider.name}`;
  const over = state.kind === 'expired' || state.kind === 'disabled' || state.kind === 'missing';
  return {
    kind: state.kind === 'expired' ? 'secret-expired' : over ? 'secret-refused' : 'secret-due',
    subject: secretSubject(secret),
    severity: over && provider !== undefined && !isNew(secret) ? 'error' : 'warning',
    headline: headlineOf(capital(name), state),
    cause: causeOf(secret),
    code: state.kind === 'disabled' || state.kind === 'missing' ? `secret-${state.kind}` : undefined,
    since: sinceOf(secret) ?? new Date(now).toISOString(),
    affected: affectedBy(secret, over),
    who: 'you',
    fix: fixOf(secret),
    ...(stage !== undefined && { stage }),
  };
}

/** True for a replacement that has not been used yet. Pure. */
export const isNew = ({ what }: Pick<ReviewedSecret, 'what'>): boolean => what.startsWith('new ');

const NEXT = '/next';

/**
 * The subject of an alert about a secret. A replacement is in the same vault entry as the secret it
 * replaces. Pure.
 */
export function secretSubject(secret: ReviewedSecret): Subject {
  const { provider, vaultName, what } = secret;
  if (provider === undefined)
    return { kind: 'secret', id: vaultName, name: `the ${what} of this installation` };
  return isNew(secret)
    ? { kind: 'secret', id: `${vaultName}${NEXT}`, name: `the ${what} of ${provider.name}` }
    : { kind: 'provider', id: provider.id, name: provider.name };
}

/** The vault entry of an alert's subject. Pure. */
export const entryOf = ({ kind, id }: Subject): string =>
  kind === 'provider' ? secretName(id) : id.endsWith(NEXT) ? id.slice(0, -NEXT.length) : id;

function sinceOf({ state, expiresOn, changedOn }: ReviewedSecret): string | undefined {
  if (state.kind === 'expired') return expiresOn;
  if (state.kind === 'due' && expiresOn !== undefined) return firstWarningOf(expiresOn);
  return changedOn;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const counted = (days: number): string => (days === 1 ? '1 day' : `${days} days`);

function headlineOf(name: string, state: SecretState): string {
  switch (state.kind) {
    case 'due':
      return state.days === 0 ? `${name} expires today.` : `${name} expires in ${counted(state.days)}.`;
    case 'expired':
      return state.days === 0 ? `${name} has expired.` : `${name} expired ${counted(state.days)} ago.`;
    case 'disabled':
      return `${name} is disabled in Key Vault.`;
    case 'missing':
      return `${name} is not in Key Vault.`;
    case 'healthy':
    case 'endless':
    case 'unknown-date':
      return `${name} has no expiry date.`;
  }
}

function causeOf({ state, expiresOn, replacedSince, rotationProblem }: ReviewedSecret): string {
  const date = expiresOn?.slice(0, 10);
  const sentences: Readonly<Record<SecretState['kind'], string>> = {
    healthy: '',
    endless: '',
    due: `Its last day is ${date}. After that, the provider refuses it.`,
    expired: `Its last day was ${date}. The provider now refuses it.`,
    'unknown-date': 'Its entry in Key Vault has no expiry date, so there would be no reminder.',
    disabled: 'It was disabled there, so Postroom cannot read it.',
    missing:
      state.kind === 'missing' && state.recoverableUntil !== undefined
        ? `It was deleted there, and can be recovered until ${state.recoverableUntil.slice(0, 10)}.`
        : 'It was deleted there for good, or this is a different vault.',
  };
  const replacement =
    replacedSince === undefined
      ? undefined
      : `A new one was entered on ${replacedSince.slice(0, 10)} and has not been used yet.`;
  return [sentences[state.kind], replacement, rotationProblem].filter(Boolean).join(' ');
}

function affectedBy(secret: ReviewedSecret, over: boolean): string {
  const { provider, mailboxes, what } = secret;
  if (isNew(secret))
    return 'Mail is flowing with the current one. The new one has not been used yet and cannot take over.';
  if (provider === undefined)
    return `Mail is flowing. Anything that needs the ${what} stops when it expires.`;
  if (mailboxes.length === 0) return 'No mailbox uses it, so no mail is affected.';
  const [first, second, third] = mailboxes;
  const names =
    mailboxes.length <= 3
      ? [first, second, third].filter((one) => one !== undefined).join(', ')
      : `${first}, ${second} and ${mailboxes.length - 2} others`;
  return over
    ? `No mail is lost: it waits in the mailbox. Fetching stops when the current token expires: ${names}.`
    : `Mail is still flowing. Fetching stops after that date: ${names}.`;
}

function fixOf({ provider, state, what }: ReviewedSecret): Finding['fix'] {
  if (provider === undefined) return { label: 'View all secrets', href: paths.secrets() };
  const label = state.kind === 'unknown-date' ? 'Enter its expiry date' : `Replace the ${what}`;
  return { label, href: paths.editProvider(provider) };
}
