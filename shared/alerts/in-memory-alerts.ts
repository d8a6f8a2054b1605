import type { Seam } from '../platform/seam.ts';
import { type Alert, alertId, type Finding } from './alert.ts';
import type { Sent } from './alert-store.ts';
import { decideAlerts } from './decide-alerts.ts';
import { nextTry, type Outgoing, type What } from './notification.ts';

/** An alert in memory, with its sent and pending notifications. */
export interface InMemoryAlert {
  alert: Alert;
  waiting: Outgoing[];
  sent: Sent[];
}

export interface InMemoryAlerts {
  keep(findings: readonly Finding[], outgoingOf: (alert: Alert, what: What) => Outgoing[]): Promise<void>;
  all(): readonly InMemoryAlert[];
  /** Returns everything and clears it, after notifications in progress have been sent: nothing is sent twice. */
  take(): Promise<InMemoryAlert[]>;
  giveBack(alerts: readonly InMemoryAlert[]): void;
}

/** Alerts of a process that cannot reach storage. They follow the same rules and are sent immediately. */
export function createInMemoryAlerts(deps: {
  seam: Seam;
  tell: (outgoing: Outgoing) => Promise<boolean>;
}): InMemoryAlerts {
  const { seam, tell } = deps;
  let all = new Map<string, InMemoryAlert>();
  let running = Promise.resolve();
  /** IDs assigned by this process: a second outage in the same hour gets another one. */
  const names = new Set<string>();

  /**
   * Processes that can't reach storage don't know of each other. They all give the same outage the same ID,
   * even after a restart, so that a receiver can recognize duplicates.
   */
  function named(alert: Alert): Alert {
    const id = alertId(`${alert.openedAt.slice(0, 13)}:00:00.000Z`, alert.key);
    if (names.has(id)) return alert;
    names.add(id);
    return { ...alert, id };
  }

  async function sendDue(one: InMemoryAlert): Promise<void> {
    const now = new Date(seam.now()).toISOString();
    for (const outgoing of one.waiting.filter(({ dueAt }) => dueAt <= now)) {
      const attempts = outgoing.attempts + 1;
      const done = await tell(outgoing);
      const next = nextTry(attempts, seam.now());
      one.waiting.splice(one.waiting.indexOf(outgoing), 1);
      if (!done && next !== undefined) one.waiting.push({ ...outgoing, attempts, dueAt: next });
      else {
        const { channel, notification } = outgoing;
        const at = new Date(seam.now()).toISOString();
        const result = done ? 'delivered' : 'given-up';
        one.sent.push({
          notificationId: notification.id,
          delivery: { channel, what: notification.what, at, result, attempts },
        });
      }
    }
  }

  return {
    async keep(findings, outgoingOf) {
      const open = [...all.values()].map(({ alert }) => alert);
      for (const decision of decideAlerts(open, { source: 'watch', findings }, seam.now())) {
        const { alert } = decision;
        // Nothing closes here: whether it is over is only known when storage is back, and then the alert is
        // stored first.
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
      // One at a time, so that a slow notification is not sent again by the next minute's run.
      running = running.then(async () => {
        for (const one of all.values()) await sendDue(one);
      });
      await running;
    },
    all: () => [...all.values()],
    async take() {
      for (let seen: unknown; seen !== running; ) {
        seen = running;
        await running;
      }
      const taken = [...all.values()];
      all = new Map();
      return taken;
    },
    giveBack(alerts) {
      for (const one of alerts) if (!all.has(one.alert.key)) all.set(one.alert.key, one);
    },
  };
}
