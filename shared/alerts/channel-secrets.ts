import { withTimeout } from '../platform/concurrency.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';
import {
  type ChannelSecretName,
  type ChannelSecretReading,
  type ChannelStates,
  channelStatesFrom,
} from './channel-states.ts';

export interface ChannelSecrets {
  /**
   * The channels configured in the vault; reads it again when due. Never rejects: a failed reading is a
   * problem of its channel.
   */
  read(): Promise<ChannelStates>;
}

const MINUTE = 60_000;
/** Every vault request costs money. */
const CACHE_MS = 10 * MINUTE;
/** While a secret is faulty, it is read more often, so that a fix works within a minute or two. */
const CACHE_WHILE_FAILING_MS = MINUTE - 5_000;
/** Less than the timeout of a whole health check. */
const TIMEOUT_MS = 10_000;

/**
 * Reads the channels' secrets from the vault and caches them in this process. No request before `read`.
 */
export function createChannelSecrets(deps: {
  vault: Pick<Vault, 'get'>;
  seam: Pick<Seam, 'now'>;
  config: { local: boolean };
}): ChannelSecrets {
  const { vault, seam, config } = deps;
  const never: ChannelSecretReading = { value: undefined, isKnown: false, failure: undefined };
  let readings: Readonly<Record<ChannelSecretName, ChannelSecretReading>> = {
    'smtp-relay-url': never,
    'alert-webhook-url': never,
    'alert-webhook-key': never,
  };
  let readAt: number | undefined;
  let running: Promise<void> | undefined;

  async function readOne(name: ChannelSecretName): Promise<ChannelSecretReading> {
    const before = readings[name];
    try {
      const entry = await withTimeout(vault.get(name), TIMEOUT_MS, 'key-vault');
      // A value that comes from a file or a shell often ends with a line break.
      const text = entry?.value.expose().trim() ?? '';
      return { value: text === '' ? undefined : new Secret(text), isKnown: true, failure: undefined };
    } catch (error) {
      const code = error instanceof PostroomError ? error.code : 'key-vault';
      const times = (before.failure?.times ?? 0) + 1;
      return { ...before, failure: { code, reason: messageWithCause(error), times } };
    }
  }

  async function readAll(): Promise<void> {
    const [relay, url, key] = await Promise.all([
      readOne('smtp-relay-url'),
      readOne('alert-webhook-url'),
      readOne('alert-webhook-key'),
    ]);
    readings = { 'smtp-relay-url': relay, 'alert-webhook-url': url, 'alert-webhook-key': key };
    readAt = seam.now();
  }

  function isDue(): boolean {
    if (readAt === undefined) return true;
    const { failures } = channelStatesFrom(readings, config);
    const isFailing = Object.values(readings).some(({ failure }) => failure !== undefined);
    const age = seam.now() - readAt;
    // If the clock was set back, the age of the reading is unknown.
    return age < 0 || age >= (failures.length > 0 || isFailing ? CACHE_WHILE_FAILING_MS : CACHE_MS);
  }

  return {
    async read() {
      if (isDue()) {
        running ??= readAll().finally(() => {
          running = undefined;
        });
        await running;
      }
      return channelStatesFrom(readings, config);
    },
  };
}

/** The error's message with Azure's, for `explainText`. */
function messageWithCause(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` ${describeError(error.cause)}` : '';
  return `${describeError(error)}${cause}`.slice(0, 2000);
}
