/** The parts of a raw text that the catalogue needs. */
export interface Reading {
  /** The text with its line breaks, decoded. */
  lines: string;
  /** The same text on one line, with equal positions. */
  flat: string;
  /** Numbers of Microsoft Entra, the most specific first. */
  numbers: number[];
  /** The values of `error` and `suberror` of OAuth, in this order; some may not be OAuth's. */
  errors: string[];
  suberrors: string[];
  /** The text after the number: Microsoft's own message. */
  sentence: string | undefined;
  correlationId: string | undefined;
  traceId: string | undefined;
  timestamp: string | undefined;
  /** Of the app named in the error. */
  clientId: string | undefined;
}

const LONGEST_TEXT = 1024 * 1024;
const LONGEST_SENTENCE = 600;
const DEEPEST = 8;
const MAX_LEAVES = 2000;
const MAX_WORDS = 20;
// Entra's numbers have five digits and more; AADSTS0 and such are what broken programs print.
const NUMBER = /(?<![a-z0-9])AADSTS[ :#-]{0,3}([1-9]\d{3,8})(?!\d)/gi;
// AADSTS70002 only wraps the number that comes after it.
const WRAPPERS = new Set([70002]);
const SECRET_NAME = /token$|secret$|password|assertion$|authorization|cookie|verifier/i;
const GUID = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})';
// Names and values as JSON, addresses, pages and logs write them: `name: value`, `"name":"value"`, `name=value`.
const CORRELATION_ID = new RegExp(`\\bcorrelation[ _-]?id["']?\\s?[=:]?\\s?["']?${GUID}`, 'i');
const TRACE_ID = new RegExp(`\\b(?:trace|request)[ _-]?id["']?\\s?[=:]?\\s?["']?${GUID}`, 'i');
const APP_ID = new RegExp(`\\b(?:application|app)(?: with (?:id|identifier))? ?['"(]?${GUID}`, 'i');
const TIMESTAMP = /\btimestamp["']?\s?[=:]?\s?["']?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)/i;
const ERROR = /\berror["']?\s?[=:]\s?["']?([a-z_]{5,40})\b/gi;
const SUBERROR = /\bsuberror["']?\s?[=:]\s?["']?([a-z_]{5,40})\b/gi;

/** Reads bodies, addresses, copied pages and lines of a log. Pure; linear in the length of the text. */
export function readEvidence(raw: string): Reading {
  const text = raw.slice(0, LONGEST_TEXT);
  const lines = tidy(decoded(jsonLeaves(text) ?? text));
  const flat = lines.replaceAll('\n', ' ');
  const numbers = numbersIn(flat);
  return {
    lines,
    flat,
    numbers,
    errors: wordsAfter(flat, ERROR),
    suberrors: wordsAfter(flat, SUBERROR),
    sentence: sentenceIn(flat, numbers[0]),
    correlationId: CORRELATION_ID.exec(flat)?.[1],
    traceId: TRACE_ID.exec(flat)?.[1],
    timestamp: TIMESTAMP.exec(flat)?.[1],
    clientId: APP_ID.exec(flat)?.[1],
  };
}

function wordsAfter(flat: string, pattern: RegExp): string[] {
  const words: string[] = [];
  for (const [, word] of flat.matchAll(pattern)) {
    if (word !== undefined) words.push(word);
    if (words.length >= MAX_WORDS) break;
  }
  return words;
}

/** A JSON object in the text, as one `name: value` a line without what is secret; undefined when there is none. */
function jsonLeaves(text: string): string | undefined {
  const [first, last] = [text.indexOf('{'), text.lastIndexOf('}')];
  if (first < 0 || last <= first) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text.slice(first, last + 1));
  } catch {
    return undefined;
  }
  const leaves: string[] = [];
  collect(value, 'value', 0, leaves);
  return [text.slice(0, first), ...leaves, text.slice(last + 1)].join('\n');
}

function collect(value: unknown, name: string, depth: number, leaves: string[]): void {
  if (leaves.length >= MAX_LEAVES || depth > DEEPEST || SECRET_NAME.test(name)) return;
  if (typeof value === 'string') leaves.push(`${name}: ${value}`);
  // Microsoft's numbers also appear alone, in `error_codes`.
  else if (name === 'error_codes' && Number.isInteger(value)) leaves.push(`${name}: AADSTS${value}`);
  else if (typeof value === 'number' || typeof value === 'boolean') leaves.push(`${name}: ${value}`);
  else if (Array.isArray(value)) for (const entry of value) collect(entry, name, depth + 1, leaves);
  else if (typeof value === 'object' && value !== null)
    for (const [key, entry] of Object.entries(value)) collect(entry, key, depth + 1, leaves);
}

/** Undoes the encodings in which an error is copied: of an address, of HTML, of a JSON string inside a text. */
function decoded(text: string): string {
  let plain = text;
  if (/%[0-9a-f]{2}/i.test(plain) || /[?&#]error_description=/.test(plain)) {
    // The end of a parameter must stay one, or its neighbours (the state above all) become part of the sentence.
    plain = plain.replaceAll(
      /[?&#]?\b([a-z_]{2,30})=([^&\s"'<>]{1,8000})/gi,
      (_, name: string, value: string) =>
        isSecretName(name, value) ? '\n' : `\n${name}=${percentDecoded(value.replaceAll('+', ' '))}\n`,
    );
    plain = percentDecoded(plain);
  }
  if (/<\/?[a-z!]/i.test(plain)) plain = plain.replaceAll(/<[a-z!/][^<>]{0,2000}>/gi, '\n');
  return plain
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\[rn]/g, '\n')
    .replaceAll(/\\(["'/])/g, '$1')
    .replaceAll(/&#(x?)([0-9a-f]{1,5});/gi, (_, hex: string, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, hex === '' ? 10 : 16)),
    )
    .replaceAll(/&(quot|apos|lt|gt|nbsp|amp);/g, (_, name: string) => entities[name] ?? ' ');
}

const entities: Readonly<Record<string, string>> = {
  quot: '"',
  apos: "'",
  lt: '<',
  gt: '>',
  nbsp: ' ',
  amp: '&',
};

/** `code` is also the parameter of Microsoft's page about a number. */
const isSecretName = (name: string, value: string): boolean =>
  SECRET_NAME.test(name) || /state$/i.test(name) || (name === 'code' && !/^\d{3,9}$/.test(value));

/** Whole sequences at a time, because a letter may be several bytes; broken ones stay as they are. */
const percentDecoded = (text: string): string =>
  text.replaceAll(/(?:%[0-9a-f]{2}){1,300}/gi, (sequence) => {
    try {
      return decodeURIComponent(sequence);
    } catch {
      return sequence;
    }
  });

/** One space for any run of white space, one line break where it held one; quotation marks of a reply are dropped. */
const tidy = (text: string): string =>
  text
    .replaceAll(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, '')
    .replaceAll(/\s+/g, (space) => (/[\n\r\u2028\u2029]/.test(space) ? '\n' : ' '))
    .replaceAll(/\n(?:[>|] ?){1,8}/g, '\n')
    .trim();

function numbersIn(flat: string): number[] {
  const found = new Set<number>();
  for (const [, digits] of flat.matchAll(NUMBER)) {
    if (digits !== undefined) found.add(Number(digits));
    if (found.size >= MAX_WORDS) break;
  }
  // Older pages of Microsoft give the number in a field of its own, beside the ids for support.
  const field = /\berror code: ?([1-9]\d{4,8})\b/i.exec(flat)?.[1];
  if (field !== undefined && /\bcorrelation id\b/i.test(flat)) found.add(Number(field));
  const page = /\blogin\.[\w.-]{5,60}\/error\?code=([1-9]\d{3,8})\b/i.exec(flat)?.[1];
  if (page !== undefined) found.add(Number(page));
  const numbers = [...found];
  return [...numbers.filter((n) => !WRAPPERS.has(n)), ...numbers.filter((n) => WRAPPERS.has(n))];
}

/** From the number to the ids for support, which belong to every error and are kept by themselves. */
function sentenceIn(flat: string, number: number | undefined): string | undefined {
  if (number === undefined) return undefined;
  const mark = new RegExp(`AADSTS[ :#-]{0,3}${number}\\s?:\\s`, 'i').exec(flat);
  if (mark === null) return undefined;
  const rest = flat.slice(mark.index + mark[0].length, mark.index + mark[0].length + 4000);
  const end = rest.search(
    /\b(?:Trace ID|Correlation ID|Request Id|Timestamp|Troubleshooting details|error_codes|error_uri|error_subcode|session_state|Flag sign-in)\b|"\s?[,}]|\s[&?]\w+=/i,
  );
  const sentence = (end < 0 ? rest : rest.slice(0, end)).trim();
  if (sentence === '') return undefined;
  return sentence.length > LONGEST_SENTENCE ? `${sentence.slice(0, LONGEST_SENTENCE)}…` : sentence;
}
