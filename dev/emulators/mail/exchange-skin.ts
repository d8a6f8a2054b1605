import { once } from 'node:events';
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls';
import {
  asExchange,
  type Fault,
  isOauthChallenge,
  type SkinProtocol,
  type SkinSession,
} from './exchange-texts.ts';
import { LineReader, writeAll } from './line-reader.ts';
import type { Endpoint } from './mail-world.ts';
import { readXoauth2 } from './npm/access-token.ts';

export interface SkinOptions {
  readonly protocol: SkinProtocol;
  /**
   * A port of the mail server emulator: implicit TLS for IMAP and POP3, STARTTLS for SMTP; the proxy's own
   * port has the same.
   */
  readonly target: Endpoint;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly port?: number;
}

export interface ExchangeSkin extends Endpoint {
  /** Faults occur in order; each is removed once its `times` are used up. */
  readonly faults: Fault[];
  /**
   * The verbs of the client's commands (`UID FETCH`, `RCPT`), never their arguments, which may contain
   * tokens.
   */
  readonly seen: string[];
  stop(): Promise<void>;
}

const longestLine = 64 * 1024 * 1024;

/**
 * A proxy that responds as Exchange Online does where the emulators differ, and injects faults. Only
 * protocol lines are changed; literals and emails pass byte for byte.
 */
