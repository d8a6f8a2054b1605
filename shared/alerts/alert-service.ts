import { mapLimited } from '../platform/concurrency.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import type { Tables } from '../platform/tables.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { type Alert, alertId, type Finding, type Observation } from './alert.ts';
import { type AlertStore, createAlertStore, type Waiting } from './alert-store.ts';
import { type Decision, decideAlerts } from './decide-alerts.ts';
import { createInMemoryAlerts, type InMemoryAlert } from './in-memory-alerts.ts';
import {
  type Channel,
  channelsFor,
  type Notification,
  nextTry,
  notificationOf,
  type Outgoing,
  type What,
} from './notification.ts';

/**
 * Sends over one channel.
 * @throws any failure: the notification is retried
 */
export type Tell = (notification: Notification) => Promise<void>;
export type Channels = Partial<Record<Channel, Tell>>;

export interface AlertService extends Pick<AlertStore, 'past' | 'deliveries'> {
  /** What is open now, as stored. */
  open(): Promise<Alert[]>;
  /**
   * Number of open alerts, from the last read or from memory, without a query; undefined before the first
   * read.
   */
  openCount(): number | undefined;
  /** Updates `openCount`, at most once a minute; while storage is unavailable, the last count stays. */
  recount(): Promise<void>;
  /**
   * Opens, repeats, changes and closes alerts according to a source's findings, and queues notifications;
   * `deliver` sends them.
   * @throws PostroomError `table-storage` when storage is unavailable: see `keepInMemory`
   */
  observe(observation: Observation): Promise<void>;
  /**
   * Sends due notifications over the available channels. A failed one is retried at later calls, with
   * growing pauses.
   */
  deliver(): Promise<void>;
  /**
   * Used when storage itself is unavailable: keeps alerts for these findings in this process and notifies
   * at once. The next `observe` that reaches storage stores them.
   */
  keepInMemory(findings: readonly Finding[]): Promise<void>;
  /** The alerts of `keepInMemory`. */
  inMemory(): readonly Alert[];
}

const TRIES = 6;
const COUNT_MS = 60_000;
const AT_ONCE = 4;

/**
 * A process may cache for ten minutes that a channel is not configured. The fourth attempt is 18 minutes
 * later.
 */
const TRIES_WITHOUT_CHANNEL = 4;

/**
 * The alerts of an installation, which several processes may keep at the same time.
 * @param deps `channels`: the channels available now, besides the pages, which read the stored alerts
 */
