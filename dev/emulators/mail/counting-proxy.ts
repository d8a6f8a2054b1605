import type { TLSSocket } from 'node:tls';
import { startTlsProxy, type TlsProxy, type TlsProxyOptions } from './tls-proxy.ts';

export interface CountingProxyOptions extends TlsProxyOptions {
  /** Milliseconds added to each round trip; the TLS handshake itself is not slowed. */
  readonly delayMs?: number;
}

export interface CountingProxy extends TlsProxy {
  /** Commands by verb; `UID FETCH` and the like count as one verb. */
  counts(): Readonly<Record<string, number>>;
  /** Connections, and bytes in each direction. */
  totals(): { readonly connections: number; readonly fromClient: number; readonly fromServer: number };
  /** Resets everything to zero. */
  reset(): void;
}

/** An IMAP proxy that changes nothing, counts the client's commands, and can add latency. */
export async function countingProxy(options: CountingProxyOptions): Promise<CountingProxy> {
  const { delayMs = 0 } = options;
  const commands = new Map<string, number>();
  const totals = { connections: 0, fromClient: 0, fromServer: 0 };
  const proxy = await startTlsProxy(options, ({ client, upstream }) => {
    totals.connections += 1;
    const counter = new CommandCounter((verb) => commands.set(verb, (commands.get(verb) ?? 0) + 1));
    client.on('data', (chunk: Buffer) => {
      totals.fromClient += chunk.length;
      counter.take(chunk);
      // Timers of equal length fire in order, so the chunks keep theirs.
      if (delayMs > 0) setTimeout(() => pass(chunk, client, upstream), delayMs);
      else pass(chunk, client, upstream);
    });
    upstream.on('data', (chunk: Buffer) => {
      totals.fromServer += chunk.length;
      pass(chunk, upstream, client);
    });
  });
  return {
    ...proxy,
    counts: () => Object.fromEntries(commands),
    totals: () => ({ ...totals }),
    reset() {
      commands.clear();
      Object.assign(totals, { connections: 0, fromClient: 0, fromServer: 0 });
    },
  };
}

function pass(chunk: Buffer, from: TLSSocket, to: TLSSocket): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** Finds commands in the client's bytes; skips literals, sign-in responses and DONE. */
class CommandCounter {
  readonly #found: (verb: string) => void;
  #line = '';
  #literal = 0;
  #insideCommand = false;

  constructor(found: (verb: string) => void) {
    this.#found = found;
  }

  take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#literal > 0) {
        const skipped = Math.min(this.#literal, chunk.length - at);
        this.#literal -= skipped;
        at += skipped;
        continue;
      }
      const newline = chunk.indexOf(0x0a, at);
      this.#line += chunk.toString('latin1', at, newline < 0 ? chunk.length : newline);
      if (newline < 0) return;
      this.#count(this.#line.trimEnd());
      this.#line = '';
      at = newline + 1;
    }
  }

  #count(line: string): void {
    const verb = /^\S+ ((?:UID )?[A-Za-z]+)/i.exec(line)?.[1];
    if (!this.#insideCommand && verb !== undefined) this.#found(verb.toUpperCase());
    this.#literal = Number(/\{(\d+)\+?\}$/.exec(line)?.[1] ?? 0);
    this.#insideCommand = /\{\d+\+?\}$/.test(line);
  }
}
