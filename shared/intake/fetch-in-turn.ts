import type { Cursor } from '../mailboxes/cursor.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchDeps, type FetchResult, fetchMailbox, type TimeBox } from './fetch-mailbox.ts';
import { lookAtMailbox } from './look-at-mailbox.ts';
import { paceByHost } from './look-pacing.ts';
import { takeMail } from './take-mail.ts';
import { Turns } from './turns.ts';

/** Mailboxes of a shard from which mail is imported at once. */
const TAKES_AT_ONCE = 8;

/** Fetches a mailbox of a shard; undefined if its turn to import did not come in time. */
export type FetchInTurn = (
  deps: FetchDeps,
  mailbox: Mailbox,
  cursor: Cursor | undefined,
  /** `rank`: the lowest is the first to get a turn. */
  box: TimeBox & { cut: AbortSignal; rank: number },
) => Promise<FetchResult | undefined>;

/**
 * Fetches mailboxes in two phases: looks at all of them at once, since a look only waits for the server, and
 * imports from a few. A look that found something keeps its session if a turn is free. Otherwise it closes it and
 * looks again in its turn: servers end sessions that do nothing, and a hundred open ones cost memory.
 */
export function fetchInTurns(): FetchInTurn {
  const paced = paceByHost();
  const turns = new Turns(TAKES_AT_ONCE);
  return async (deps, mailbox, cursor, { rank, ...box }) => {
    const timeBox = { ...box, isAwaited: () => turns.isAwaited };
    const look = await paced(mailbox.host, () => lookAtMailbox(deps, mailbox, cursor, timeBox));
    if (look.kind !== 'found') return look;
    const isMyTurn = turns.tryBegin();
    if (!isMyTurn) {
      await look.session.close();
      if (!(await turns.begin(rank, box.cut))) return undefined;
    }
    try {
      if (isMyTurn) return await takeMail(deps, mailbox, look, timeBox);
      if (deps.seam.now() >= box.deadline) return undefined;
      return await fetchMailbox(deps, mailbox, cursor, timeBox);
    } finally {
      turns.end();
    }
  };
}
