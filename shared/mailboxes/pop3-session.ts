import { redact } from '../explanations/redact.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { type LineSocket, SocketError } from './line-socket.ts';

const MAX_LINES = 200_000;
const HIDDEN = '(sign-in)';

export type Pop3Failure =
  /** The server refused the token: refresh once, then a person has to act. */
  | 'token-refused'
  /** The server refused a command. */
  | 'refused'
  /** Unreachable, disconnected, or not speaking POP3: retry later. */
  | 'unavailable';

export class Pop3Error extends PostroomError {
  readonly failure: Pop3Failure;
  /** The server's line, without secrets; empty if there was none. */
  readonly said: string;

  constructor(failure: Pop3Failure, said: string, options?: { cause?: unknown }) {
    // A server may repeat what it was sent.
    const shown = redact(said).slice(0, 200);
    super(`pop3-${failure}`, `The mail server said: ${shown}`, options);
    this.name = 'Pop3Error';
    this.failure = failure;
    this.said = shown;
  }
}

export interface Pop3Mail {
  /** The message number within this session, from 1. */
  number: number;
  /** The permanent ID of the message (RFC 1939 section 7): 1 to 70 printable characters. */
  uidl: string;
}

/**
 * POP3 after TLS: RFC 1939 and 2449, authenticated with XOAUTH2. The session sees the messages that existed
 * at sign-in; removals take effect at `quit`. Every call throws Pop3Error when the server refuses or
 * disconnects.
 */
export class Pop3Session {
  readonly #wire: LineSocket;
  readonly #seam: Seam;

  private constructor(wire: LineSocket, seam: Seam) {
    this.#wire = wire;
    this.#seam = seam;
  }

  /** Reads the greeting, over an encrypted connection. */
  static async greeted(wire: LineSocket, seam: Seam): Promise<Pop3Session> {
    const session = new Pop3Session(wire, seam);
    await session.#call('greeting', () => session.#reply());
    return session;
  }

  /** CAPA: each capability in capitals with its arguments; empty when the server does not support CAPA. */
  capabilities(): Promise<ReadonlyMap<string, string>> {
    return this.#call('capabilities', async () => {
      const found = new Map<string, string>();
      try {
        for (const line of await this.#lines('CAPA')) {
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
      if (!line.startsWith('+')) throw new Pop3Error(signInFailure(line), line);
      this.#wire.say(sasl, HIDDEN);
      line = await this.#wire.line();
      // A server that first explains a refusal expects an empty line before its error.
      if (line.startsWith('+ ')) {
        this.#wire.say('');
        line = await this.#wire.line();
      }
      if (!line.startsWith('+OK')) throw new Pop3Error(signInFailure(line), line);
    });
  }

  /** The number of messages and their total size in bytes. */
  stat(): Promise<{ count: number; bytes: number }> {
    return this.#call('stat', async () => {
      const line = await this.#ask('STAT');
      const [, count, bytes] = /^\+OK (\d{1,10}) (\d{1,15})/.exec(line) ?? [];
      if (count === undefined || bytes === undefined) throw new Pop3Error('unavailable', line);
      return { count: Number(count), bytes: Number(bytes) };
    });
  }

  mails(): Promise<Pop3Mail[]> {
    return this.#call('uidl', async () => {
      const lines = await this.#lines('UIDL');
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
      const lines = await this.#lines('LIST');
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

  /** Marks a message for removal at `quit`. */
  async remove(number: number): Promise<void> {
    await this.#call('delete', () => this.#ask(`DELE ${number}`));
  }

  /** Ends the session and commits removals. */
  async quit(): Promise<void> {
    await this.#call('quit', () => this.#ask('QUIT'));
    this.#wire.close();
  }

  close(): void {
    this.#wire.close();
  }

  async *#body(command: string): AsyncGenerator<Uint8Array> {
    await this.#call('retrieve', () => this.#ask(command));
    try {
      yield* this.#wire.untilDot();
    } catch (error) {
      throw pop3Error(error);
    }
  }

  async #lines(command: string): Promise<string[]> {
    await this.#ask(command);
    const lines: string[] = [];
    for (let line = await this.#wire.line(); line !== '.'; line = await this.#wire.line()) {
      if (lines.length >= MAX_LINES) {
        this.#wire.close();
        throw new Pop3Error('unavailable', `more than ${MAX_LINES} lines`);
      }
      lines.push(line.replace(/^\./, ''));
    }
    return lines;
  }

  #ask(command: string): Promise<string> {
    this.#wire.say(command);
    return this.#reply();
  }

  async #reply(): Promise<string> {
    const line = await this.#wire.line();
    if (line.startsWith('+OK')) return line;
    if (line.startsWith('-ERR')) throw new Pop3Error('refused', line);
    this.#wire.close();
    throw new Pop3Error('unavailable', line);
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

/**
 * A busy mailbox or a failing server says so in brackets (RFC 2449 section 8, RFC 3206); a fresh token does
 * not help.
 */
const signInFailure = (line: string): Pop3Failure =>
  /^-ERR \[(?:IN-USE|LOGIN-DELAY|SYS\/)/i.test(line) || !line.startsWith('-ERR')
    ? 'unavailable'
    : 'token-refused';

function pop3Error(error: unknown): unknown {
  return error instanceof SocketError ? new Pop3Error('unavailable', error.message, { cause: error }) : error;
}