export async function startExchangeSkin(options: SkinOptions): Promise<ExchangeSkin> {
  const faults: Fault[] = [];
  const seen: string[] = [];
  const sockets = new Set<Duplex>();
  const accept = (socket: Socket) => {
    socket.setNoDelay(true);
    const connection = new SkinConnection(options, socket, { faults, seen, sockets });
    connection.run().catch(() => connection.end());
  };
  const server =
    options.protocol === 'smtp'
      ? createServer(accept)
      : createTlsServer({ cert: options.tls.cert, key: options.tls.key }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The skin has no port');
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { host: '127.0.0.1', port: address.port, faults, seen, stop };
}

interface Shared {
  readonly faults: Fault[];
  readonly seen: string[];
  readonly sockets: Set<Duplex>;
}

class SkinConnection {
  readonly #options: SkinOptions;
  readonly #shared: Shared;
  readonly #session: SkinSession = { signedIn: false, encrypted: false };
  #client: Duplex;
  #server: Duplex | undefined;
  #bytes = 0;
  /** SMTP: the email is being transferred. POP3: the response to the last command has many lines. */
  #inMail = false;
  /** SMTP: the client has sent a whole email. */
  #expectsAnswer = false;
  #expectsMail = false;

  constructor(options: SkinOptions, client: Duplex, shared: Shared) {
    this.#options = options;
    this.#shared = shared;
    this.#client = this.#track(client);
  }

  async run(): Promise<void> {
    // The client may send before the server is connected: its bytes wait in the reader.
    const reader = new LineReader(this.#client, longestLine);
    const { socket, greeting } = await this.#connect();
    this.#server = socket;
    const fromServer = new LineReader(socket, longestLine);
    if (greeting !== undefined) await this.#toClient(greeting);
    await Promise.all([this.#serverToClient(fromServer, socket), this.#clientToServer(reader, socket)]);
  }

  end(): void {
    this.#client.destroy();
    this.#server?.destroy();
  }

  async #connect(): Promise<{ socket: Duplex; greeting?: string }> {
    const { target, tls, protocol } = this.#options;
    if (protocol !== 'smtp') {
      return { socket: this.#track(connectTls({ host: target.host, port: target.port, ca: tls.ca })) };
    }
    const plain = this.#track(connectPlain(target.port, target.host));
    const reader = new LineReader(plain);
    const greeting = (await reader.line())?.toString('latin1') ?? '';
    await writeAll(plain, 'EHLO skin\r\n');
    while ((await reader.line())?.toString('latin1').startsWith('250-'));
    await writeAll(plain, 'STARTTLS\r\n');
    await reader.line();
    reader.detach();
    const socket = this.#track(connectTls({ socket: plain, ca: tls.ca, host: target.host }));
    await once(socket, 'secureConnect');
    return { socket, greeting };
  }

  async #serverToClient(reader: LineReader, server: Duplex): Promise<void> {
    const { protocol } = this.#options;
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      const text = line.toString('latin1');
      const literal = protocol === 'imap' ? /\{(\d+)\}$/.exec(text) : null;
      if (literal !== null) {
        const bytes = await reader.bytes(Number(literal[1]));
        if (bytes === undefined) break;
        await this.#send(Buffer.concat([line, Buffer.from('\r\n'), bytes]));
      } else if (protocol === 'pop3' && this.#inMail) {
        this.#inMail = text !== '.';
        await this.#send(Buffer.concat([line, Buffer.from('\r\n')]));
      } else if (isOauthChallenge(protocol, text)) {
        await writeAll(server, '\r\n');
      } else {
        if (this.#expectsAnswer && this.#losesAnswer()) break;
        this.#expectsAnswer = false;
        if (this.#expectsMail && text.startsWith('+OK')) this.#inMail = true;
        this.#expectsMail = false;
        await this.#toClient(text);
      }
    }
    this.end();
  }

  async #clientToServer(first: LineReader, server: Duplex): Promise<void> {
    const { protocol } = this.#options;
    let reader = first;
    let insideCommand = false;
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      const text = line.toString('latin1');
      const literal = protocol === 'imap' ? /\{(\d+)(\+?)\}$/.exec(text) : null;
      const isCommand = !insideCommand && !(protocol === 'smtp' && this.#inMail);
      insideCommand = literal !== null;
      if (isCommand) this.#note(text);
      if (protocol === 'imap') this.#rememberMailbox(text);
      const fault = isCommand ? this.#faultFor(text) : undefined;
      if (fault !== undefined) {
        const answer = fault.answer(text);
        if (answer !== undefined) await this.#send(Buffer.from(`${answer}\r\n`, 'latin1'));
        if (fault.close === true) break;
        // The data of a non-synchronizing literal arrives unasked and belongs to the command refused here.
        if (literal?.[2] === '+') await reader.bytes(Number(literal[1]));
        else insideCommand = false;
        continue;
      }
      if (protocol === 'smtp' && isCommand && /^STARTTLS$/i.test(text) && !this.#session.encrypted) {
        reader = await this.#encrypt(reader);
        continue;
      }
      if (this.#inMail && text === '.') this.#expectsAnswer = protocol === 'smtp';
      if (protocol === 'smtp') this.#inMail = isCommand ? /^DATA$/i.test(text) : text !== '.';
      if (protocol === 'pop3') this.#expectsMail = /^(RETR|TOP|CAPA|UIDL$|LIST$)/i.test(text);
      await writeAll(server, Buffer.concat([line, Buffer.from('\r\n')]));
      if (literal === null) continue;
      const bytes = await reader.bytes(Number(literal[1]));
      if (bytes === undefined) break;
      await writeAll(server, bytes);
    }
    this.end();
  }

  async #encrypt(reader: LineReader): Promise<LineReader> {
    const plain = this.#client;
    reader.detach();
    await writeAll(plain, '220 2.0.0 SMTP server ready\r\n');
    const { cert, key } = this.#options.tls;
    this.#client = this.#track(new TLSSocket(plain as Socket, { isServer: true, cert, key }));
    this.#session.encrypted = true;
    return new LineReader(this.#client, longestLine);
  }

  #rememberMailbox(line: string): void {
    const mailbox = mailboxIn(line);
    if (mailbox !== undefined) this.#session.mailbox = mailbox;
  }

  #note(line: string): void {
    const verb =
      this.#options.protocol === 'imap'
        ? /^\S+ ((?:UID )?[A-Za-z]+)/.exec(line)?.[1]
        : /^[A-Za-z]+/.exec(line)?.[0];
    if (verb !== undefined && verb.length < 20) this.#shared.seen.push(verb.toUpperCase());
  }

  #faultFor(line: string) {
    for (const fault of this.#shared.faults) {
      if (fault.kind !== 'answer' || !this.#concerns(fault) || !fault.when(line, this.#session)) continue;
      this.#use(fault);
      return fault;
    }
    return undefined;
  }

  #losesAnswer(): boolean {
    const fault = this.#shared.faults.find(({ kind }) => kind === 'lose-answer');
    if (fault !== undefined) this.#use(fault);
    return fault !== undefined;
  }

  #concerns({ protocol }: Fault): boolean {
    return protocol === undefined || protocol === this.#options.protocol;
  }

  #use(fault: Fault): void {
    fault.times -= 1;
    if (fault.times <= 0) this.#shared.faults.splice(this.#shared.faults.indexOf(fault), 1);
  }

  async #toClient(line: string): Promise<void> {
    const text = asExchange(this.#options.protocol, line, this.#session);
    if (text !== undefined) await this.#send(Buffer.from(`${text}\r\n`, 'latin1'));
  }

  async #send(bytes: Buffer): Promise<void> {
    const cut = this.#shared.faults.find(
      (fault) => fault.kind === 'cut' && this.#concerns(fault) && this.#bytes + bytes.length > fault.bytes,
    );
    if (cut?.kind === 'cut') {
      this.#use(cut);
      await writeAll(this.#client, bytes.subarray(0, Math.max(0, cut.bytes - this.#bytes)));
      this.#client.end(() => this.end());
      return;
    }
    this.#bytes += bytes.length;
    await writeAll(this.#client, bytes);
  }

  #track<T extends Duplex>(socket: T): T {
    this.#shared.sockets.add(socket);
    socket.on('error', () => this.end());
    socket.on('close', () => {
      this.#shared.sockets.delete(socket);
      this.end();
    });
    return socket;
  }
}

/** The mailbox of a line that holds an XOAUTH2 response: with the command, or alone after it. */
function mailboxIn(line: string): string | undefined {
  const [, base64] = /^(?:\S+ AUTHENTICATE XOAUTH2 )?([A-Za-z0-9+/]{20,}={0,2})$/i.exec(line) ?? [];
  return base64 === undefined ? undefined : readXoauth2(base64)?.mailbox;
}
