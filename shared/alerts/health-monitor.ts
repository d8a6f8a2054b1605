import { lateTimers, type TimerName } from '../heartbeats/heartbeat.ts';
import type { HeartbeatStore } from '../heartbeats/heartbeat-store.ts';
import { withTimeout } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import { shownOf } from './alert.ts';
import type { AlertService } from './alert-service.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { ChannelFailure } from './channel-states.ts';
import { collectFindings, stillWithoutVault } from './collect-findings.ts';
import {
  checkQueues,
  checkVault,
  collectHealth,
  failed,
  isStorageAway,
  type PreviewDeps,
} from './collect-health.ts';
import { inWordsOf } from './demo-findings.ts';
import { type FailingPart, type HealthFacts, silentWithoutReason } from './health-facts.ts';
import { partFailing } from './health-findings.ts';
import { partOf } from './mailbox-findings.ts';

export interface MonitorDeps extends PreviewDeps {
  seam: Seam;
  heartbeats: HeartbeatStore;
  alerts: AlertService;
  channelSecrets: ChannelSecrets;
}

export interface HealthMonitor {
  /** Checks everything, opens, repeats and closes alerts, and sends notifications. Never rejects because of an outage. */
  run(): Promise<void>;
  /**
   * Whether Postroom is ready, for an external monitor: storage and vault respond, and no critical alert is open. If the
   * monitor timer is late, this runs its checks, so that a stopped timer raises an alert.
   */
  glance(): Promise<boolean>;
}

const MINUTE = 60_000;
const CHECK_MS = 40_000;
/** Every vault request costs money. */
const VAULT_EVERY_MS = 5 * MINUTE;
const awaited: readonly TimerName[] = ['fetchMail', 'monitor', 'refreshTokens', 'reviewSecrets'];

/** Runs the health checks. State (for example, when a dependency began to fail) is per process. */
export function createHealthMonitor(deps: MonitorDeps): HealthMonitor {
  const { seam, alerts, heartbeats } = deps;
  /** Mailboxes that were silent without a reason at the last check. */
  let suspects: ReadonlySet<string> = new Set();
  let failing: readonly FailingPart[] = [];
  let vaultAskedAt: number | undefined;
  let wasVaultBusy = false;
  let withoutVault: ReadonlyMap<string, number> = new Map();
  let isExpecting = false;
  let lastRunAt: number | undefined;
  let running: Promise<void> | undefined;

  /** A fault keeps the time at which it was first found. */
  const sinceBefore = (found: readonly FailingPart[]): FailingPart[] =>
    found.map((one) => ({
      ...one,
      since: failing.find(({ part }) => part === one.part)?.since ?? one.since,
    }));

  async function collect(now: number): Promise<HealthFacts> {
    const [found, { failures }] = await Promise.all([
      withTimeout(checkStorage(now), CHECK_MS, 'table-storage'),
      deps.channelSecrets.read(),
    ]);
    const vault = isVaultWanted(found, failures, now) ? await askVault(now) : [];
    failing = sinceBefore([...found.failing, ...vault]);
    return { ...found, failing, suspects, withoutVault, channelFailures: failures };
  }

  async function checkStorage(now: number): Promise<Omit<HealthFacts, 'suspects'>> {
    if (!isExpecting) await heartbeats.expect(awaited, now);
    isExpecting = true;
    const read = await collectHealth(deps);
    return { ...read, ...(await checkQueues(deps, read, now)) };
  }

  /** A vault that throttles requests is reported after two checks in a row. */
  async function askVault(now: number): Promise<FailingPart[]> {
    const answer = await checkVault(deps, now);
    const wasBusy = wasVaultBusy;
    wasVaultBusy = answer.kind === 'busy';
    return answer.kind === 'failing' || (answer.kind === 'busy' && wasBusy) ? [answer.part] : [];
  }

  function isVaultWanted(
    { state }: Pick<HealthFacts, 'state'>,
    failures: readonly ChannelFailure[],
    now: number,
  ): boolean {
    const isSuspected =
      wasVaultBusy ||
      failures.some(({ code }) => partOf(code) === 'vault') ||
      failing.some(({ part }) => part === 'vault') ||
      [...state.failing.values()].some(({ code }) => partOf(code) === 'vault');
    if (!isSuspected && vaultAskedAt !== undefined && Math.abs(now - vaultAskedAt) < VAULT_EVERY_MS)
      return false;
    vaultAskedAt = now;
    return true;
  }

  async function runOnce(): Promise<void> {
    const now = seam.now();
    lastRunAt = now;
    try {
      const facts = await collect(now);
      const findings = collectFindings(facts, now);
      suspects = new Set(silentWithoutReason(facts, now));
      withoutVault = stillWithoutVault(facts);
      await alerts.observe({ source: 'watch', findings });
      await alerts.deliver();
    } catch (error) {
      if (!isStorageAway(error)) throw error;
      log.error('storage is away', error);
      failing = sinceBefore([failed('storage', error, now)]);
      await alerts.keepInMemory(
        inWordsOf(deps.config, { mailboxes: [], providers: [] }, failing.map(partFailing)),
      );
    }
  }

  const run = (): Promise<void> => {
    running ??= runOnce().finally(() => {
      running = undefined;
    });
    return running;
  };

  async function isMonitorLate(): Promise<boolean> {
    const now = seam.now();
    return lateTimers(await heartbeats.all(), now).some(({ name }) => name === 'monitor');
  }

  async function glanceOnce(): Promise<boolean> {
    if (alerts.inMemory().length > 0 || (await isMonitorLate())) {
      if (lastRunAt === undefined || Math.abs(seam.now() - lastRunAt) >= MINUTE) await run();
      if (alerts.inMemory().length > 0) return false;
    }
    const [open, vault] = await Promise.all([alerts.open(), checkVault(deps, seam.now())]);
    if (vault.kind === 'failing') log.error('not ready', new PostroomError('key-vault', vault.part.message));
    return vault.kind !== 'failing' && !open.some((alert) => shownOf(alert).severity === 'critical');
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
