import { lateTimers, type TimerName } from '../heartbeats/heartbeat.ts';
import type { HeartbeatStore } from '../heartbeats/heartbeat-store.ts';
import { withinLimit } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import type { ChannelTrouble } from './alert-channels.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import { inWordsOf } from './demo-conditions.ts';
import { partFailing } from './desk-conditions.ts';
import { type DeskFacts, type FailingPart, silentWithoutReason } from './desk-facts.ts';
import { findConditions, stillWithoutVault } from './find-conditions.ts';
import type { Notices } from './keep-notices.ts';
import { failed, isStorageAway, type LookDeps, lookAtQueues, lookAtVault, readDesk } from './look-at-desk.ts';
import { partOf } from './mailbox-conditions.ts';
import { shownOf } from './notice.ts';

export interface WatchDeps extends LookDeps {
  seam: Seam;
  heartbeats: HeartbeatStore;
  notices: Notices;
  channelSecrets: ChannelSecrets;
}

export interface Watch {
  /** Looks at everything, opens, repeats and closes notices, and tells what is to be told. Never rejects for an outage. */
  run(): Promise<void>;
  /**
   * Whether Postroom is ready, as somebody outside asks: storage and vault answer, and nothing critical is open. Where
   * the sweep is late it runs in its place, so that a dead timer is told of all the same.
   */
  glance(): Promise<boolean>;
}

const MINUTE = 60_000;
const LOOK_MS = 40_000;
/** The vault is paid for by the question. */
const VAULT_EVERY_MS = 5 * MINUTE;
const awaited: readonly TimerName[] = ['fetchMail', 'sweep', 'refreshTokens', 'reviewSecrets'];

/** The one who looks at the desk. What it remembers, such as since when a part fails, is of its process. */
export function createWatch(deps: WatchDeps): Watch {
  const { seam, notices, heartbeats } = deps;
  /** Mailboxes that were silent without a reason at the last look. */
  let suspects: ReadonlySet<string> = new Set();
  let failing: readonly FailingPart[] = [];
  let vaultAskedAt: number | undefined;
  let wasVaultBusy = false;
  let withoutVault: ReadonlyMap<string, number> = new Map();
  let isExpecting = false;
  let lastRunAt: number | undefined;
  let running: Promise<void> | undefined;

  /** A fault keeps the time at which it was first seen. */
  const sinceBefore = (found: readonly FailingPart[]): FailingPart[] =>
    found.map((one) => ({
      ...one,
      since: failing.find(({ part }) => part === one.part)?.since ?? one.since,
    }));

  async function look(now: number): Promise<DeskFacts> {
    const [found, { troubles }] = await Promise.all([
      withinLimit(lookAtStorage(now), LOOK_MS, 'table-storage'),
      deps.channelSecrets.read(),
    ]);
    const vault = isVaultWanted(found, troubles, now) ? await askVault(now) : [];
    failing = sinceBefore([...found.failing, ...vault]);
    return { ...found, failing, suspects, withoutVault, channelTroubles: troubles };
  }

  async function lookAtStorage(now: number): Promise<Omit<DeskFacts, 'suspects'>> {
    if (!isExpecting) await heartbeats.expect(awaited, now);
    isExpecting = true;
    const read = await readDesk(deps, now);
    return { ...read, ...(await lookAtQueues(deps, read, now)) };
  }

  /** A vault that has too many questions is in trouble when it says so at two looks in a row. */
  async function askVault(now: number): Promise<FailingPart[]> {
    const answer = await lookAtVault(deps, now);
    const wasBusy = wasVaultBusy;
    wasVaultBusy = answer.kind === 'busy';
    return answer.kind === 'failing' || (answer.kind === 'busy' && wasBusy) ? [answer.part] : [];
  }

  function isVaultWanted(
    { state }: Pick<DeskFacts, 'state'>,
    troubles: readonly ChannelTrouble[],
    now: number,
  ): boolean {
    const isSuspected =
      wasVaultBusy ||
      troubles.some(({ code }) => partOf(code) === 'vault') ||
      failing.some(({ part }) => part === 'vault') ||
      [...state.troubles.values()].some(({ code }) => partOf(code) === 'vault');
    if (!isSuspected && vaultAskedAt !== undefined && Math.abs(now - vaultAskedAt) < VAULT_EVERY_MS)
      return false;
    vaultAskedAt = now;
    return true;
  }

  async function runOnce(): Promise<void> {
    const now = seam.now();
    lastRunAt = now;
    try {
      const facts = await look(now);
      const conditions = findConditions(facts, now);
      suspects = new Set(silentWithoutReason(facts, now));
      withoutVault = stillWithoutVault(facts);
      await notices.observe({ source: 'watch', conditions });
      await notices.deliver();
    } catch (error) {
      if (!isStorageAway(error)) throw error;
      log.error('storage is away', error);
      failing = sinceBefore([failed('storage', error, now)]);
      await notices.hold(inWordsOf(deps.config, { mailboxes: [], providers: [] }, failing.map(partFailing)));
    }
  }

  const run = (): Promise<void> => {
    running ??= runOnce().finally(() => {
      running = undefined;
    });
    return running;
  };

  async function isSweepLate(): Promise<boolean> {
    const now = seam.now();
    return lateTimers(await heartbeats.all(), now).some(({ name }) => name === 'sweep');
  }

  async function glanceOnce(): Promise<boolean> {
    if (notices.held().length > 0 || (await isSweepLate())) {
      if (lastRunAt === undefined || Math.abs(seam.now() - lastRunAt) >= MINUTE) await run();
      if (notices.held().length > 0) return false;
    }
    const [open, vault] = await Promise.all([notices.open(), lookAtVault(deps, seam.now())]);
    if (vault.kind === 'failing') log.error('not ready', new PostroomError('key-vault', vault.part.said));
    return vault.kind !== 'failing' && !open.some((notice) => shownOf(notice).severity === 'critical');
  }

  return {
    run,
    async glance() {
      try {
        return await glanceOnce();
      } catch (error) {
        if (!isStorageAway(error)) throw error;
        await run();
        return false;
      }
    },
  };
}
