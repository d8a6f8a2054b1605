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

/** A message of which the server may tell no more than that it is there. */
export type ListedMessage = MessageMeta | Pick<MessageMeta, 'ref'>;

const identityOf = (message: ListedMessage): MessageIdentity => ({
  ref: message.ref,
  fingerprint: 'size' in message ? fingerprintOf(message) : '',
});

/**
 * What the server lists and could not be taken, with how often each was tried. A fetch counts one attempt at most; three
 * end it, and a person sees the message in quarantine.
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

  /** Whether this very message was tried before and not taken. */
  has(message: ListedMessage): boolean {
    return this.#known(message) !== undefined;
  }

  isSpent(message: ListedMessage): boolean {
    return (this.#known(message)?.attempts ?? 0) >= limits.attempts;
  }

  /** One attempt more, once in this fetch. @param now ISO time */
  count(message: ListedMessage, failed: UnfetchedMessage['failed'], now: string, problem?: string): void {
    const { ref } = message;
    const known = this.#known(message);
    if (problem !== undefined) this.#problems.set(ref, problem);
    const isNew = !this.#counted.has(ref);
    if (isNew) this.#counted.set(ref, known);
    const attempts = (known?.attempts ?? 0) + (isNew ? 1 : 0);
    this.#entries.set(ref, { ...identityOf(message), attempts, since: known?.since ?? now, failed });
  }

  /** It was no fault of the message: the attempt counted in this fetch is taken back. */
  takeBack({ ref }: ListedMessage): void {
    if (!this.#counted.has(ref)) return;
    const before = this.#counted.get(ref);
    this.#counted.delete(ref);
    if (before === undefined) this.#entries.delete(ref);
    else this.#entries.set(ref, before);
  }

  /** It was taken, or is gone. */
  forget(ref: MessageRef): void {
    this.#entries.delete(ref);
  }

  /** Those that are not tried again, as they stand in quarantine. */
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
                ? `the mail server lists this message and cannot hand it out: it was asked for ${limits.attempts} times, and is still there, unread`
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
    // What the server told nothing of before may be any message.
    return known?.fingerprint === '' || known?.fingerprint === identityOf(message).fingerprint
      ? known
      : undefined;
  }
}
