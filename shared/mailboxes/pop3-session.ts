import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { LineSocket } from './line-socket.ts';
import { Pop3Conversation } from './pop3-conversation.ts';
import { Pop3Error, pop3Error, signInError } from './pop3-errors.ts';

const HIDDEN = '(sign-in)';
/** Commands sent before their responses are read, if the server offers PIPELINING. */
const PIPELINED = 50;
/** The part of a message's beginning that is kept. */
const KEPT_BYTES = 256 * 1024;

export interface Pop3Mail {
  /** The message number within this session, from 1. */
  number: number;
  /** The permanent ID of the message (RFC 1939 section 7): 1 to 70 printable characters. */
  uidl: string;
}

/** What the inbox needs of a session after sign-in. */
export interface Pop3Maildrop {
  mails(): Promise<Pop3Mail[]>;
  sizes(): Promise<ReadonlyMap<number, number>>;
  headers(numbers: readonly number[], each: (number: number, head: Uint8Array) => void): Promise<void>;
  beginning(number: number, lines: number): Promise<Uint8Array>;
  whole(numbers: readonly number[], each: (number: number, raw: Uint8Array) => void): Promise<void>;
  mail(number: number): AsyncIterable<Uint8Array>;
  removeAll(numbers: readonly number[]): Promise<void>;
  quit(): Promise<void>;
  close(): void;
}

/**
 * POP3 after TLS: RFC 1939 and 2449, authenticated with XOAUTH2. The session sees the messages that existed
 * at sign-in; removals take effect at `quit`. Every call throws Pop3Error when the server refuses or
 * disconnects.
 */
export class Pop3Session implements Pop3Maildrop {
  readonly #wire: LineSocket;
  readonly #talk: Pop3Conversation;
  readonly #seam: Seam;
  #pipelined: number | undefined;

  private constructor(wire: LineSocket, seam: Seam) {
    this.#wire = wire;
    this.#talk = new Pop3Conversation(wire);
    this.#seam = seam;
  }

  /** Reads the greeting, over an encrypted connection. */
  static async greeted(wire: LineSocket, seam: Seam): Promise<Pop3Session> {
    const session = new Pop3Session(wire, seam);
    await session.#call('greeting', () => session.#talk.reply());
    return session;
  }

