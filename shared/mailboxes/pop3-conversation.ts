import type { LineSocket } from './line-socket.ts';
import { Pop3Error } from './pop3-errors.ts';

const MAX_LINES = 200_000;
/** Messages announced with more than 8 MB are streamed, so a response far beyond that is an error. */
const LARGEST_RESPONSE = 64 * 1024 * 1024;

/** Commands for many messages. */
export interface MessageCommands {
  numbers: readonly number[];
  /** How many are sent before their responses are read. */
  atOnce: number;
  command(number: number): string;
  /** Reads what follows a positive response. */
  read(number: number): Promise<void>;
  whenRefused?: ((line: string) => void) | undefined;
}

/**
 * Commands and responses of POP3 (RFC 1939 section 3). Throws Pop3Error `refused` for `-ERR`, and `unavailable` for what
 * is no response of POP3, after which the connection is closed.
 */
export class Pop3Conversation {
  readonly #wire: LineSocket;

  constructor(wire: LineSocket) {
    this.#wire = wire;
  }

  /** The first line of a response, which begins with `+OK`. */
  async reply(): Promise<string> {
    const line = await this.#wire.line();
    if (line.startsWith('+OK')) return line;
    if (line.startsWith('-ERR')) throw new Pop3Error('refused', line);
    this.#wire.close();
    throw new Pop3Error('unavailable', line);
  }

  ask(command: string): Promise<string> {
    this.#wire.say(command);
    return this.reply();
  }

  /** The lines that follow the response to a command. */
  async lines(command: string): Promise<string[]> {
    await this.ask(command);
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

  /** What follows a response, up to this many bytes; the rest is read and dropped. */
  async content(most = LARGEST_RESPONSE): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this.#wire.untilDot()) {
      if (size < most) pieces.push(piece.subarray(0, most - size));
      size += piece.byteLength;
      if (size > LARGEST_RESPONSE) throw new Pop3Error('unavailable', 'the email is larger than announced');
    }
    return Buffer.concat(pieces);
  }

  /**
   * Sends a command for each message and reads the responses in the same order.
   * @returns the messages for which the server refused it
   */
  async inTurn({ numbers, atOnce, command, read, whenRefused }: MessageCommands): Promise<number[]> {
    const refused: number[] = [];
    for (let start = 0; start < numbers.length; start += atOnce) {
      const those = numbers.slice(start, start + atOnce);
      this.#wire.sayAll(those.map(command));
      for (const number of those) {
        try {
          await this.reply();
        } catch (error) {
          if (!(error instanceof Pop3Error && error.failure === 'refused')) throw error;
          whenRefused?.(error.said);
          refused.push(number);
          continue;
        }
        await read(number);
      }
    }
    return refused;
  }
}
