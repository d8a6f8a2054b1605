import { z } from 'zod';
import { queueTask } from '../intake/fetch-again.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import { claimedMailbox, isKnown } from './client-state.ts';
import type { LifecycleEvent } from './decide-push.ts';
import { type JoinDeps, queueFetchFor, shareRuns } from './join-events.ts';
import type { PushStore } from './push-records.ts';
import type { Push } from './subscription.ts';

/**
 * One event of a request, reduced to what Postroom reads of it. What it says about the email is never looked at:
 * https://learn.microsoft.com/graph/api/resources/changenotification
 */
const event = z.object({
  subscriptionId: z.string().max(200),
  clientState: z.string().max(200),
  lifecycleEvent: z.string().max(100).optional(),
});
type Event = z.infer<typeof event>;

const request = z.object({ value: z.array(z.unknown()) });

/** Events about more mailboxes than this are ignored: each costs a read, and anyone may send a request. */
const MAX_MAILBOXES = 100;
const AT_ONCE = 8;

/** How many events a request contained that are ours, and how many that are not. */
export interface ReceivedEvents {
  accepted: number;
  refused: number;
}

export interface EventReceiver {
  /**
   * Answers the events of one request: each one's mailbox is fetched, or its subscription renewed. Events whose
   * clientState is not ours are only counted.
   * @param body as received, of at most some tens of kilobytes
   * @throws PostroomError if storage is unavailable; then Graph has to send the events again
   */
  receive(body: string): Promise<ReceivedEvents>;
}

/** Created once per process, so that simultaneous events share their reads and writes. */
export function createEventReceiver(
  deps: JoinDeps & { push: Pick<PushStore, 'get' | 'getWake' | 'claimWake' | 'saveWake'> },
): EventReceiver {
  const read = shareRuns((mailboxId) => readPush(deps.push, mailboxId));
  const fetch = shareRuns((mailboxId) => queueFetchFor(deps, mailboxId));

  async function accept(mailboxId: string, events: readonly Event[]): Promise<number> {
    const push = await read(mailboxId);
    const ours = events.filter(({ clientState }) => isKnown(clientState, push?.clientStates ?? []));
    const lifecycle = new Set(ours.flatMap((one) => lifecycleOf(one, push)));
    const isNews = ours.some(({ lifecycleEvent }) => !isLifecycle(lifecycleEvent));
    if (isNews) await fetch(mailboxId);
    for (const kind of lifecycle) await queueTask(deps.queues, mailboxId, { kind: 'keep-push', event: kind });
    return ours.length;
  }

  return {
    async receive(body) {
      const { all, events } = eventsIn(body);
      const groups = Map.groupBy(events, ({ clientState }) => claimedMailbox(clientState));
      groups.delete(undefined);
      const claimed = [...groups].slice(0, MAX_MAILBOXES);
      const counts = await mapLimited(claimed, AT_ONCE, ([mailboxId = '', own]) => accept(mailboxId, own));
      const accepted = counts.reduce((sum, count) => sum + count, 0);
      return { accepted, refused: all - accepted };
    },
  };
}

/** A row that can't be read is set up again by the monitor; until then its events are refused. */
async function readPush(push: Pick<PushStore, 'get'>, mailboxId: string): Promise<Push | undefined> {
  try {
    return (await push.get(mailboxId))?.record;
  } catch (error) {
    if (error instanceof PostroomError && error.code === 'bad-row') return undefined;
    throw error;
  }
}

/** Every entry counts, at least one: a body that is no request at all counts as one forged event. Pure. */
function eventsIn(body: string): { all: number; events: Event[] } {
  const entries = request.safeParse(jsonOf(body)).data?.value ?? [];
  return {
    all: Math.max(1, entries.length),
    events: entries.flatMap((one) => event.safeParse(one).data ?? []),
  };
}

const isLifecycle = (name: string | undefined): name is LifecycleEvent =>
  name === 'reauthorizationRequired' || name === 'subscriptionRemoved';

/**
 * A late event about a subscription that was replaced since says nothing about the present one. Every other
 * name, such as `missed`, only means: look.
 */
function lifecycleOf({ lifecycleEvent, subscriptionId }: Event, push: Push | undefined): LifecycleEvent[] {
  const isPresent = push?.subscription?.subscriptionId === subscriptionId;
  return isPresent && isLifecycle(lifecycleEvent) ? [lifecycleEvent] : [];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
