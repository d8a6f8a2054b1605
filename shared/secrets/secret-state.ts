/** The remaining lifetime of a secret, in whole days, rounded down. */
export type SecretState =
  | { kind: 'healthy'; days: number }
  /** `days` left; `stage` is the last threshold passed. */
  | { kind: 'due'; days: number; stage: number }
  /** Expired `days` ago. */
  | { kind: 'expired'; days: number }
  | { kind: 'unknown-date' }
  /** The provider's secrets do not expire. */
  | { kind: 'endless' }
  /** Disabled in Key Vault. */
  | { kind: 'disabled' }
  /** Missing from Key Vault; ISO time until which a deleted one can be recovered. */
  | { kind: 'missing'; recoverableUntil: string | undefined };

const DAY_MS = 86_400_000;
/** People are notified when a secret has this many days left, and then every day. */
const THRESHOLDS = [0, 1, 3, 7, 14, 30, 60] as const;

/** ISO time of the first alert for a secret with this expiry date. */
export const firstWarningOf = (expiresOn: string): string =>
  new Date(Date.parse(expiresOn) - 60 * DAY_MS).toISOString();

/** Whole days until then, rounded down; negative afterwards. */
export const daysUntil = (at: string, now: number): number => Math.floor((Date.parse(at) - now) / DAY_MS);

/**
 * Classifies a version by its vault properties. Pure: needs no value.
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

/** A new stage notifies people again; undefined where notifications follow a schedule. */
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