  /**
   * CAPA (RFC 2449 section 5): each capability in capitals with its arguments; empty when the server does
   * not support CAPA.
   */
  capabilities(): Promise<ReadonlyMap<string, string>> {
    return this.#call('capabilities', async () => {
      const found = new Map<string, string>();
      try {
        for (const line of await this.#talk.lines('CAPA')) {
          const [name = '', ...rest] = line.split(' ');
          found.set(name.toUpperCase(), rest.join(' '));
        }
      } catch (error) {
        if (!(error instanceof Pop3Error && error.failure === 'refused')) throw error;
      }
      return found;
    });
  }

  /**
   * Uses two lines, the form that Exchange Online accepts.
   * https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
   * @param user the mailbox to open: for a shared mailbox, not the token's owner
   */
  signIn(user: string, token: Secret): Promise<void> {
    return this.#call('sign-in', async () => {
      const sasl = Buffer.from(`user=${user}\x01auth=Bearer ${token.expose()}\x01\x01`).toString('base64');
      this.#wire.say('AUTH XOAUTH2');
      let line = await this.#wire.line();
      if (!line.startsWith('+')) throw signInError(line);
      this.#wire.say(sasl, HIDDEN);
      line = await this.#wire.line();
      // A server that first explains a refusal expects an empty line before its error.
      if (line.startsWith('+ ')) {
        this.#wire.say('');
        line = await this.#wire.line();
      }
      if (!line.startsWith('+OK')) throw signInError(line);
    });
  }

  /** The number of messages and their total size in bytes. */
  stat(): Promise<{ count: number; bytes: number }> {
    return this.#call('stat', async () => {
      const line = await this.#talk.ask('STAT');
      const [, count, bytes] = /^\+OK (\d{1,10}) (\d{1,15})/.exec(line) ?? [];
      if (count === undefined || bytes === undefined) throw new Pop3Error('unavailable', line);
      return { count: Number(count), bytes: Number(bytes) };
    });
  }

  /** @throws Pop3Error with the code `pop3-no-uidl` when the server does not support UIDL, which is optional */
  mails(): Promise<Pop3Mail[]> {
    return this.#call('uidl', async () => {
      const lines = await this.#talk.lines('UIDL').catch((error: unknown) => {
        if (!(error instanceof Pop3Error && error.failure === 'refused')) throw error;
        throw new Pop3Error('refused', error.said, { cause: error, code: 'pop3-no-uidl' });
      });
      return lines.map((line) => {
        const [, number, uidl] = /^(\d{1,10}) ([\x21-\x7e]{1,70})$/.exec(line) ?? [];
        if (number === undefined || uidl === undefined) throw new Pop3Error('unavailable', line);
        return { number: Number(number), uidl };
      });
    });
  }

  /** Bytes by message number; servers may estimate. */
  sizes(): Promise<ReadonlyMap<number, number>> {
    return this.#call('list', async () => {
      const lines = await this.#talk.lines('LIST');
      return new Map(
        lines.map((line) => {
          const [, number, bytes] = /^(\d{1,10}) (\d{1,15})/.exec(line) ?? [];
          if (number === undefined || bytes === undefined) throw new Pop3Error('unavailable', line);
          return [Number(number), Number(bytes)];
        }),
      );
    });
  }

  /** One message, byte for byte, in chunks. Stopping early ends the session. */
  async *mail(number: number): AsyncGenerator<Uint8Array> {
    yield* this.#body(`RETR ${number}`);
  }

  /**
   * The headers of a message and the first lines of its body, at most `limit` bytes; a longer response ends
   * the session.
   */
  top(number: number, lines: number, limit = 1024 * 1024): Promise<Uint8Array> {
    return this.#call('top', async () => {
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of this.#body(`TOP ${number} ${lines}`)) {
        size += piece.byteLength;
        if (size > limit) throw new Pop3Error('unavailable', 'the beginning of an email is too long');
        pieces.push(piece);
      }
      return Buffer.concat(pieces);
    });
  }

  /**
   * The headers of these messages, in the given order, without those that the server refuses. A server without
   * TOP, which is optional, has to send the whole message.
   */
  headers(numbers: readonly number[], each: (number: number, head: Uint8Array) => void): Promise<void> {
    return this.#call('top', async () => {
      const refused = await this.#inTurn(
        numbers,
        (number) => `TOP ${number} 0`,
        async (number) => each(number, await this.#talk.content(KEPT_BYTES)),
      );
      await this.#inTurn(
        refused,
        (number) => `RETR ${number}`,
        async (number) => each(number, await this.#talk.content(KEPT_BYTES)),
      );
    });
  }

  /** The headers of a message and the first lines of its body; at most 256 KB. */
  beginning(number: number, lines: number): Promise<Uint8Array> {
    return this.#call('top', async () => {
      let found: Uint8Array | undefined;
      const read = async (): Promise<void> => {
        found = await this.#talk.content(KEPT_BYTES);
      };
      const refused = await this.#inTurn([number], () => `TOP ${number} ${lines}`, read);
      const missing = await this.#inTurn(refused, () => `RETR ${number}`, read);
      if (found === undefined || missing.length > 0)
        throw new Pop3Error('unavailable', `message ${number} is not there`);
      return found;
    });
  }

  /** These messages, byte for byte, without those that the server refuses. */
  async whole(numbers: readonly number[], each: (number: number, raw: Uint8Array) => void): Promise<void> {
    await this.#call('retrieve', () =>
      this.#inTurn(
        numbers,
        (number) => `RETR ${number}`,
        async (number) => each(number, await this.#talk.content()),
      ),
    );
  }

  /** Marks a message for removal at `quit`. */
  async remove(number: number): Promise<void> {
    await this.#call('delete', () => this.#talk.ask(`DELE ${number}`));
  }

  /** Marks messages for removal at `quit`: all, or none if the server refuses one of them. */
  removeAll(numbers: readonly number[]): Promise<void> {
    return this.#call('delete', async () => {
      let said = '';
      const read = async (): Promise<void> => {};
      const refused = await this.#inTurn(
        numbers,
        (number) => `DELE ${number}`,
        read,
        (line) => {
          said = line;
        },
      );
      if (refused.length === 0) return;
      await this.#talk.ask('RSET');
      throw new Pop3Error('refused', said);
    });
  }

  /** Ends the session and commits removals. */
  async quit(): Promise<void> {
    await this.#call('quit', () => this.#talk.ask('QUIT'));
    this.#wire.close();
  }

  close(): void {
    this.#wire.close();
  }

  async *#body(command: string): AsyncGenerator<Uint8Array> {
    await this.#call('retrieve', () => this.#talk.ask(command));
    try {
      yield* this.#wire.untilDot();
    } catch (error) {
      throw pop3Error(error);
    }
  }

  /** Many commands at once if the server offers PIPELINING (RFC 2449 section 6.6). */
  async #inTurn(
    numbers: readonly number[],
    command: (number: number) => string,
    read: (number: number) => Promise<void>,
    whenRefused?: (line: string) => void,
  ): Promise<number[]> {
    const atOnce = numbers.length > 1 ? await this.#atOnce() : 1;
    return this.#talk.inTurn({ numbers, atOnce, command, read, whenRefused });
  }

  async #atOnce(): Promise<number> {
    this.#pipelined ??= (await this.capabilities()).has('PIPELINING') ? PIPELINED : 1;
    return this.#pipelined;
  }

  #call<T>(operation: string, effect: () => Promise<T>): Promise<T> {
    return this.#seam.call(`pop3.${operation}`, async () => {
      try {
        return await effect();
      } catch (error) {
        throw pop3Error(error);
      }
    });
  }
}
