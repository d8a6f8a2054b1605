import { isAscii, isUtf8 } from 'node:buffer';
import type { TextGuesser } from './charset-detection.ts';
import { correctText } from './declared-charset.ts';
import { readableParameters } from './extended-parameters.ts';
import { latin1 } from './raw-headers.ts';

/**
 * The value of a header field as UTF-8, in which every encoded word (RFC 2047) and every parameter (RFC 2231)
 * is ASCII and declares its real charset, so that a library decodes it correctly. Undefined when no change is
 * needed.
 * @param line the unfolded value
 * @param guesser decodes text with a missing or false charset
 */
export async function readableValue(line: Uint8Array, guesser: TextGuesser): Promise<string | undefined> {
  const value = latin1(line);
  if (isAscii(line) && !value.includes('=?') && !value.includes('*=')) return undefined;
  const runs = wordRuns(value);
  const pieces: string[] = [];
  let position = 0;
  for (const run of runs) {
    const words = await correctWords(run, guesser);
    pieces.push(value.slice(position, run.start), words ?? value.slice(run.start, run.end));
    position = run.end;
  }
  pieces.push(value.slice(position));
  const repaired = await readableParameters(pieces.join(''), guesser);
  if (repaired === value && isUtf8(line)) return undefined;
  return guesser.decode(Buffer.from(repaired, 'latin1'));
}

/** Adjacent encoded words of one charset: a character may be split across two of them. */
interface WordRun {
  start: number;
  end: number;
  charset: string;
  words: { whole: string; encoding: string; content: string }[];
}

/** More addresses than a list stores; hostile email has thousands of words. */
const RUNS = 250;
const wordPattern = /=\?([^?\s*]{1,60})(?:\*[\w-]{0,20})?\?([bq])\?([^?]*)\?=/gi;

function wordRuns(value: string): WordRun[] {
  const runs: WordRun[] = [];
  for (const { 0: whole, 1: charset = '', 2: encoding = '', 3: content = '', index } of value.matchAll(
    wordPattern,
  )) {
    if (runs.length >= RUNS) break;
    const last = runs.at(-1);
    const end = index + whole.length;
    const word = { whole, encoding: encoding.toLowerCase(), content };
    if (last?.charset === charset.toLowerCase() && value.slice(last.end, index).trim() === '') {
      last.words.push(word);
      last.end = end;
    } else runs.push({ start: index, end, charset: charset.toLowerCase(), words: [word] });
  }
  return runs;
}

/** Undefined when the words are correct as they are. */
async function correctWords({ charset, words }: WordRun, guesser: TextGuesser): Promise<string | undefined> {
  const bytes = Buffer.concat(words.map(({ encoding, content }) => wordBytes(encoding, content)));
  const text = await correctText(bytes, { charset, isHtml: false }, guesser);
  if (text !== undefined) return `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
  // A library would decode 8-bit bytes inside a word twice: by the field's charset and by the word's.
  if (words.every(({ whole }) => !/[\x80-\xff]/.test(whole))) return undefined;
  return words.map(({ whole }) => whole.replace(/[\x80-\xff]/g, escaped)).join(' ');
}

const escaped = (byte: string): string => `=${byte.charCodeAt(0).toString(16).toUpperCase()}`;

function wordBytes(encoding: string, content: string): Buffer {
  if (encoding === 'b') return Buffer.from(content, 'base64');
  const text = content
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
