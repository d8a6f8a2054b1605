import { createHash } from 'node:crypto';
import type { UnfetchedMessage } from '../mailboxes/cursor.ts';
import {
  fingerprintOf,
  type MessageIdentity,
  type MessageMeta,
  type MessageRef,
} from '../mailboxes/message-ref.ts';
import { placesOfRef, type RefScope } from './ledger.ts';
import { limits } from './plan-batches.ts';
import type { NewEntry } from './quarantine-store.ts';

/** A listed message; the server may not report its metadata. */
export type ListedMessage = MessageMeta | Pick<MessageMeta, 'ref'>;

const identityOf = (message: ListedMessage): MessageIdentity => ({
  ref: message.ref,
  fingerprint: 'size' in message ? fingerprintOf(message) : '',
});

/**
 * Messages that the server lists but that could not be fetched or stored, with their attempts. A fetch counts
 * at most one attempt per message; after three the message goes to quarantine, where a person sees it.
 */
export class UnfetchedList {
  readonly #entries: Map<MessageRef, UnfetchedMessage>;
  readonly #counted = new Map<MessageRef, UnfetchedMessage | undefined>();
  readonly #problems = new Map<MessageRef, string>();

  constructor(before: readonly UnfetchedMessage[]) {
    this.#entries = new Map(before.map((each) => [each.ref, each]));
  }

  get list(): UnfetchedMessage[] {
    return [...this.#entries.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  }

  /** Whether this very message was tried before and failed. */
  has(message: ListedMessage): boolean {
    return this.#known(message) !== undefined;
  }

  isSpent(message: ListedMessage): boolean {
    return (this.#known(message)?.attempts ?? 0) >= limits.attempts;
  }

  /** Counts one attempt, once per fetch. @param now ISO time */
  count(message: ListedMessage, failed: UnfetchedMessage['failed'], now: string, problem?: string): void {
    const { ref } = message;
    const known = this.#known(message);
    if (problem !== undefined) this.#problems.set(ref, problem);
    const isNew = !this.#counted.has(ref);
    if (isNew) this.#counted.set(ref, known);
    const attempts = (known?.attempts ?? 0) + (isNew ? 1 : 0);
    this.#entries.set(ref, { ...identityOf(message), attempts, since: known?.since ?? now, failed });
  }

  /** Reverts the attempt counted in this fetch: the message was not at fault. */
  revert({ ref }: ListedMessage): void {
    if (!this.#counted.has(ref)) return;
    const before = this.#counted.get(ref);
    this.#counted.delete(ref);
    if (before === undefined) this.#entries.delete(ref);
    else this.#entries.set(ref, before);
  }

  /** Removes a message that was imported or is gone. */
  forget(ref: MessageRef): void {
    this.#entries.delete(ref);
  }

  /** The messages that are not tried again, with their quarantine entries. */
  spent(
    scope: RefScope,
    known: ReadonlyMap<MessageRef, MessageMeta>,
  ): { left: MessageIdentity; entry: NewEntry }[] {
    return this.list
      .filter(({ attempts }) => attempts >= limits.attempts)
      .map(({ ref, fingerprint, since, failed }) => {
        const meta = known.get(ref);
        const place = `${placesOfRef(scope, ref)}${fingerprint}`;
        const problem = this.#problems.get(ref);
        return {
          left: { ref, fingerprint },
          entry: {
            kind: 'quarantined',
            reason:
              failed === 'download'
                ? `the mail server lists this message but did not return it in ${limits.attempts} attempts; it is still there, unread`
                : `it could not be stored${problem === undefined ? '' : `: ${problem}`}; it is still on the mail server, unread`,
            at: meta?.receivedAt ?? since,
            from: undefined,
            subject: undefined,
            messageId: meta?.messageId || undefined,
            size: meta?.size ?? 0,
            rawBlob: undefined,
            contentKey: createHash('sha256').update(`unfetched ${place}`).digest('hex'),
            place,
          },
        };
      });
  }

  #known(message: ListedMessage): UnfetchedMessage | undefined {
    const known = this.#entries.get(message.ref);
    // An entry without a fingerprint (the server reported no metadata) may be any message.
    return known?.fingerprint === '' || known?.fingerprint === identityOf(message).fingerprint
      ? known
      : undefined;
  }
}
