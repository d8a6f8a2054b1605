import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { PostroomError } from '../platform/errors.ts';
import { type ForeignCode, foreignCode } from '../platform/problem.ts';
import { field } from '../platform/sdk-error.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import { guardedConnect } from '../providers/guarded-connect.ts';

const SILENCE_MS = 60_000;
const HANDSHAKE_MS = 20_000;
const LONGEST_LINE = 64 * 1024;
const PAUSE_AT = 256 * 1024;
const LF = 10;
const END = Buffer.from('.\r\n');
const NOTHING = Buffer.alloc(0);

/** The certificate that a server presented. */
export interface ServerCertificate {
  subject: string;
  issuer: string;
  /** ISO times. */
  validFrom: string;
  validTo: string;
  names: string;
}

export interface Encryption {
  /** Such as `TLSv1.3`. */
  protocol: string;
  certificate: ServerCertificate;
  /** The error of OpenSSL or Node for an untrusted certificate; absent when it is trusted. */
  distrust: SocketFault | undefined;
}

/**
 * Called for each line in either direction; for client lines, with the text that the caller allows to be
 * shown.
 */
export type SocketListener = (from: 'server' | 'client', line: string) => void;

/** Our own codes for faults that have no code of the operating system or OpenSSL. */
export type SocketFault =
  | 'broken'
  | 'certificate-not-trusted'
  | 'closed'
  | 'early-data'
  | 'hung-up'
  | 'line-break'
  | 'line-too-long'
  | 'ETIMEDOUT'
  | ForeignCode;

/**
 * The connection broke, or the server violated its protocol. `fault` is a code of the operating system or
 * OpenSSL if there is one, otherwise one of ours.
 */
export class SocketError extends PostroomError {
  readonly fault: SocketFault;

  constructor(fault: SocketFault, message: string, options?: { cause?: unknown }) {
    super('socket-broken', message, options);
    this.name = 'SocketError';
    this.fault = fault;
  }
}

/**
 * A line-based connection to an untrusted mail server, with a maximum line length, a timeout, and
 * backpressure for a server that sends more than is read.
 */
export class LineSocket {
  #socket: Socket;
  #buffer: Buffer = NOTHING;
  #fault: SocketError | undefined;
  #wake: (() => void) | undefined;
  readonly #host: string;
  readonly #listener: SocketListener;

  constructor(socket: Socket, host: string, listener: SocketListener = () => {}) {
    this.#host = host;
    this.#listener = listener;
    this.#socket = this.#attach(socket);
  }

