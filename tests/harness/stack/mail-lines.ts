import { connect, type TLSSocket } from 'node:tls';
import { LineReader } from '../../../dev/emulators/mail/line-reader.ts';
import type { Endpoint } from '../../../dev/emulators/mail/mail-world.ts';

/** A line-based conversation over TLS, for what no client library shows. */
export class Conversation {
  readonly #socket: TLSSocket;
  readonly #reader: LineReader;

  constructor(endpoint: Endpoint, ca: string) {
    this.#socket = connect({ host: endpoint.host, port: endpoint.port, ca });
    this.#socket.on('error', () => this.#socket.destroy());
    this.#reader = new LineReader(this.#socket);
  }

  /** Latin-1 without its line end; fails when the server closed the connection. */
  async line(): Promise<string> {
    const line = await this.#reader.line();
    if (line === undefined) throw new Error('The server closed the connection');
    return line.toString('latin1');
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  async ask(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.line();
  }

  /** An IMAP command and its response up to the tagged line. */
  async imap(command: string, tag = 'a1'): Promise<string[]> {
    this.write(`${tag} ${command}\r\n`);
    const lines: string[] = [];
    do lines.push(await this.line());
    while (!lines.at(-1)?.startsWith(`${tag} `));
    return lines;
  }

  /** A POP3 command with a multi-line response, unchanged, with doubled dots. */
  async pop3(command: string): Promise<{ status: string; lines: string[] }> {
    const status = await this.ask(command);
    const lines: string[] = [];
    if (!status.startsWith('+OK')) return { status, lines };
    for (let line = await this.line(); line !== '.'; line = await this.line()) lines.push(line);
    return { status, lines };
  }

  close(): void {
    this.#socket.destroy();
  }
}
