import type { Account } from '../../shared/accounts/account.ts';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import { type Finding, shownOf } from '../../shared/alerts/alert.ts';
import { createAlertService } from '../../shared/alerts/alert-service.ts';
import { type ChannelSecrets, createChannelSecrets } from '../../shared/alerts/channel-secrets.ts';
import { createHealthMonitor, type HealthMonitor } from '../../shared/alerts/health-monitor.ts';
import type { Notification } from '../../shared/alerts/notification.ts';
import { createHeartbeatStore } from '../../shared/heartbeats/heartbeat-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import type { FetchFailure, Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import type { Seam, SeamPoint } from '../../shared/platform/seam.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { iso, START } from '../harness/memory/sample-findings.ts';
import { sampleProvider } from '../harness/pages/sample-postroom.ts';

export const PROVIDER = 'p'.repeat(26);
export const ACCOUNT = 'a'.repeat(26);
const MINUTE = 60_000;

/** An installation with its own clock: each minute fetches leave their results, and the monitor checks them. */
export class WatchedPostroom {
  now = START;
  /** Calls that fail. */
  broken: RegExp | undefined;
  /** The error that they fail with. */
  failure: (point: SeamPoint) => PostroomError = outage;
  /** Calls that never get a response. */
  silent: RegExp | undefined;
  /** Timers that run. */
  timers = new Set(['fetchMail', 'monitor']);
  /** Mailboxes whose fetches succeed. */
  works = new Set<string>();
  readonly told: Notification[] = [];
  readonly seam: Seam = {
    now: () => this.now,
    call: (point: SeamPoint, effect) => {
      if (this.silent?.test(point) === true) return new Promise(() => {});
      return this.broken?.test(point) === true ? Promise.reject(this.failure(point)) : effect();
    },
  };
  readonly tables = new MemoryTables(this.seam);
  readonly vault = new MemoryVault(this.seam);
  readonly queues = new MemoryQueues(this.seam);
  readonly mailboxes = createMailboxStore(this.tables);
  readonly accounts = createAccountStore(this.tables);
  readonly providers = createProviderStore(this.tables);
  readonly quarantine = createQuarantineStore(this);
  heartbeats = createHeartbeatStore(this.tables);
  readonly alerts = createAlertService({
    tables: this.tables,
    seam: this.seam,
    channels: async () => ({
      webhook: async (notification) => {
        this.told.push(notification);
      },
    }),
  });
  channelSecrets = this.#newChannelSecrets();
  watch: HealthMonitor = this.newWatch();

  /** As another process does it. */
  newWatch(): HealthMonitor {
    this.channelSecrets = this.#newChannelSecrets();
    return createHealthMonitor(this);
  }

  #newChannelSecrets(): ChannelSecrets {
    return createChannelSecrets({ vault: this.vault, seam: this.seam, config: { local: false } });
  }

  /** As on a developer's machine, where the timers run in the process itself. */
  restartHere(): void {
    this.heartbeats = createHeartbeatStore(this.tables, iso(this.now));
    this.watch = this.newWatch();
  }

  async mailbox(id: string, changes: Partial<Mailbox> = {}): Promise<void> {
    this.works.add(id);
    await this.mailboxes.save({
      id,
      address: `${id}@contoso.example`,
      protocol: 'imap',
      host: 'outlook.office365.com',
      port: 993,
      folder: 'INBOX',
      providerId: PROVIDER,
      accountId: ACCOUNT,
      enabled: true,
      intervalMinutes: 1,
      afterFetch: { kind: 'mark-seen' },
      createdAt: iso(START - 86_400_000),
      ...changes,
    });
  }

  async account(changes: Partial<Account> = {}): Promise<void> {
    await this.providers.save({ ...sampleProvider, id: PROVIDER });
    await this.accounts.save({ ...sampleAccount, stateSince: iso(this.now), ...changes } as Account);
  }

  /** Fetches of this mailbox fail from now on. */
  async stop(
    id: string,
    code: string,
    problem: string,
    state: FetchFailure['state'] = 'action-required',
  ): Promise<void> {
    this.works.delete(id);
    await this.mailboxes.setFailure(id, {
      state,
      code: codeFrom(code),
      problem,
      since: iso(this.now),
      failures: 3,
      triedAt: iso(this.now),
      nextTryAt: iso(this.now + MINUTE),
    });
  }

  async fix(id: string): Promise<void> {
    this.works.add(id);
    await this.mailboxes.setFailure(id, undefined);
  }

  async minutes(count: number): Promise<void> {
    for (let minute = 0; minute < count; minute++) {
      this.now += MINUTE;
      if (this.timers.has('fetchMail'))
        await quietly(async () => {
          await this.mailboxes.saveSuccesses(0, await this.#successes());
          await this.heartbeats.beat('fetchMail', this.now);
        });
      if (this.timers.has('monitor')) {
        await quietly(() => this.heartbeats.beat('monitor', this.now));
        await this.watch.run();
      }
    }
  }

  async #successes(): Promise<Map<string, string>> {
    const { successes } = await this.mailboxes.fetchState();
    return new Map([...successes, ...[...this.works].map((id) => [id, iso(this.now)] as const)]);
  }

  async open(): Promise<Finding[]> {
    return (await this.alerts.open()).map(shownOf);
  }

  /** `opened consent-dead`, in order. */
  heard(): string[] {
    return this.told.map(({ what, finding }) => `${what} ${finding.kind}`);
  }
}

async function quietly(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PostroomError)) throw error;
  }
}

function outage(point: SeamPoint): PostroomError {
  const code = point.startsWith('table.')
    ? 'table-storage'
    : point.startsWith('queue.')
      ? 'queue-storage'
      : 'key-vault';
  const words =
    code === 'key-vault' ? 'Key Vault did not get a secret (status 403)' : `no answer to ${point}`;
  return new PostroomError(code, words);
}

export const sampleAccount: Account = {
  providerId: PROVIDER,
  accountId: ACCOUNT,
  identity: {
    issuer: 'https://login.example',
    subject: 's',
    tenantId: undefined,
    objectId: undefined,
    user: 'sam@contoso.example',
    name: 'Sam',
  },
  user: 'sam@contoso.example',
  address: 'support@contoso.example',
  scopes: [],
  tokens: {
    access: undefined,
    accessExpiresAt: iso(START),
    receivedAt: iso(START),
    refreshAt: iso(START),
    refresh: 'sealed',
    previousRefresh: undefined,
  },
  state: 'ok',
  stateSince: iso(START),
  problem: undefined,
  retryAt: undefined,
  refusedAsOf: undefined,
  refreshBegunAt: undefined,
  consentedAt: iso(START),
  consentedBy: 'Alex',
};
