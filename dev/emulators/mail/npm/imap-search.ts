import { BadCommand, readSet, type Token, textOfToken } from './imap-command.ts';
import type { StoredMail } from './journal.ts';
import { type Entity, headerValue, readEntity } from './mime-structure.ts';

export interface Candidate {
  readonly mail: StoredMail;
  /** Sequence number. */
  readonly number: number;
  /** Reads the mail; dear, so asked last. */
  raw(): Buffer;
}

export type Criterion = (candidate: Candidate) => boolean;

/** `*` of sequence numbers and of UIDs. */
export interface Highest {
  readonly number: number;
  readonly uid: number;
}

const flagKeys: Record<string, string> = {
  ANSWERED: '\\Answered',
  DELETED: '\\Deleted',
  DRAFT: '\\Draft',
  FLAGGED: '\\Flagged',
  SEEN: '\\Seen',
};

/** Reads the keys of RFC 3501 §6.4.4, all of which must hold. Throws BadCommand at an unknown one. */
export function readCriteria(tokens: readonly Token[], highest: Highest): Criterion {
  const waiting = [...tokens];
  if (keyOf(waiting[0]) === 'CHARSET') waiting.splice(0, 2);
  const all: Criterion[] = [];
  while (waiting.length > 0) all.push(readOne(waiting, highest));
  if (all.length === 0) throw new BadCommand('Command Argument Error. 11');
  return (candidate) => all.every((criterion) => criterion(candidate));
}

function keyOf(token: Token | undefined): string {
  return token?.kind === 'atom' ? token.text.toUpperCase() : '';
}

function readOne(waiting: Token[], highest: Highest): Criterion {
  const token = waiting.shift();
  if (token === undefined) throw new BadCommand('Command Argument Error. 11');
  if (token.kind === 'list') return readCriteria(token.items, highest);
  const key = keyOf(token);
  const next = () => textOfToken(waiting.shift());
  if (/^[\d*]/.test(key)) {
    const inSet = readSet(key, highest.number);
    return ({ number }) => inSet(number);
  }
  switch (key) {
    case 'ALL':
    case 'OLD':
      return () => true;
    // \Recent is never set, as with Exchange Online.
    case 'NEW':
    case 'RECENT':
      return () => false;
    case 'NOT': {
      const inner = readOne(waiting, highest);
      return (candidate) => !inner(candidate);
    }
    case 'OR': {
      const [one, other] = [readOne(waiting, highest), readOne(waiting, highest)];
      return (candidate) => one(candidate) || other(candidate);
    }
    case 'UID': {
      const inSet = readSet(next(), highest.uid);
      return ({ mail }) => inSet(mail.uid);
    }
    case 'KEYWORD':
      return hasFlag(next());
    case 'UNKEYWORD':
      return not(hasFlag(next()));
    case 'LARGER': {
      const size = Number(next());
      return ({ mail }) => mail.size > size;
    }
    case 'SMALLER': {
      const size = Number(next());
      return ({ mail }) => mail.size < size;
    }
    case 'BEFORE':
    case 'ON':
    case 'SINCE':
      return dayTest(key, next(), ({ mail }) => mail.date);
    case 'SENTBEFORE':
    case 'SENTON':
    case 'SENTSINCE':
      return dayTest(key.slice(4), next(), (candidate) => Date.parse(headerText(candidate, 'date')));
    case 'HEADER': {
      const [name, text] = [next().toLowerCase(), next()];
      return (candidate) =>
        headerValue(header(candidate).headers, name) !== undefined &&
        holds(headerText(candidate, name), text);
    }
    case 'SUBJECT':
    case 'FROM':
    case 'TO':
    case 'CC':
    case 'BCC': {
      const text = next();
      return (candidate) => holds(headerText(candidate, key.toLowerCase()), text);
    }
    case 'BODY':
    case 'TEXT': {
      const text = next();
      return (candidate) => {
        const raw = candidate.raw();
        return holds(raw.toString('latin1', key === 'BODY' ? readEntity(raw).bodyStart : 0), text);
      };
    }
    default: {
      const flag = flagKeys[key];
      if (flag !== undefined) return hasFlag(flag);
      const unset = key.startsWith('UN') ? flagKeys[key.slice(2)] : undefined;
      if (unset !== undefined) return not(hasFlag(unset));
      throw new BadCommand('Command Argument Error. 11');
    }
  }
}

function not(criterion: Criterion): Criterion {
  return (candidate) => !criterion(candidate);
}

function hasFlag(flag: string): Criterion {
  const wanted = flag.toLowerCase();
  return ({ mail }) => mail.flags.some((one) => one.toLowerCase() === wanted);
}

/** Dates are compared by day, without time or zone (RFC 3501 §6.4.4). */
function dayTest(key: string, text: string, timeOf: (candidate: Candidate) => number): Criterion {
  const day = Date.parse(`${text} 00:00:00 GMT`);
  if (Number.isNaN(day)) throw new BadCommand('Command Argument Error. 11');
  const milliseconds = 86_400_000;
  return (candidate) => {
    const time = timeOf(candidate);
    if (Number.isNaN(time)) return false;
    if (key === 'BEFORE') return time < day;
    return key === 'ON' ? time >= day && time < day + milliseconds : time >= day;
  };
}

function header(candidate: Candidate): Entity {
  return readEntity(candidate.raw());
}

function headerText(candidate: Candidate, name: string): string {
  return decodeWords(headerValue(header(candidate).headers, name) ?? '');
}

/** The client's text comes as bytes, mostly UTF-8; so does a raw body. Either form may match. */
function holds(text: string, wanted: string): boolean {
  const haystack = text.toLowerCase();
  const decoded = Buffer.from(wanted, 'latin1').toString('utf8');
  return haystack.includes(wanted.toLowerCase()) || haystack.includes(decoded.toLowerCase());
}

/** Encoded words of RFC 2047 in a header made readable. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(
      /=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi,
      (word, charset: string, encoding: string, data: string) => {
        const bytes =
          encoding.toLowerCase() === 'b'
            ? Buffer.from(data, 'base64')
            : Buffer.from(
                data
                  .replaceAll('_', ' ')
                  .replace(/=([0-9a-f]{2})/gi, (_code, hex: string) =>
                    String.fromCharCode(Number.parseInt(hex, 16)),
                  ),
                'latin1',
              );
        try {
          return new TextDecoder(charset).decode(bytes);
        } catch {
          return word;
        }
      },
    );
}
