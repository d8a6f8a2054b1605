import { actionOf, type Refusal } from '../mailboxes/cursor.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { log } from '../platform/log.ts';
import { Renumbered } from './fetch-session.ts';

/** Marking later costs nothing but a repeated look; marking two batches with one command saves two round trips. */
const MARKED_AT_ONCE = 100;
/** Sessions that may break off over marking in one fetch; then the fetch goes on without. */
const BREAKS = 2;
/**
 * Step 7, last of all: only what is stored is marked, moved or deleted, and only while UIDs still mean what they meant.
 * Storing never depends on it: a server that refuses it is noted, and the fetch goes on.
 */
export class ServerMarker {
  readonly #mailbox: Mailbox;
  readonly #now: () => number;
  readonly #listed: string;
  readonly #before: Refusal | undefined;
  readonly #spared = new Set<number>();
  #unmarked: number[] = [];
  #refusal: Refusal | undefined;
  #worked = false;
  #breaks = 0;

  /** @param listed digest of the UIDs that this fetch's search listed */
  constructor(mailbox: Mailbox, before: Refusal | undefined, listed: string, now: () => number) {
    this.#mailbox = mailbox;
    this.#listed = listed;
    this.#before = before;
    this.#now = now;
  }

  /** How it stands at the end of the fetch. */
  get refusal(): Refusal | undefined {
    if (this.#refusal !== undefined || this.#worked) return this.#refusal;
    return this.#before?.action === actionOf(this.#mailbox) ? this.#before : undefined;
  }

  /** Skipped on purpose: where stored mail is deleted, these are marked as read, so that they can still be found there. */
  spare(uids: readonly number[]): void {
    for (const uid of uids) this.#spared.add(uid);
  }

  /** Stored, and to be marked with the next ones. */
  hold(uids: readonly number[]): void {
    this.#unmarked.push(...uids);
  }

  /** Stored, and to be marked. @returns why the session broke off, if it did; @throws Renumbered */
  async add(uids: readonly number[], inbox: Inbox): Promise<InboxError | undefined> {
    this.hold(uids);
    return this.#unmarked.length >= MARKED_AT_ONCE ? this.flush(inbox) : undefined;
  }

  /** Marks what is left. @returns why the session broke off, if it did; @throws Renumbered */
  async flush(inbox: Inbox): Promise<InboxError | undefined> {
    if (this.#refusal !== undefined || this.#breaks >= BREAKS) this.#unmarked = [];
    if (this.#unmarked.length === 0) return undefined;
    try {
      await mark(inbox, this.#mailbox, this.#unmarked, this.#spared);
      this.#unmarked = [];
      this.#worked = true;
      return undefined;
    } catch (error) {
      if (!(error instanceof InboxError) || error instanceof Renumbered) throw error;
      if (error.failure !== 'refused') {
        this.#breaks += 1;
        return error;
      }
      this.#refuse(error);
      return undefined;
    }
  }

  #refuse({ message, code }: InboxError): void {
    const [action, now] = [actionOf(this.#mailbox), new Date(this.#now()).toISOString()];
    const since = this.#before?.action === action ? this.#before.since : now;
    log.warn('stored mail not marked', {
      mailbox: this.#mailbox.id,
      code,
      action: this.#mailbox.afterFetch.kind,
    });
    this.#refusal = { action, problem: message.slice(0, 500), since, triedAt: now, listed: this.#listed };
    this.#unmarked = [];
  }
}

async function mark(
  inbox: Inbox,
  { afterFetch }: Mailbox,
  uids: readonly number[],
  spared: ReadonlySet<number>,
): Promise<void> {
  if (afterFetch.kind === 'leave') return;
  if ((await inbox.currentUidValidity()) !== inbox.uidValidity) throw new Renumbered();
  switch (afterFetch.kind) {
    case 'mark-seen':
    case 'delete-later':
      return inbox.markSeen(uids);
    case 'move':
      return inbox.move(uids, afterFetch.folder);
    case 'delete': {
      const kept = uids.filter((uid) => spared.has(uid));
      const deleted = uids.filter((uid) => !spared.has(uid));
      if (kept.length > 0) await inbox.markSeen(kept);
      if (deleted.length > 0) await inbox.remove(deleted);
    }
  }
}
