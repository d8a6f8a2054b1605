import type { Seam } from '../platform/seam.ts';
import { decideNotices } from './decide-notices.ts';
import { type Condition, type Notice, noticeId } from './notice.ts';
import type { Sent } from './notice-store.ts';
import { nextTry, type Outgoing, type What } from './telling.ts';

/** A notice in memory, with what of it was told and what still is to be. */
export interface HeldNotice {
  notice: Notice;
  waiting: Outgoing[];
  sent: Sent[];
}

export interface HeldNotices {
  hold(
    conditions: readonly Condition[],
    outgoingOf: (notice: Notice, what: What) => Outgoing[],
  ): Promise<void>;
  all(): readonly HeldNotice[];
  /** Hands everything over and forgets it, once what is just being told has been told: nothing of it is told twice. */
  take(): Promise<HeldNotice[]>;
  giveBack(held: readonly HeldNotice[]): void;
}

/** Notices of a process that cannot reach storage. They follow the same rules, and are told straight away. */
export function createHeldNotices(deps: {
  seam: Seam;
  tell: (outgoing: Outgoing) => Promise<boolean>;
}): HeldNotices {
  const { seam, tell } = deps;
  let all = new Map<string, HeldNotice>();
  let running = Promise.resolve();
  /** Given by this process: another outage of the same hour is another one. */
  const names = new Set<string>();

  /**
   * Processes that cannot reach storage know nothing of each other. The name that the same outage has in all of them,
   * and after a restart, lets a receiver take what they tell for one and the same.
   */
  function named(notice: Notice): Notice {
    const id = noticeId(`${notice.openedAt.slice(0, 13)}:00:00.000Z`, notice.key);
    if (names.has(id)) return notice;
    names.add(id);
    return { ...notice, id };
  }

  async function tellDue(held: HeldNotice): Promise<void> {
    const now = new Date(seam.now()).toISOString();
    for (const outgoing of held.waiting.filter(({ dueAt }) => dueAt <= now)) {
      const attempts = outgoing.attempts + 1;
      const done = await tell(outgoing);
      const next = nextTry(attempts, seam.now());
      held.waiting.splice(held.waiting.indexOf(outgoing), 1);
      if (!done && next !== undefined) held.waiting.push({ ...outgoing, attempts, dueAt: next });
      else {
        const { channel, telling } = outgoing;
        const at = new Date(seam.now()).toISOString();
        const result = done ? 'delivered' : 'given-up';
        held.sent.push({
          tellingId: telling.id,
          delivery: { channel, what: telling.what, at, result, attempts },
        });
      }
    }
  }

  return {
    async hold(conditions, outgoingOf) {
      const open = [...all.values()].map(({ notice }) => notice);
      for (const decision of decideNotices(open, { source: 'watch', conditions }, seam.now())) {
        const { notice } = decision;
        // Nothing closes here: that it is over is known when storage is back, and then it is stored first.
        if (decision.kind === 'open') {
          const own = named(notice);
          all.set(notice.key, { notice: own, waiting: outgoingOf(own, 'opened'), sent: [] });
        }
        const before = all.get(notice.key);
        if (decision.kind === 'keep' && before !== undefined) {
          before.notice = notice;
          if (decision.tell !== undefined) before.waiting.push(...outgoingOf(notice, decision.tell));
        }
      }
      // One at a time: a telling that takes long is not begun a second time by the next minute's run.
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
      for (const one of held) if (!all.has(one.notice.key)) all.set(one.notice.key, one);
    },
  };
}
