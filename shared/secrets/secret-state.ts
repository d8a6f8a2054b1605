/** How long a secret still lasts. Days are whole ones, rounded down. */
export type SecretState =
  | { kind: 'healthy'; days: number }
  /** `days` left; `stage` is the threshold that was passed last. */
  | { kind: 'due'; days: number; stage: number }
  /** `days` ago. */
  | { kind: 'expired'; days: number }
  | { kind: 'unknown-date' }
  /** The provider's secrets have no date: nothing is due. */
  | { kind: 'endless' }
  /** Key Vault keeps it and gives it to nobody. */
  | { kind: 'disabled' }
  /** Key Vault has none; ISO time until which a deleted one can be recovered. */
  | { kind: 'missing'; recoverableUntil: string | undefined };

const DAY_MS = 86_400_000;
/** People hear of a secret when it has this many days left, and from then on each day. */
const THRESHOLDS = [0, 1, 3, 7, 14, 30, 60] as const;

/** ISO time from which a secret with this end is said to be due. */
export const firstWarningOf = (expiresOn: string): string =>
  new Date(Date.parse(expiresOn) - 60 * DAY_MS).toISOString();

/** Whole days until then, rounded down; below zero afterwards. */
export const daysUntil = (at: string, now: number): number => Math.floor((Date.parse(at) - now) / DAY_MS);

/**
 * Classifies by what the vault says of a version. Pure: no value is needed.
 * @param now milliseconds since the epoch
 */
export function stateOf(
  properties: { enabled: boolean; expiresOn: string | undefined },
  now: number,
): SecretState {
  if (!properties.enabled) return { kind: 'disabled' };
  if (properties.expiresOn === undefined) return { kind: 'unknown-date' };
  const days = daysUntil(properties.expiresOn, now);
  if (days < 0) return { kind: 'expired', days: -days - 1 };
  const stage = THRESHOLDS.find((threshold) => days <= threshold);
  return stage === undefined ? { kind: 'healthy', days } : { kind: 'due', days, stage };
}

/** With another stage people hear of the same secret again; undefined where that follows a schedule. */
export function stageOf(state: SecretState): string | undefined {
  switch (state.kind) {
    case 'due':
      return `${state.stage} days`;
    case 'expired':
      return `expired ${state.days} days`;
    case 'unknown-date':
      return 'unknown date';
    default:
      return undefined;
  }
}
