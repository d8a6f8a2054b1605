import type { Account } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import type { HeartbeatStore } from '../heartbeats/heartbeat-store.ts';
import type { QuarantineStore } from '../intake/quarantine-store.ts';
import { createReconciliationStore } from '../intake/reconciliation-records.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { lastSuccessOf, type MailboxStore } from '../mailboxes/mailbox-store.ts';
import { withTimeout } from '../platform/concurrency.ts';
import type { Config } from '../platform/config.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { partBlamed } from '../platform/problem.ts';
import { type QueueName, type Queues, queueNames } from '../platform/queues.ts';
import type { Tables } from '../platform/tables.ts';
import { telemetry } from '../platform/telemetry.ts';
import { unreadableRows } from '../platform/unreadable-rows.ts';
import type { Vault } from '../platform/vault.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { createPushStore } from '../push/push-records.ts';
import type { FailingPart, HealthFacts, MissingEmail } from './health-facts.ts';

export interface PreviewDeps {
  tables: Tables;
  mailboxes: Pick<MailboxStore, 'list' | 'fetchState'>;
  accounts: Pick<AccountStore, 'get'>;
  providers: Pick<ProviderStore, 'list'>;
  heartbeats: Pick<HeartbeatStore, 'all'>;
  quarantine: Pick<QuarantineStore, 'open'>;
  queues: Pick<Queues, 'poison' | 'clearPoison'>;
  vault: Pick<Vault, 'get'>;
  config?: Pick<Config, 'demo'> | undefined;
}

const MINUTE = 60_000;
/** A job that failed just now may be part of a larger fault, which has its own alert. */
const GIVEN_UP_AFTER_MS = 5 * MINUTE;
const VAULT_MS = 25_000;
/** At most this many of the newest unimported emails are read. With more, the number and the oldest are of those. */
const MAX_OPEN = 999;

/** The facts that tables provide: cheap enough for a page. @throws PostroomError when storage is unavailable */
export async function collectHealth(
  deps: Pick<
    PreviewDeps,
    'tables' | 'mailboxes' | 'accounts' | 'providers' | 'heartbeats' | 'quarantine' | 'config'
  >,
): Promise<Omit<HealthFacts, 'suspects'>> {
  const [mailboxes, state, beats] = await Promise.all([
    deps.mailboxes.list(),
    deps.mailboxes.fetchState(),
    deps.heartbeats.all(),
  ]);
  const failing = mailboxes.filter(({ id, enabled }) => enabled && state.failing.has(id));
  const [accounts, providers] = await Promise.all([
    accountsOf(failing, deps.accounts),
    // Names are only needed when something is wrong, presets only in a demo.
    failing.length > 0 || deps.config?.demo?.isShownAsDemo === true ? deps.providers.list() : [],
  ]);
  const [quarantined, missing, pushes] = await Promise.all([
    quarantinedOf(deps),
    missingOf(deps),
    createPushStore(deps.tables).all(),
  ]);
  const unreadable = unreadableRows(deps.tables);
  const found = { mailboxes, state, beats, accounts, providers, quarantined, missing, pushes, unreadable };
  return { ...found, config: deps.config, failing: [], abandoned: [] };
}

async function accountsOf(failing: readonly Mailbox[], store: Pick<AccountStore, 'get'>): Promise<Account[]> {
  const refs = new Map(failing.map(({ providerId, accountId }) => [accountId, { providerId, accountId }]));
  // An account that cannot be read is reported by the failure of its mailbox.
  const found = await Promise.all(
    [...refs.values()].map((ref) =>
      store.get(ref).catch((error: unknown) => {
        if (isStorageAway(error)) throw error;
        return undefined;
      }),
    ),
  );
  return found.flatMap((stored) => (stored === undefined ? [] : [stored.account]));
}

/** What waits for a person; its time is that of the oldest message. */
async function quarantinedOf({
  quarantine,
}: Pick<PreviewDeps, 'quarantine'>): Promise<HealthFacts['quarantined']> {
  const open = await quarantine.open(MAX_OPEN);
  const oldest = open.map(({ at }) => at).sort()[0];
  return oldest === undefined ? undefined : { count: open.length, since: oldest };
}

async function missingOf({ tables }: Pick<PreviewDeps, 'tables'>): Promise<Map<string, MissingEmail>> {
  const { checks } = await createReconciliationStore(tables).all();
  return new Map(
    [...checks].map(([id, { count, checkedAt = '' }]) => [id, { count: count?.missing ?? 0, checkedAt }]),
  );
}

/**
 * Messages that the Functions host moved to poison queues. A fetch is worthless a minute later, so fetches
 * are deleted once their mailboxes have been fetched since. A queue that can't be read means that storage
 * fails.
 */
export async function checkQueues(
  { queues }: Pick<PreviewDeps, 'queues'>,
  { mailboxes, state }: Pick<HealthFacts, 'mailboxes' | 'state'>,
  now: number,
): Promise<Pick<HealthFacts, 'abandoned' | 'failing'>> {
  try {
    const all = await Promise.all(
      queueNames.map(async (queue) => ({ queue, ...(await queues.poison(queue)) })),
    );
    // Measured every time, even at 0: Azure's alert only closes when it sees that nothing is left.
    for (const { queue, count } of all) telemetry.measure('poisonSize', count, { queue });
    const abandoned: { queue: QueueName; count: number; since: string }[] = [];
    for (const { queue, count, since } of all) {
      if (count === 0 || since === undefined || now - Date.parse(since) < GIVEN_UP_AFTER_MS) continue;
      const isOver = mailboxes.every(
        ({ id, enabled }) =>
          !enabled || (lastSuccessOf(state, id, now) ?? '') > since || state.failing.has(id),
      );
      if (queue === 'fetch-shard' && isOver) await queues.clearPoison(queue);
      else abandoned.push({ queue, count, since });
    }
    return { abandoned, failing: [] };
  } catch (error) {
    return { abandoned: [], failing: [failed('storage', error, now)] };
  }
}

/** The vault's response. `busy`: it throttles requests, which usually passes within seconds. */
export type VaultCheck = { kind: 'answers' } | { kind: 'busy' | 'failing'; part: FailingPart };

/**
 * Checks that the vault accepts the app. The secret need not exist: "not found" is a valid response. A slow
 * vault must count as a vault failure and not as a storage failure, so it has its own timeout.
 */
export async function checkVault({ vault }: Pick<PreviewDeps, 'vault'>, now: number): Promise<VaultCheck> {
  try {
    await withTimeout(vault.get('postroom-encryption-key'), VAULT_MS, 'key-vault');
    return { kind: 'answers' };
  } catch (error) {
    const isBusy = error instanceof PostroomError && error.code === 'key-vault-throttled';
    return { kind: isBusy ? 'busy' : 'failing', part: failed('vault', error, now) };
  }
}

/** True for the error of any storage call when storage does not work as it should. */
export const isStorageAway = (error: unknown): boolean =>
  error instanceof PostroomError && partBlamed(error.code) === 'storage';

/** A failing dependency, with the error's message and Azure's. */
export function failed(part: FailingPart['part'], error: unknown, now: number): FailingPart {
  const cause = error instanceof Error && error.cause !== undefined ? ` ${describeError(error.cause)}` : '';
  return {
    part,
    message: `${describeError(error)}${cause}`.slice(0, 2000),
    since: new Date(now).toISOString(),
  };
}