export function createAlertService(deps: {
  tables: Tables;
  seam: Seam;
  channels: () => Promise<Channels>;
}): AlertService {
  const { seam } = deps;
  const stored = createAlertStore(deps.tables);
  let counted: { open: ReadonlySet<string>; at: number } | undefined;
  const store: AlertStore = {
    ...stored,
    async current() {
      const now = await stored.current();
      counted = { open: new Set(now.open.map(({ key }) => key)), at: seam.now() };
      return now;
    },
  };
  const memory = createInMemoryAlerts({ seam, tell: async (one) => tell(one, await deps.channels()) });

  function outgoingOf(alert: Alert, what: What, channels: Channels): Outgoing[] {
    const notification = notificationOf(alert, what);
    return channelsFor(notification, Object.keys(channels) as Channel[]).map((channel) => ({
      notification,
      channel,
      attempts: 0,
      dueAt: notification.at,
    }));
  }

  async function tell({ notification, channel }: Outgoing, channels: Channels): Promise<boolean> {
    const { kind } = notification.finding;
    try {
      await channels[channel]?.(notification);
      log.info('notification sent', { kind, what: notification.what, channel });
      return true;
    } catch (error) {
      log.warn('notification not sent yet', {
        kind,
        what: notification.what,
        channel,
        error: describeError(error),
      });
      return false;
    }
  }

  /** In order of the events: no one is notified that an alert is resolved before being notified that it was opened. */
  async function deliverInOrder(waiting: readonly Waiting[], channels: Channels): Promise<void> {
    for (const one of waiting) {
      const { dueAt, notification } = one.outgoing;
      if (Date.parse(dueAt) > seam.now() && !isFromFuture(notification.at, seam.now())) return;
      if (!(await deliverOne(one, channels))) return;
    }
  }

  /** Whether the following ones may be sent. */
  async function deliverOne(waiting: Waiting, channels: Channels): Promise<boolean> {
    const { channel } = waiting.outgoing;
    const next = nextTry(waiting.outgoing.attempts + 1, seam.now());
    const dueAt = next ?? new Date(seam.now() + 60_000).toISOString();
    const claimed = await store.claim(waiting, dueAt);
    if (claimed === undefined) return false;
    const { notification, attempts } = claimed.outgoing;
    if (channels[channel] === undefined && attempts >= TRIES_WITHOUT_CHANNEL) {
      await store.drop(claimed);
      return true;
    }
    const done = channels[channel] !== undefined && (await tell(claimed.outgoing, channels));
    if (!done && next !== undefined) return false;
    const at = new Date(seam.now()).toISOString();
    const result = done ? 'delivered' : 'given-up';
    await store.recordDelivery(claimed, { channel, what: notification.what, at, result, attempts });
    return true;
  }

  async function carryOut(decision: Decision, channels: Channels): Promise<boolean> {
    const written = await store.apply(decision, outgoingFor(decision, channels));
    if (written && decision.kind !== 'keep') {
      if (counted !== undefined) counted = { ...counted, at: Number.NEGATIVE_INFINITY };
      const { key } = decision.alert;
      log.info(decision.kind === 'open' ? 'alert opened' : 'alert closed', { key });
    }
    return written;
  }

  function outgoingFor(decision: Decision, channels: Channels): Outgoing[] {
    switch (decision.kind) {
      case 'open':
        return outgoingOf(decision.alert, 'opened', channels);
      case 'close':
        return outgoingOf(decision.alert, 'closed', channels);
      case 'keep':
        return decision.tell === undefined ? [] : outgoingOf(decision.alert, decision.tell, channels);
    }
  }

  /** Alerts that were sent while storage was unavailable become open rows; the next observation closes or keeps them. */
  async function storeInMemoryAlerts(open: readonly Alert[]): Promise<boolean> {
    const all = await memory.take();
    const known = new Set(open.map(({ key }) => key));
    try {
      // Another process may have reported the same outage and stored it already.
      const { alerts: past } = all.length > 0 ? await store.past({ limit: 50 }) : { alerts: [] };
      const isStored = ({ alert }: InMemoryAlert): boolean =>
        known.has(alert.key) ||
        past.some(({ key, closedAt = '' }) => key === alert.key && closedAt >= alert.openedAt);
      const fresh = all.filter((one) => !isStored(one));
      for (const { alert: one, waiting, sent } of fresh) {
        // An earlier outage in the same hour, reported by another process, already has this id.
        const isTaken = past.some(({ id }) => id === one.id);
        const alert = isTaken ? { ...one, id: alertId(one.openedAt, one.key) } : one;
        await store.apply({ kind: 'open', alert }, waiting, sent);
      }
      return fresh.length > 0;
    } catch (error) {
      memory.giveBack(all);
      throw error;
    }
  }

  return {
    past: store.past,
    deliveries: store.deliveries,
    inMemory: () => memory.all().map(({ alert }: InMemoryAlert) => alert),
    async open() {
      return (await store.current()).open;
    },
    openCount() {
      if (counted === undefined) return undefined;
      return new Set([...counted.open, ...memory.all().map(({ alert }) => alert.key)]).size;
    },
    async recount() {
      const age = seam.now() - (counted?.at ?? Number.NEGATIVE_INFINITY);
      // If the clock was set back, the count's age is unknown.
      if (age >= 0 && age < COUNT_MS) return;
      try {
        await store.current();
      } catch (error) {
        counted = { open: counted?.open ?? new Set(), at: seam.now() };
        log.warn('alerts not counted', { error: describeError(error) });
      }
    },
    async observe(observation) {
      for (let attempt = 1; ; attempt++) {
        const { open } = await store.current();
        if (await storeInMemoryAlerts(open)) continue;
        const decisions = decideAlerts(open, observation, seam.now());
        // Channels are only needed when something has to be sent: without decisions, the vault is not
        // called.
        const channels = decisions.length > 0 ? await deps.channels() : {};
        const written = await mapLimited(decisions, AT_ONCE, (decision) => carryOut(decision, channels));
        if (written.every(Boolean)) return;
        // Another run decided at the same time. Read what it wrote, and do the rest.
        if (attempt >= TRIES)
          throw new PostroomError('alerts-busy', 'Too many runs change the alerts at the same time');
      }
    },
    async deliver() {
      const { waiting } = await store.current();
      const lines = Map.groupBy(
        waiting,
        ({ outgoing }) => `${outgoing.channel} ${outgoing.notification.key}`,
      );
      const inOrder = [...lines.values()].map((line) =>
        line.toSorted((a, b) => (notificationOrder(a) < notificationOrder(b) ? -1 : 1)),
      );
      if (inOrder.length === 0) return;
      const channels = await deps.channels();
      await mapLimited(inOrder, AT_ONCE, (line) => deliverInOrder(line, channels));
    },
    async keepInMemory(findings) {
      const channels = await deps.channels();
      await memory.keep(findings, (alert, what) => outgoingOf(alert, what, channels));
    },
  };
}

const notificationOrder = ({ outgoing: { notification } }: Waiting): string =>
  `${notification.at} ${notification.id}`;
