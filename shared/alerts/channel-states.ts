import { relayOf } from '../outbox/relay.ts';
import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import type { Secret } from '../platform/secret.ts';
import { type EndpointRules, endpointProblem } from '../providers/endpoint-safety.ts';
import { shapeFor, signingKeyProblem } from './webhook-payload.ts';

/**
 * Names of the secrets in the vault that set up channels. The app reads them itself: a reference in an app setting
 * would be resolved by the platform, which cannot reach a vault in a private network, and an unresolved one is a text
 * that stands where an address should.
 */
export const channelSecretNames = ['smtp-relay-url', 'alert-webhook-url', 'alert-webhook-key'] as const;
export type ChannelSecretName = (typeof channelSecretNames)[number];

/** What the vault last said of one of these secrets. */
export interface ChannelSecretReading {
  /** Of the last reading that worked; undefined: there is no such secret. */
  value: Secret | undefined;
  /** False: the vault has never answered, so that nobody knows whether there is such a secret. */
  isKnown: boolean;
  /** Why the last reading failed, and how many failed in a row. */
  failure: { code: string; said: string; times: number } | undefined;
}
export type ChannelSecretReadings = Readonly<Record<ChannelSecretName, ChannelSecretReading>>;

/** Why a channel does not work although it is, or may be, set up. Nothing of a secret's value is in it. */
export interface ChannelTrouble {
  secret: ChannelSecretName;
  /** `channel-malformed`, `webhook-unsigned`, or what the vault's reading failed with. */
  code: string;
  /** A sentence, or for a failed reading the words of the vault. */
  said: string;
}

/** `absent`: not set up. `unusable`: set up, or perhaps set up, and not to be used until its trouble is over. */
export type ChannelState<T> = { kind: 'absent' } | { kind: 'unusable' } | ({ kind: 'ready' } & T);

/** The channels beside the pages whose addresses are secrets. */
export interface ChannelStates {
  relay: ChannelState<{ url: Secret }>;
  webhook: ChannelState<{ url: Secret; key: Secret | undefined }>;
  troubles: readonly ChannelTrouble[];
}

/** A vault that does not answer once is no news; one that refuses, or a secret that is switched off, is. */
const TIMES_OF_AN_OUTAGE = 2;
const PASSING: ReadonlySet<string> = new Set<ProblemCode>(['key-vault', 'key-vault-throttled']);

/**
 * What the secrets set up, and what is wrong with them. Pure. While the vault does not answer, what it gave before
 * stays in use: the alarm that it is away leaves that way. A secret that somebody switched off is not used again.
 */
export function channelStatesFrom(readings: ChannelSecretReadings, rules: EndpointRules): ChannelStates {
  const troubles: ChannelTrouble[] = [];
  const read = (
    secret: ChannelSecretName,
    problemOf: (value: Secret) => string | undefined,
  ): ChannelState<{ value: Secret }> => {
    const { value, isKnown, failure } = readings[secret];
    if (failure !== undefined && (!PASSING.has(failure.code) || failure.times >= TIMES_OF_AN_OUTAGE))
      troubles.push({ secret, code: failure.code, said: failure.said });
    if (!isKnown || failure?.code === 'secret-disabled') return { kind: 'unusable' };
    if (value === undefined) return { kind: 'absent' };
    const problem = problemOf(value);
    if (problem === undefined) return { kind: 'ready', value };
    troubles.push({ secret, code: 'channel-malformed' satisfies ProblemCode, said: problem });
    return { kind: 'unusable' };
  };
  const relay = read('smtp-relay-url', (value) => relayProblem(value, rules));
  const url = read('alert-webhook-url', (value) => endpointProblem(value.expose(), rules));
  const key = read('alert-webhook-key', signingKeyProblem);
  if (url.kind === 'ready' && key.kind === 'absent' && needsKey(url.value))
    troubles.push({
      secret: 'alert-webhook-key',
      code: 'webhook-unsigned' satisfies ProblemCode,
      said: 'It is missing, and this receiver is sent nothing unsigned.',
    });
  return {
    relay: relay.kind === 'ready' ? { kind: 'ready', url: relay.value } : relay,
    webhook:
      url.kind === 'ready'
        ? { kind: 'ready', url: url.value, key: key.kind === 'ready' ? key.value : undefined }
        : url,
    troubles,
  };
}

/** Teams and Slack know the sender by the address alone; every other receiver is sent nothing unsigned. */
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
