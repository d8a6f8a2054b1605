import type { Seam } from '../platform/seam.ts';
import { decideAlerts } from './decide-alerts.ts';
import { type Finding, type Alert, alertId } from './alert.ts';
import type { Sent } from './alert-store.ts';
import { nextTry, type Outgoing, type What } from './notification.ts';

/** An alert in memory, with its sent and pending notifications. */
export interface InMemoryAlert {
  alert: Alert;
  waiting: Outgoing[];
  sent: Sent[];
}

export interface InMemoryAlerts {
  hold(findings: readonly Finding[], outgoingOf: (alert: Alert, what: What) => Outgoing[]): Promise<void>;
  all(): readonly InMemoryAlert[];
  /** Returns everything and clears it, after notifications in progress have been sent: nothing is sent twice. */
  take(): Promise<InMemoryAlert[]>;
  giveBack(held: readonly InMemoryAlert[]): void;
}

/** Alerts of a process that cannot reach storage. They follow the same rules and are sent immediately. */
export function createInMemoryAlerts(deps: {
  seam: Seam;
  tell: (outgoing: Outgoing) => Promise<boolean>;
}): InMemoryAlerts {
  const { seam, tell } = deps;
  let all = new Map<string, InMemoryAlert>();
  let running = Promise.resolve();
  /** Given by this process: another outage of the same hour is another one. */
  const names = new Set<string>();

  /**
   * Processes that cannot reach storage know nothing of each other. The name that the same outage has in all of them,
   * and after a restart, lets a receiver take what they tell for one and the same.
   */
  function named(alert: Alert): Alert {
    const id = alertId(`${alert.openedAt.slice(0, 13)}:00:00.000Z`, alert.key);
    if (names.has(id)) return alert;
    names.add(id);
    return { ...alert, id };
  }

  async function tellDue(held: InMemoryAlert): Promise<void> {
    const now = new Date(seam.now()).toISOString();
    for (const outgoing of held.waiting.filter(({ dueAt }) => dueAt <= now)) {
      const attempts = outgoing.attempts + 1;
      const done = await tell(outgoing);
      const next = nextTry(attempts, seam.now());
      held.waiting.splice(held.waiting.indexOf(outgoing), 1);
      if (!done && next !== undefined) held.waiting.push({ ...outgoing, attempts, dueAt: next });
      else {
        const { channel, notification } = outgoing;
        const at = new Date(seam.now()).toISOString();
        const result = done ? 'delivered' : 'given-up';
        held.sent.push({
          notificationId: notification.id,
          delivery: { channel, what: notification.what, at, result, attempts },
        });
      }
    }
  }

  return {
    async hold(findings, outgoingOf) {
      const open = [...all.values()].map(({ alert }) => alert);
      for (const decision of decideAlerts(open, { source: 'watch', findings }, seam.now())) {
        const { alert } = decision;
        // Nothing closes here: that it is over is known when storage is back, and then it is stored first.
        if (decision.kind === 'open') {
          const own = named(alert);
          all.set(alert.key, { alert: own, waiting: outgoingOf(own, 'opened'), sent: [] });
        }
        const before = all.get(alert.key);
        if (decision.kind === 'keep' && before !== undefined) {
          before.alert = alert;
          if (decision.tell !== undefined) before.waiting.push(...outgoingOf(alert, decision.tell));
        }
      }
      // One at a time: a notification that takes long is not begun a second time by the next minute's run.
      running = running.then(async () => {
        for (const held of all.values()) await tellDue(held);
      });
      await running;
    },
    all: () => [...all.values()],
    async take() {
      for (let told: unknown; told !== running; ) {
        told = running;
        await running;
      }
      const taken = [...all.values()];
      all = new Map();
      return taken;
    },
    giveBack(held) {
      for (const one of held) if (!all.has(one.alert.key)) all.set(one.alert.key, one);
    },
  };
}