  /**
   * Upgrades to TLS 1.2 or newer. With an untrusted certificate, the connection is closed and the result
   * says why.
   * @throws SocketError when TLS is not available, or when bytes arrived before it (RFC 3207 section 6)
   */
  async encrypt(options: Pick<ConnectionOptions, 'ca'> = {}): Promise<Encryption> {
    if (this.#buffer.byteLength > 0)
      throw this.#end(new SocketError('early-data', 'Bytes came before TLS began'));
    const plain = this.#socket;
    plain.removeAllListeners();
    // Verified below, so that an untrusted certificate can be shown to the person who has to replace it.
    const secure = connectTls({
      ...options,
      socket: plain,
      host: this.#host,
      ...(isIP(this.#host) === 0 && { servername: this.#host }),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    });
    this.#socket = this.#attach(secure);
    const timer = this.#endAfter(HANDSHAKE_MS);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      secure.once('secureConnect', resolve);
    });
    clearTimeout(timer);
    this.#wake = undefined;
    if (this.#fault !== undefined) throw this.#fault;
    const encryption = encryptionOf(secure);
    if (encryption.distrust !== undefined)
      this.#end(new SocketError(encryption.distrust, `The certificate of ${this.#host} is not trusted`));
    return encryption;
  }

  /** The next line, as Latin-1, without its line ending. */
  async line(): Promise<string> {
    for (let from = 0; ; ) {
      const end = this.#buffer.indexOf(LF, from);
      if (end >= 0) {
        const line = this.#take(end + 1)
          .toString('latin1')
          .replace(/\r?\n$/, '');
        this.#listener('server', line);
        return line;
      }
      if (this.#buffer.byteLength > LONGEST_LINE)
        throw this.#end(new SocketError('line-too-long', `${this.#host} sent a line without an end`));
      from = this.#buffer.byteLength;
      await this.#more();
    }
  }

  /** The next `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    if (count > LONGEST_LINE)
      throw this.#end(new SocketError('line-too-long', `${this.#host} announced a name of ${count} bytes`));
    while (this.#buffer.byteLength < count) await this.#more();
    return Buffer.from(this.#take(count));
  }

  /**
   * The lines before a single dot, in chunks, with doubled dots unescaped (RFC 1939 section 3). Only CRLF
   * starts a line: otherwise an email with bare line feeds could end itself and continue as the server's
   * responses. For the same reason, a caller that stops early closes the connection.
   */
  async *untilDot(): AsyncGenerator<Uint8Array> {
    let atLineStart = true;
    let done = false;
    try {
      for (;;) {
        if (atLineStart) {
          while (this.#buffer.byteLength < END.byteLength && !differs(this.#buffer)) await this.#more();
          if (!differs(this.#buffer)) {
            this.#take(END.byteLength);
            done = true;
            return;
          }
          if (this.#buffer[0] === END[0]) this.#take(1);
          atLineStart = false;
        }
        const lineEnd = this.#buffer.indexOf('\r\n.');
        if (lineEnd >= 0) {
          yield Buffer.from(this.#take(lineEnd + 2));
          atLineStart = true;
          continue;
        }
        // All but the last two bytes, which may be the line ending before a dot.
        const whole = this.#buffer.byteLength - 2;
        if (whole > 0) yield Buffer.from(this.#take(whole));
        await this.#more();
      }
    } finally {
      if (!done) this.close();
    }
  }

  /** Sends a line; `shown` replaces it in the log when it contains a token. */
  say(line: string, shown: string = line): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (/[\r\n]/.test(line)) throw new SocketError('line-break', 'A command must be one line');
    this.#listener('client', shown);
    this.#socket.write(`${line}\r\n`, 'latin1');
  }

  /** Sends these lines at once: the server answers one after the other. */
  sayAll(lines: readonly string[]): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (lines.some((line) => /[\r\n]/.test(line)))
      throw new SocketError('line-break', 'A command must be one line');
    for (const line of lines) this.#listener('client', line);
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
  }

  close(): void {
    this.#end(new SocketError('closed', 'The connection was closed'));
  }

  #attach<T extends Socket>(socket: T): T {
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = this.#buffer.byteLength === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
      if (this.#buffer.byteLength > PAUSE_AT) socket.pause();
      this.#wake?.();
    });
    socket.on('error', (error) => {
      const fault = field(error, 'code');
      this.#end(
        new SocketError(
          typeof fault === 'string' ? foreignCode(fault) : 'broken',
          `The connection to ${this.#host} broke`,
          {
            cause: error,
          },
        ),
      );
    });
    socket.on('close', () => this.#end(new SocketError('hung-up', `${this.#host} closed the connection`)));
    return socket;
  }

  async #more(): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    this.#socket.resume();
    const before = this.#buffer.byteLength;
    const timer = this.#endAfter(SILENCE_MS);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    clearTimeout(timer);
    if (this.#buffer.byteLength === before && this.#fault !== undefined) throw this.#fault;
  }

  #endAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(
      () => this.#end(new SocketError('ETIMEDOUT', `${this.#host} says nothing`)),
      milliseconds,
    );
  }

  #take(count: number): Buffer {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  #end(error: SocketError): SocketError {
    this.#fault ??= error;
    this.#socket.destroy();
    this.#wake?.();
    return this.#fault;
  }
}

/** True when these bytes can't start the last line of a body. */
const differs = (buffer: Buffer): boolean => {
  const size = Math.min(buffer.byteLength, END.byteLength);
  return !buffer.subarray(0, size).equals(END.subarray(0, size));
};

function encryptionOf(socket: TLSSocket): Encryption {
  const shown = socket.getPeerCertificate();
  const time = (text: string | undefined): string => {
    const at = text === undefined ? Number.NaN : Date.parse(text);
    return Number.isNaN(at) ? '' : new Date(at).toISOString();
  };
  // Node's types say Error; the value is its code (tls.TLSSocket, "authorizationError").
  const distrust: unknown = socket.authorizationError;
  return {
    protocol: socket.getProtocol() ?? '',
    certificate: {
      subject: nameOf(shown.subject),
      issuer: nameOf(shown.issuer),
      validFrom: time(shown.valid_from),
      validTo: time(shown.valid_to),
      names: shown.subjectaltname ?? '',
    },
    distrust: socket.authorized ? undefined : wordOf(distrust),
  };
}

const wordOf = (distrust: unknown): SocketFault => {
  const code = typeof distrust === 'string' ? distrust : field(distrust, 'code');
  return typeof code === 'string' ? foreignCode(code) : 'certificate-not-trusted';
};

function nameOf(name: unknown): string {
  const part = (key: string): string => {
    const value = field(name, key);
    return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : '';
  };
  return [part('CN'), part('O')].filter((text) => text !== '').join(', ');
}

/** Connects, without TLS yet. Errors are those of `guardedConnect`. */
export async function connectSocket(
  server: { host: string; port: number },
  {
    rules,
    withinMs,
    listener,
  }: { rules: EndpointRules; withinMs: number; listener?: SocketListener | undefined },
): Promise<LineSocket> {
  return new LineSocket(await guardedConnect(server, rules, withinMs), server.host, listener);
}
