import type { Duplex } from 'node:stream';
import { LineReader, writeAll } from './line-reader.ts';
import { startTlsProxy, type TlsProxy, type TlsProxyOptions } from './tls-proxy.ts';

interface AboutMessages {
  /** The affected messages of the open folder, by UID. */
  readonly uids: (uid: number) => boolean;
  /** How often it occurs; without a number, always. */
  times?: number;
}

/**
 * Violations of RFC 3501 by mail servers, or allowed but unexpected behavior. Each was seen in production:
 * an unreadable file, a broken index, a proxy that gives up, a folder with other rights than its owner's.
 */
export type ImapMisbehaviour =
  /** The connection ends at the message: its length was announced and none of its bytes arrive. */
  | ({ readonly kind: 'break-off' } & AboutMessages)
  /**
   * The FETCH fails with NO at this message: it and the following ones are missing, the connection stays
   * open.
   */
  | ({ readonly kind: 'fail-fetch' } & AboutMessages)
  /** The response to a FETCH of bytes omits the message and ends with OK. */
  | ({ readonly kind: 'leave-out' } & AboutMessages)
  /** The response to a FETCH of sizes and times omits the message and ends with OK. */
  | ({ readonly kind: 'leave-out-facts' } & AboutMessages)
  /** Only the first bytes of the message are returned, as if it ended there. */
  | ({ readonly kind: 'short'; readonly bytes: number } & AboutMessages)
  /** No response to a partial FETCH has more bytes than this, whatever was requested. */
  | ({ readonly kind: 'small-pieces'; readonly bytes: number } & AboutMessages)
  /** RFC822.SIZE is not the size of the message. */
  | ({ readonly kind: 'wrong-size'; readonly size: number } & AboutMessages)
  /** The responses to these commands lack UIDNEXT, against RFC 3501 section 6.3.1. */
  | { readonly kind: 'no-uidnext'; readonly leftOutOf: readonly ('SELECT' | 'STATUS')[]; times?: number }
  /** A command is refused with NO: `UID STORE`, `UID MOVE`, `UID COPY`, `UID EXPUNGE`. */
  | { readonly kind: 'refuse'; readonly command: string; readonly says?: string; times?: number };

export interface MisbehavingImap extends TlsProxy {
  /** The faults from now on; an entry is removed once its `times` are used up. */
  readonly faults: ImapMisbehaviour[];
  /** How often each kind occurred. */
  struck(): Readonly<Record<string, number>>;
}

const longestLine = 64 * 1024 * 1024;

/** A proxy in front of any IMAP server (Dovecot or the npm mail server) that injects these faults. */
export async function startMisbehavingImap(options: TlsProxyOptions): Promise<MisbehavingImap> {
  const faults = new FaultList();
  const proxy = await startTlsProxy(options, ({ client, upstream, end }) => {
    Promise.race([answersTo(client, upstream, faults), commandsTo(upstream, client, faults)]).then(end, end);
  });
  return { ...proxy, faults: faults.list, struck: () => Object.fromEntries(faults.struck) };
}

class FaultList {
  readonly list: ImapMisbehaviour[] = [];
  readonly struck = new Map<string, number>();

  /** The first fault of this kind for the message, counted as one more occurrence. */
  about<K extends ImapMisbehaviour['kind']>(
    kind: K,
    uid: number,
  ): Extract<ImapMisbehaviour, { kind: K }> | undefined {
    return this.#strike(kind, (fault) => 'uids' in fault && fault.uids(uid));
  }

  hidesUidNext(command: 'SELECT' | 'STATUS'): boolean {
    return this.#strike('no-uidnext', ({ leftOutOf }) => leftOutOf.includes(command)) !== undefined;
  }

  refusal(command: string): Extract<ImapMisbehaviour, { kind: 'refuse' }> | undefined {
    return this.#strike('refuse', (fault) => fault.command === command);
  }

  #strike<K extends ImapMisbehaviour['kind']>(
    kind: K,
    concerns: (fault: Extract<ImapMisbehaviour, { kind: K }>) => boolean,
  ): Extract<ImapMisbehaviour, { kind: K }> | undefined {
    const isIt = (fault: ImapMisbehaviour): fault is Extract<ImapMisbehaviour, { kind: K }> =>
      fault.kind === kind;
    const fault = this.list.filter(isIt).find(concerns);
    if (fault === undefined) return undefined;
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
    if (fault.times !== undefined) {
      fault.times -= 1;
      if (fault.times <= 0) this.list.splice(this.list.indexOf(fault), 1);
    }
    return fault;
  }
}

/** One response: its lines, and between them the literals (RFC 3501 section 4.3). */
interface Response {
  readonly lines: string[];
  readonly literals: Buffer[];
}

