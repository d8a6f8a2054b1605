import type { MessageRef } from './message-ref.ts';
import { closedError, inboxError } from './pop3-errors.ts';
import { type NumberedRef, numberedRefs, sharesUidls } from './pop3-position.ts';
import type { Pop3Maildrop } from './pop3-session.ts';

/** A session with its messages. */
export interface Opened {
  drop: Pop3Maildrop;
  /** Every message, in the server's order. */
  order: readonly MessageRef[];
  /** Message numbers of this session. */
  numbers: ReadonlyMap<MessageRef, number>;
  sizes?: ReadonlyMap<number, number>;
}

/**
 * The sessions of an inbox, one after another: a session ends with QUIT when something was deleted, and the next
 * call opens another one. A session handles one command at a time; callers may read and mark at once.
 */
export class Pop3Turns {
  readonly #connect: () => Promise<Pop3Maildrop>;
  readonly #destroyed = Promise.withResolvers<never>();
  #opened: Opened | undefined;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Promise<Pop3Maildrop>) {
    this.#connect = connect;
    // There may be no waiter when it is destroyed.
    this.#destroyed.promise.catch(() => {});
  }

  /**
   * Calls one after the other, in the order in which they were made.
   * @throws InboxError
   */
  async inTurn<T>(effect: (opened: Opened) => Promise<T>): Promise<T> {
    const turn = await this.take();
    try {
      return await this.race(this.session().then(effect));
    } catch (error) {
      throw inboxError(error);
    } finally {
      turn.end();
    }
  }

  /** Waits for the calls before; the next one waits until this turn ends. */
  async take(): Promise<{ end(): void }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    await before;
    return { end: resolve };
  }

  /** Ends when the inbox is destroyed, whatever the server does. */
  race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {});
    return Promise.race([work, this.#destroyed.promise]);
  }

  /** The present session, or a new one. Only in a turn. */
  async session(): Promise<Opened> {
    if (this.#isClosed) throw closedError();
    if (this.#opened !== undefined) return this.#opened;
    const drop = await this.#connect();
    try {
      const mails = await drop.mails();
      const sizes = sharesUidls(mails) ? await drop.sizes() : undefined;
      const numbered = numberedRefs(mails, sizes);
      const opened = { drop, ...mapOf(numbered), ...(sizes !== undefined && { sizes }) };
      // Destroyed meanwhile.
      if (this.#isClosed) throw closedError();
      this.#opened = opened;
      return opened;
    } catch (error) {
      drop.close();
      throw error;
    }
  }

  /** Ends the session with QUIT, which makes the server delete (RFC 1939 section 6). Only in a turn. */
  async quit(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    try {
      await opened?.drop.quit();
    } finally {
      opened?.drop.close();
    }
  }

  /** Gives up the session without QUIT. */
  forget(): void {
    this.#opened?.drop.close();
    this.#opened = undefined;
  }

  async close(): Promise<void> {
    if (!this.#isClosed && this.#opened !== undefined)
      await this.inTurn(({ drop }) => drop.quit()).catch(() => {});
    this.destroy();
  }

  destroy(): void {
    this.#isClosed = true;
    this.forget();
    this.#destroyed.reject(closedError());
  }
}

const mapOf = (numbered: readonly NumberedRef[]): Pick<Opened, 'order' | 'numbers'> => ({
  order: numbered.map(({ ref }) => ref),
  numbers: new Map(numbered.map(({ ref, number }) => [ref, number])),
});
