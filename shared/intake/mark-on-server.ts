import { actionOf, type Refusal } from '../mailboxes/cursor.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MessageRef } from '../mailboxes/message-ref.ts';
import { log } from '../platform/log.ts';
import { Renumbered } from './fetch-session.ts';

/**
 * Marking later only costs a repeated listing; marking two batches with one command saves two round trips.
 */
const MARKED_AT_ONCE = 100;
/** Sessions that may fail over marking in one fetch; then the fetch continues without marking. */
const BREAKS = 2;
/**
 * Step 7, the last: marks, moves or deletes only stored messages, and only while their refs are still valid.
 * Storing never depends on it: if the server refuses, that is recorded and the fetch continues.
 */
export class ServerMarker {
  readonly #mailbox: Mailbox;
  readonly #now: () => number;
  readonly #listed: string;
  readonly #before: Refusal | undefined;
  readonly #added: MessageRef[] = [];
  readonly #unmarked: MessageRef[] = [];
  readonly #spared = new Set<MessageRef>();
  #refusal: Refusal | undefined;
  #worked = false;
  #breaks = 0;

  /** @param listed digest of this fetch's listing */
  constructor(mailbox: Mailbox, before: Refusal | undefined, listed: string, now: () => number) {
    this.#mailbox = mailbox;
    this.#listed = listed;
    this.#before = before;
    this.#now = now;
  }

  /** Messages that are deleted from the server, or still to be deleted. */
  get deleted(): MessageRef[] {
    if (this.#mailbox.afterFetch.kind !== 'delete') return [];
    return this.#added.filter((ref) => !this.#spared.has(ref));
  }

  /** The refusal to save at the end of the fetch. */
  get refusal(): Refusal | undefined {
    if (this.#refusal !== undefined || this.#worked) return this.#refusal;
    return this.#before?.action === actionOf(this.#mailbox) ? this.#before : undefined;
  }

  /**
   * Queues processed messages for the next marking.
   * @param isSpared deliberately not imported: if stored email is deleted, these are only marked as read, so
   * that they can still be found on the server
   */
  add(refs: readonly MessageRef[], { isSpared }: { isSpared: boolean }): void {
    this.#added.push(...refs);
    this.#unmarked.push(...refs);
    if (isSpared) for (const ref of refs) this.#spared.add(ref);
  }

  /** Marks if many are queued. @returns why the session failed, if it did; @throws Renumbered */
  async markMany(inbox: Inbox): Promise<InboxError | undefined> {
    return this.#unmarked.length >= MARKED_AT_ONCE ? this.markAll(inbox) : undefined;
  }

  /** Marks all that are queued. @returns why the session failed, if it did; @throws Renumbered */
  async markAll(inbox: Inbox): Promise<InboxError | undefined> {
    // More may be added meanwhile.
    const refs = this.#unmarked.splice(0);
    if (refs.length === 0 || this.#refusal !== undefined || this.#breaks >= BREAKS) return undefined;
    try {
      await mark(inbox, this.#mailbox, refs, this.#spared);
      this.#worked = true;
      return undefined;
    } catch (error) {
      if (!(error instanceof InboxError) || error instanceof Renumbered) throw error;
      if (error.failure !== 'refused') {
        this.#breaks += 1;
        this.#unmarked.unshift(...refs);
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
  }
}

async function mark(
  inbox: Inbox,
  { afterFetch }: Mailbox,
  refs: readonly MessageRef[],
  spared: ReadonlySet<MessageRef>,
): Promise<void> {
  if (afterFetch.kind === 'leave') return;
  if ((await inbox.currentValidity()) !== inbox.validity) throw new Renumbered();
  switch (afterFetch.kind) {
    case 'mark-seen':
    case 'delete-later':
      return inbox.markSeen(refs);
    case 'move':
      return inbox.move(refs, afterFetch.folder);
    case 'delete': {
      const seen = refs.filter((ref) => spared.has(ref));
      const deleted = refs.filter((ref) => !spared.has(ref));
      if (seen.length > 0) await inbox.markSeen(seen);
      if (deleted.length > 0) await inbox.remove(deleted);
    }
  }
}
