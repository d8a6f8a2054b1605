import type { LineReader } from '../line-reader.ts';

export type Token =
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'string'; readonly bytes: Buffer }
  | { readonly kind: 'list'; readonly items: readonly Token[] };

export interface Command {
  readonly tag: string;
  /** In upper case; `UID FETCH` and the like are one name. */
  readonly name: string;
  readonly args: readonly Token[];
}

/** A command that cannot be parsed or has invalid arguments: answered with BAD and the message. */
export class BadCommand extends Error {}

/** Enough for the largest email (100 MB) in base64. */
const largestLiteral = 150 * 1024 * 1024;
/** The length that every server accepts and no client may exceed without asking (RFC 7162 section 4). */
const longestLine = 8192;

/**
 * Reads one command with its literals (RFC 3501 §4.3, LITERAL+ of RFC 7888). `goOn` is called before a
 * literal that the client holds back. Undefined when the connection is over.
 */
export async function readCommand(
  reader: LineReader,
  goOn: () => Promise<void>,
): Promise<{ tag: string; command?: Command } | undefined> {
  const parts: (string | Buffer)[] = [];
  for (;;) {
    const line = await reader.line();
    if (line === undefined) return undefined;
    const text = line.toString('latin1');
    if (text.length > longestLine) return { tag: /^[\w.]+/.exec(text)?.[0] ?? '*' };
    const literal = /\{(\d{1,12})(\+?)\}$/.exec(text);
    if (literal === null) {
      parts.push(text);
      break;
    }
    const size = Number(literal[1]);
    if (size > largestLiteral) return undefined;
    if (literal[2] === '') await goOn();
    const bytes = await reader.bytes(size);
    if (bytes === undefined) return undefined;
    parts.push(text.slice(0, literal.index), bytes);
  }
  const tag = /^[^\s(){%*"\\+]+/.exec(String(parts[0]))?.[0] ?? '*';
  try {
    return { tag, command: toCommand(parts) };
  } catch (error) {
    if (error instanceof BadCommand) return { tag };
    throw error;
  }
}

function toCommand(parts: readonly (string | Buffer)[]): Command {
  const [tag, verb, ...rest] = tokenize(parts);
  if (tag?.kind !== 'atom' || verb?.kind !== 'atom') throw new BadCommand('Command Error. 10');
  const name = verb.text.toUpperCase();
  const [second] = rest;
  if (name === 'UID' && second?.kind === 'atom') {
    return { tag: tag.text, name: `UID ${second.text.toUpperCase()}`, args: rest.slice(1) };
  }
  return { tag: tag.text, name, args: rest };
}

function tokenize(parts: readonly (string | Buffer)[]): readonly Token[] {
  const open: Token[][] = [[]];
  const add = (token: Token) => open.at(-1)?.push(token);
  for (const part of parts) {
    if (typeof part !== 'string') {
      add({ kind: 'string', bytes: part });
      continue;
    }
    // In an atom a bracket holds whatever stands inside it: `BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.99>`.
    const word = /\s+|(\()|(\))|"((?:[^"\\]|\\.)*)"|((?:[^\s()"[]|\[[^\]]*\])+)/y;
    while (word.lastIndex < part.length) {
      const found = word.exec(part);
      if (found === null) throw new BadCommand('Command Argument Error. 11');
      const [, opening, closing, quoted, atom] = found;
      if (opening !== undefined) open.push([]);
      else if (closing !== undefined) {
        const items = open.pop();
        if (items === undefined || open.length === 0) throw new BadCommand('Command Argument Error. 11');
        add({ kind: 'list', items });
      } else if (quoted !== undefined) {
        add({ kind: 'string', bytes: Buffer.from(quoted.replace(/\\(.)/g, '$1'), 'latin1') });
      } else if (atom !== undefined) add({ kind: 'atom', text: atom });
    }
  }
  const [tokens, ...unclosed] = open;
  if (tokens === undefined || unclosed.length > 0) throw new BadCommand('Command Argument Error. 11');
  return tokens;
}

/** The text of an atom or string (as Latin-1, byte for byte); refuses lists and what is missing. */
export function textOfToken(token: Token | undefined): string {
  if (token?.kind === 'atom') return token.text;
  if (token?.kind === 'string') return token.bytes.toString('latin1');
  throw new BadCommand('Command Argument Error. 11');
}

export function listOf(token: Token | undefined): readonly Token[] {
  if (token?.kind === 'list') return token.items;
  throw new BadCommand('Command Argument Error. 11');
}

/** A set such as `1:4,7,9:*` as a test. `highest` stands for `*`. */
export function readSet(text: string, highest: number): (value: number) => boolean {
  const ranges = text.split(',').map((range) => {
    if (!/^(\d+|\*)(:(\d+|\*))?$/.test(range)) throw new BadCommand('Command Argument Error. 12');
    const [from = 0, to = from] = range.split(':').map((end) => (end === '*' ? highest : Number(end)));
    return { low: Math.min(from, to), high: Math.max(from, to) };
  });
  return (value) => ranges.some(({ low, high }) => low <= value && value <= high);
}

/** As a quoted string, or as a literal where quoting is not possible. */
export function quoted(text: string | undefined): string {
  if (text === undefined) return 'NIL';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what a quoted string must not hold.
  if (/[\x00\r\n\x80-\uffff]/.test(text)) {
    const bytes = Buffer.from(text, 'latin1');
    return `{${bytes.length}}\r\n${bytes.toString('latin1')}`;
  }
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