async function readResponse(reader: LineReader): Promise<Response | undefined> {
  const lines: string[] = [];
  const literals: Buffer[] = [];
  for (;;) {
    const line = (await reader.line())?.toString('latin1');
    if (line === undefined) return undefined;
    const size = /\{(\d+)\}$/.exec(line)?.[1];
    lines.push(line);
    if (size === undefined) return { lines, literals };
    const bytes = await reader.bytes(Number(size));
    if (bytes === undefined) return undefined;
    literals.push(bytes);
  }
}

const written = ({ lines, literals }: Response): Buffer =>
  Buffer.concat(
    lines.flatMap((line, index) => [
      Buffer.from(`${line}\r\n`, 'latin1'),
      literals[index] ?? Buffer.alloc(0),
    ]),
  );

async function answersTo(client: Duplex, upstream: Duplex, faults: FaultList): Promise<void> {
  const reader = new LineReader(upstream, longestLine);
  // From the message at which the FETCH fails to the end of that command.
  let failing = false;
  for (let read = await readResponse(reader); read !== undefined; read = await readResponse(reader)) {
    const [first = ''] = read.lines;
    if (/^\* OK \[UIDNEXT /i.test(first) && faults.hidesUidNext('SELECT')) continue;
    if (/^\* STATUS .*\bUIDNEXT \d+/i.test(first) && faults.hidesUidNext('STATUS')) {
      await writeAll(client, `${first.replace(/ ?\bUIDNEXT \d+/i, '')}\r\n`);
      continue;
    }
    if (!/^\* \d+ FETCH /.test(first)) {
      const isEnd = failing && /^(?![*+])\S+ OK /.test(first);
      if (isEnd) failing = false;
      const tag = first.split(' ', 1)[0];
      await writeAll(client, isEnd ? `${tag} NO [SERVERBUG] Internal error occurred.\r\n` : written(read));
      continue;
    }
    if (failing) continue;
    const uid = Number(/\bUID (\d+)/.exec(read.lines.join(' '))?.[1] ?? 0);
    const hasBytes = read.lines.some((line) => /\bBODY\[\](?:<\d+>)? \{\d+\}$/.test(line));
    if (hasBytes && faults.about('break-off', uid) !== undefined) {
      await writeAll(client, `${first}\r\n`);
      return;
    }
    failing = hasBytes && faults.about('fail-fetch', uid) !== undefined;
    const leftOut = faults.about(hasBytes ? 'leave-out' : 'leave-out-facts', uid) !== undefined;
    if (!failing && !leftOut)
      await writeAll(client, written(hasBytes ? cut(read, uid, faults) : sized(read, uid, faults)));
  }
}

/** The message's bytes as far as the server returns them. */
function cut({ lines, literals }: Response, uid: number, faults: FaultList): Response {
  const changed = { lines: [...lines], literals: [...literals] };
  for (const [index, line] of lines.entries()) {
    const [, origin] = /\bBODY\[\](?:<(\d+)>)? \{\d+\}$/.exec(line) ?? [];
    const bytes = literals[index];
    if (bytes === undefined || !/\bBODY\[\]/.test(line)) continue;
    const most = [bytes.length];
    const short = faults.about('short', uid);
    if (short !== undefined) most.push(Math.max(0, short.bytes - Number(origin ?? 0)));
    const small = origin === undefined ? undefined : faults.about('small-pieces', uid);
    if (small !== undefined) most.push(small.bytes);
    changed.literals[index] = bytes.subarray(0, Math.min(...most));
    changed.lines[index] = line.replace(/\{\d+\}$/, `{${Math.min(...most)}}`);
  }
  return changed;
}

function sized(response: Response, uid: number, faults: FaultList): Response {
  if (!response.lines.some((line) => line.includes('RFC822.SIZE'))) return response;
  const fault = faults.about('wrong-size', uid);
  if (fault === undefined) return response;
  const lines = response.lines.map((line) => line.replace(/RFC822\.SIZE \d+/, `RFC822.SIZE ${fault.size}`));
  return { ...response, lines };
}

async function commandsTo(upstream: Duplex, client: Duplex, faults: FaultList): Promise<void> {
  const reader = new LineReader(client, longestLine);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const text = line.toString('latin1');
    const [, tag = '', command = ''] = /^(\S+) ((?:UID )?[A-Za-z]+)/.exec(text) ?? [];
    const literal = /\{(\d+)\+?\}$/.exec(text);
    const refusal = faults.refusal(command.toUpperCase());
    if (refusal !== undefined) {
      await writeAll(client, `${tag} NO ${refusal.says ?? `${command} is not allowed here.`}\r\n`);
      continue;
    }
    await writeAll(upstream, Buffer.concat([line, Buffer.from('\r\n')]));
    if (literal === null) continue;
    const bytes = await reader.bytes(Number(literal[1]));
    if (bytes === undefined) return;
    await writeAll(upstream, bytes);
  }
}
