import { createHash } from 'node:crypto';
import type { LeftMessage, UnfetchedMessage } from '../mailboxes/cursor.ts';
import type { MessageMeta } from '../mailboxes/inbox.ts';
import { fingerprintOf, type UidScope, placesOfUid } from './ledger.ts';
import { limits } from './plan-batches.ts';
import type { NewEntry } from './quarantine-store.ts';

/** A message of which the server may tell no more than that it is there. */
export type ListedMessage = MessageMeta | Pick<MessageMeta, 'uid'>;

const identityOf = (message: ListedMessage): LeftMessage => ({
  uid: message.uid,
  fingerprint: 'size' in message ? fingerprintOf(message) : '',
});

/**
 * What the server lists and could not be taken, with how often each was tried. A fetch counts one attempt at most; three
 * end it, and a person sees the message in quarantine.
 */
export class UnfetchedList {
  readonly #entries: Map<number, UnfetchedMessage>;
  readonly #counted = new Map<number, UnfetchedMessage | undefined>();
  readonly #problems = new Map<number, string>();

  constructor(before: readonly UnfetchedMessage[]) {
    this.#entries = new Map(before.map((each) => [each.uid, each]));
  }

  get list(): UnfetchedMessage[] {
    return [...this.#entries.values()].sort((a, b) => a.uid - b.uid);
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
    const { uid } = message;
    const known = this.#known(message);
    if (problem !== undefined) this.#problems.set(uid, problem);
    const isNew = !this.#counted.has(uid);
    if (isNew) this.#counted.set(uid, known);
    const attempts = (known?.attempts ?? 0) + (isNew ? 1 : 0);
    this.#entries.set(uid, { ...identityOf(message), attempts, since: known?.since ?? now, failed });
  }

  /** It was no fault of the message: the attempt counted in this fetch is taken back. */
  takeBack({ uid }: ListedMessage): void {
    if (!this.#counted.has(uid)) return;
    const before = this.#counted.get(uid);
    this.#counted.delete(uid);
    if (before === undefined) this.#entries.delete(uid);
    else this.#entries.set(uid, before);
  }

  /** It was taken, or is gone. */
  forget(uid: number): void {
    this.#entries.delete(uid);
  }

  /** Those that are not tried again, as they stand in quarantine. */
  spent(
    numbering: UidScope,
    told: ReadonlyMap<number, MessageMeta>,
  ): { left: LeftMessage; entry: NewEntry }[] {
    return this.list
      .filter(({ attempts }) => attempts >= limits.attempts)
      .map(({ uid, fingerprint, since, failed }) => {
        const facts = told.get(uid);
        const place = `${placesOfUid(numbering, uid)}${fingerprint}`;
        const problem = this.#problems.get(uid);
        return {
          left: { uid, fingerprint },
          entry: {
            kind: 'quarantined',
            reason:
              failed === 'download'
                ? `the mail server lists this message and cannot hand it out: it was asked for ${limits.attempts} times, and is still there, unread`
                : `it could not be stored${problem === undefined ? '' : `: ${problem}`}; it is still on the mail server, unread`,
            at: facts?.receivedAt ?? since,
            from: undefined,
            subject: undefined,
            messageId: facts?.messageId || undefined,
            size: facts?.size ?? 0,
            rawBlob: undefined,
            contentKey: createHash('sha256').update(`unfetched ${place}`).digest('hex'),
            place,
          },
        };
      });
  }

  #known(message: ListedMessage): UnfetchedMessage | undefined {
    const known = this.#entries.get(message.uid);
    // What the server told nothing of before may be any message.
    return known?.fingerprint === '' || known?.fingerprint === identityOf(message).fingerprint
      ? known
      : undefined;
  }
}
