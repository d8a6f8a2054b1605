import type { LineSocket } from '../mailboxes/line-socket.ts';
import type { Secret } from '../platform/secret.ts';
import { StepRefused } from './test-runner.ts';

const MAX_LINES = 5_000;

/**
 * A minimal IMAP4rev1 client (RFC 3501) that shows each line: the library combines steps that a test must
 * distinguish. Read-only. A refusal throws StepRefused with the server's line.
 */
export class ImapProbe {
  readonly #wire: LineSocket;
  #number = 0;

  constructor(wire: LineSocket) {
    this.#wire = wire;
  }

  async greeting(): Promise<string> {
    const line = await this.#wire.line();
    if (!line.startsWith('* OK')) throw new StepRefused(line);
    return line;
  }

  /** `AUTHENTICATE XOAUTH2` with an initial response (SASL-IR), as Exchange Online and Gmail accept it. */
  async signIn(user: string, token: Secret): Promise<void> {
    const sasl = Buffer.from(`user=${user}\x01auth=Bearer ${token.expose()}\x01\x01`).toString('base64');
    await this.#ask(`AUTHENTICATE XOAUTH2 ${sasl}`, 'AUTHENTICATE XOAUTH2 (sign-in)');
  }

  /** Opens a folder read-only and returns its number of messages. */
  async examine(folder: string): Promise<number> {
    const lines = await this.#ask(`EXAMINE ${folderArgument(folder)}`);
    const exists = lines.map((line) => /^\* (\d{1,10}) EXISTS/i.exec(line)?.[1]).find(Boolean);
    if (exists === undefined) throw new StepRefused('The server did not say how many emails there are.');
    return Number(exists);
  }

  async closeFolder(): Promise<void> {
    await this.#ask('CLOSE');
  }

  async unread(folder: string): Promise<number> {
    const lines = await this.#ask(`STATUS ${folderArgument(folder)} (UNSEEN)`);
    const unseen = lines.map((line) => /^\* STATUS .*\bUNSEEN (\d{1,10})/i.exec(line)?.[1]).find(Boolean);
    if (unseen === undefined) throw new StepRefused('The server did not say how many emails are unread.');
    return Number(unseen);
  }

  /** Number of top-level folders. */
  async folders(): Promise<number> {
    const lines = await this.#ask('LIST "" "%"');
    return lines.filter((line) => /^\* LIST /i.test(line)).length;
  }

  async #ask(command: string, shown: string = command): Promise<string[]> {
    this.#number += 1;
    const tag = `t${this.#number}`;
    this.#wire.say(`${tag} ${command}`, `${tag} ${shown}`);
    const lines: string[] = [];
    for (;;) {
      let line = await this.#wire.line();
      // The server sent a name as a literal: the response continues after it (RFC 3501 section 4.3).
      for (let size = literalOf(line); size !== undefined; size = literalOf(line)) {
        const name = await this.#wire.bytes(size);
        line = `${line.replace(/\{\d+\}$/, '')}${name.toString('latin1')}${await this.#wire.line()}`;
      }
      if (line.startsWith(`${tag} OK`)) return lines;
      if (line.startsWith(`${tag} `)) throw new StepRefused(line);
      // A server that first explains a refusal expects an empty line before NO.
      if (line.startsWith('+')) this.#wire.say('');
      if (lines.length < MAX_LINES) lines.push(line);
      else throw new StepRefused(`More than ${MAX_LINES} lines in one response`);
    }
  }
}

const literalOf = (line: string): number | undefined => {
  const size = /\{(\d{1,9})\}$/.exec(line)?.[1];
  return size === undefined ? undefined : Number(size);
};

/** A folder name as a command argument: modified UTF-7 (RFC 3501 section 5.1.3), quoted. */
function folderArgument(folder: string): string {
  const encoded = folder.replaceAll('&', '&-').replaceAll(/[^\x20-\x7e]+/g, (text) => {
    const utf16 = Buffer.from(text, 'utf16le').swap16();
    return `&${utf16.toString('base64').replaceAll('/', ',').replace(/=+$/, '')}-`;
  });
  return `"${encoded.replaceAll(/["\\]/g, '\\$&')}"`;
}
