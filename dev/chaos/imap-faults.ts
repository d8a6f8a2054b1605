import type { TLSSocket } from 'node:tls';
import { startTlsProxy, type TlsProxy, type TlsProxyOptions } from '../emulators/mail/tls-proxy.ts';
import type { Chance } from './chance.ts';
import type { Weather } from './weather.ts';

export interface FaultyImapOptions extends TlsProxyOptions {
  weather: Weather;
  chance: Chance;
}

/** A stall may be longer than every timeout of the app. */
const STALL_MS = { low: 5_000, high: 75_000 };
const COMMAND =
  /^(\S+) (?:UID )?(STORE|MOVE|EXPUNGE|FETCH|SEARCH|SELECT|AUTHENTICATE|STATUS|LOGOUT)\b([^\r\n]*)/i;

/**
 * An IMAP proxy whose connections break, stall, slow down or are refused, per command, at the current
 * failure rates.
 */
export function faultyImap({ weather, chance, ...options }: FaultyImapOptions): Promise<TlsProxy> {
  return startTlsProxy(options, ({ client, upstream, end }) => {
    const connection = new Connection(client, upstream, chance, end);
    client.on('data', (data: Buffer) => {
      const [, tag = '', verb, rest = ''] = COMMAND.exec(data.toString('latin1')) ?? [];
      if (verb === undefined || !chance.happens(weather.imap)) {
        upstream.write(data);
        return;
      }
      const fault = chance.pick(faultsAt(verb.toUpperCase(), rest));
      weather.count(`imap: ${fault}`);
      connection.strike(fault, tag, data);
    });
    upstream.on('data', (data: Buffer) => connection.pass(data));
  });
}

type ImapFault =
  | 'break before'
  | 'break after, unanswered'
  | 'NO'
  | 'BYE'
  | 'stall'
  | 'break inside the answer'
  | 'stall inside the answer'
  | 'drip';

function faultsAt(verb: string, rest: string): readonly ImapFault[] {
  if (verb === 'STORE' || verb === 'MOVE' || verb === 'EXPUNGE')
    // Twice as likely, because it is the worst case: the server acted and the client got no response.
    return ['break after, unanswered', 'break after, unanswered', 'break before', 'NO', 'stall'];
  if (verb === 'FETCH' && /BODY/i.test(rest))
    return [
      'break inside the answer',
      'break inside the answer',
      'stall inside the answer',
      'drip',
      'BYE',
      'NO',
    ];
  if (verb === 'AUTHENTICATE') return ['break before'];
  return verb === 'LOGOUT' ? ['stall'] : ['break before', 'NO', 'BYE', 'stall'];
}

/** The current fault of one connection. */
class Connection {
  readonly #client: TLSSocket;
  readonly #upstream: TLSSocket;
  readonly #chance: Chance;
  readonly #end: () => void;
  /** Bytes of the response that still pass; then `#atLimit` runs. */
  #limit = Number.POSITIVE_INFINITY;
  #atLimit: () => void = () => undefined;
  #silent = false;
  #drips = false;

  constructor(client: TLSSocket, upstream: TLSSocket, chance: Chance, end: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#chance = chance;
    this.#end = end;
  }

  strike(fault: ImapFault, tag: string, data: Buffer): void {
    switch (fault) {
      case 'break before':
        this.#end();
        return;
      case 'break after, unanswered':
        this.#silent = true;
        this.#upstream.once('data', () => setTimeout(this.#end, 20));
        break;
      case 'NO':
        this.#client.write(`${tag} NO [UNAVAILABLE] Server busy\r\n`);
        return;
      case 'BYE':
        this.#client.write('* BYE Server shuts down\r\n');
        setTimeout(this.#end, 5);
        return;
      case 'stall':
        this.#stall();
        return;
      case 'break inside the answer':
        // Usually near the start.
        this.#limit = Math.floor(this.#chance.between(0, 1) ** 2 * 60_000);
        this.#atLimit = this.#end;
        break;
      case 'stall inside the answer':
        this.#limit = Math.floor(this.#chance.between(0, 20_000));
        this.#atLimit = () => this.#stall();
        break;
      case 'drip':
        this.#drips = true;
    }
    this.#upstream.write(data);
  }

  pass(data: Buffer): void {
    if (this.#silent || this.#client.destroyed) return;
    if (data.length >= this.#limit) {
      this.#client.write(data.subarray(0, this.#limit), () => this.#atLimit());
      this.#silent = true;
      return;
    }
    this.#limit -= data.length;
    const more = this.#client.write(data);
    if (more && !this.#drips) return;
    this.#upstream.pause();
    if (this.#drips) setTimeout(() => this.#upstream.resume(), 150);
    else this.#client.once('drain', () => this.#upstream.resume());
  }

  #stall(): void {
    setTimeout(this.#end, this.#chance.between(STALL_MS.low, STALL_MS.high)).unref();
  }
}
