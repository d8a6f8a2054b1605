import type { GraphClient } from './graph-client.ts';
import { GraphRefusal } from './graph-errors.ts';
import { type GraphMessage, MESSAGE_FIELDS, readPage } from './graph-messages.ts';
import type { DeltaLinks } from './graph-position.ts';

/**
 * The tracking with a filter looks back this far for messages whose time of receipt is older than their arrival
 * in the folder.
 */
const LOOK_BACK_MS = 24 * 3_600_000;
/** Pages of the tracking without a filter that one listing reads: in a large folder, it is spread over many. */
const PAGES_AT_ONCE = 4;

export interface Tracking {
  reached: DeltaLinks;
  /** Messages that came since the start of the tracking. */
  found: GraphMessage[];
  /** The server's time before it was asked: seconds since the epoch. */
  takenAt: number;
}

/** @param folder path of the folder's resource */
const deltaPath = (folder: string, filter: string): string =>
  `${folder}/messages/delta?changeType=created${filter}&${MESSAGE_FIELDS}`;

/**
 * Starts tracking now. The tracking of a whole folder begins with a listing of all its messages, so it starts with
 * a filter, in one or two requests, and the other replaces it later: with a filter Graph returns at most 5,000
 * messages. https://learn.microsoft.com/graph/delta-query-messages
 * @param now milliseconds since the epoch
 */
export async function startTracking(client: GraphClient, folder: string, now: number): Promise<Tracking> {
  const since = `${new Date(now - LOOK_BACK_MS).toISOString().slice(0, 19)}Z`;
  const filter = `&$filter=receivedDateTime%20ge%20${since}`;
  const { link, takenAt } = await follow(client, deltaPath(folder, filter));
  return { reached: { link, next: deltaPath(folder, '') }, found: [], takenAt };
}

/** Continues a tracking. Undefined: its state is gone, so that it has to start again. */
export async function continueTracking(client: GraphClient, from: DeltaLinks): Promise<Tracking | undefined> {
  try {
    // First: what comes after this tracking took over is still found by the one that it replaces.
    const next = from.next === undefined ? undefined : await advance(client, from.next);
    const { link, found, takenAt } = await follow(client, from.link);
    const reached =
      next?.isComplete === true ? { link: next.path } : { link, ...(next && { next: next.path }) };
    return { reached, found, takenAt };
  } catch (error) {
    if (error instanceof GraphRefusal && error.isExpiredLink) return undefined;
    throw error;
  }
}

/** Follows the pages to the link for later changes. */
async function follow(
  client: GraphClient,
  path: string,
): Promise<{ link: string; found: GraphMessage[]; takenAt: number }> {
  const found: GraphMessage[] = [];
  let takenAt: number | undefined;
  for (let next = path; ; ) {
    const page = await readPage(client, 'delta', next);
    found.push(...page.messages);
    takenAt ??= Math.floor(page.date / 1000);
    if (page.later !== undefined) return { link: page.later, found, takenAt };
    if (page.next === undefined) throw new GraphRefusal(502, '', 'a page of changes without a link');
    next = page.next;
  }
}

/** Follows a few pages and ignores the messages on them. */
async function advance(client: GraphClient, path: string): Promise<{ path: string; isComplete: boolean }> {
  let reached = path;
  for (let count = 0; count < PAGES_AT_ONCE; count += 1) {
    const { next, later } = await readPage(client, 'delta', reached);
    if (later !== undefined) return { path: later, isComplete: true };
    if (next === undefined) throw new GraphRefusal(502, '', 'a page of changes without a link');
    reached = next;
  }
  return { path: reached, isComplete: false };
}
