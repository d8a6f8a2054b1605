import { relayOf } from '../outbox/relay.ts';
import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import type { Secret } from '../platform/secret.ts';
import { type EndpointRules, endpointProblem } from '../providers/endpoint-safety.ts';
import { shapeFor, signingKeyProblem } from './webhook-payload.ts';

/**
 * Names of the secrets that configure channels. The app reads them itself, because the platform cannot resolve a Key Vault
 * reference in an app setting when the vault is in a private network; the unresolved reference would then be used as the value.
 */
const channelSecretNames = ['smtp-relay-url', 'alert-webhook-url', 'alert-webhook-key'] as const;
export type ChannelSecretName = (typeof channelSecretNames)[number];

/** The result of the last reading of one of these secrets. */
export interface ChannelSecretReading {
  /** From the last successful reading; undefined when there is no such secret. */
  value: Secret | undefined;
  /** False until a reading has succeeded: whether the secret exists is unknown. */
  isKnown: boolean;
  /** Why the last reading failed, and how many failed in a row. */
  failure: { code: ProblemCode; reason: string; times: number } | undefined;
}
export type ChannelSecretReadings = Readonly<Record<ChannelSecretName, ChannelSecretReading>>;

/** Why a configured channel does not work. Contains nothing of the secret's value. */
export interface ChannelFailure {
  secret: ChannelSecretName;
  /** `channel-malformed`, `webhook-unsigned`, or the error code of the failed reading. */
  code: ProblemCode;
  /** A sentence, or the error message of a failed reading. */
  reason: string;
}

/** `absent`: not configured. `unusable`: configured, or perhaps configured, but not usable now. */
export type ChannelState<T> = { kind: 'absent' } | { kind: 'unusable' } | ({ kind: 'ready' } & T);

/** The channels, besides the pages, whose URLs are secrets. */
export interface ChannelStates {
  relay: ChannelState<{ url: Secret }>;
  webhook: ChannelState<{ url: Secret; key: Secret | undefined }>;
  failures: readonly ChannelFailure[];
}

/** One failed reading is ignored; a refusal or a disabled secret is reported at once. */
const TIMES_OF_AN_OUTAGE = 2;
const PASSING: ReadonlySet<ProblemCode> = new Set(['key-vault', 'key-vault-throttled']);

/**
 * The channels that the secrets configure, and their problems. Pure. While Key Vault does not respond, the last values stay
 * in use, so that the alert about it can be sent. A disabled secret is not used again.
 */
export function channelStatesFrom(readings: ChannelSecretReadings, rules: EndpointRules): ChannelStates {
  const failures: ChannelFailure[] = [];
  const read = (
    secret: ChannelSecretName,
    problemOf: (value: Secret) => string | undefined,
  ): ChannelState<{ value: Secret }> => {
    const { value, isKnown, failure } = readings[secret];
    if (failure !== undefined && (!PASSING.has(failure.code) || failure.times >= TIMES_OF_AN_OUTAGE))
      failures.push({ secret, code: failure.code, reason: failure.reason });
    if (!isKnown || failure?.code === 'secret-disabled') return { kind: 'unusable' };
    if (value === undefined) return { kind: 'absent' };
    const problem = problemOf(value);
    if (problem === undefined) return { kind: 'ready', value };
    failures.push({ secret, code: 'channel-malformed', reason: problem });
    return { kind: 'unusable' };
  };
  const relay = read('smtp-relay-url', (value) => relayProblem(value, rules));
  const url = read('alert-webhook-url', (value) => endpointProblem(value.expose(), rules));
  const key = read('alert-webhook-key', signingKeyProblem);
  if (url.kind === 'ready' && key.kind === 'absent' && needsKey(url.value))
    failures.push({
      secret: 'alert-webhook-key',
      code: 'webhook-unsigned',
      reason: 'It is missing, and Postroom sends this receiver nothing unsigned.',
    });
  return {
    relay: relay.kind === 'ready' ? { kind: 'ready', url: relay.value } : relay,
    webhook:
      url.kind === 'ready'
        ? { kind: 'ready', url: url.value, key: key.kind === 'ready' ? key.value : undefined }
        : url,
    failures,
  };
}

/** Teams and Slack authenticate the sender by the URL; other receivers get nothing unsigned. */
export const needsKey = (url: Secret): boolean => shapeFor(new URL(url.expose()).hostname) === 'json';

function relayProblem(value: Secret, rules: EndpointRules): string | undefined {
  try {
    relayOf(value, rules);
    return undefined;
  } catch (error) {
    if (error instanceof PostroomError && error.code === 'bad-relay') return error.message;
    throw error;
  }
}
