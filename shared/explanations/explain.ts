import { type Code, codeFrom, foreignCode, isProblemCode, type ProblemCode } from '../platform/problem.ts';
import { entraEntries, entraEntry, lineEntries, lineEntry } from './catalogue.ts';
import { compareAddresses, differenceInWords } from './compare-addresses.ts';
import { explainedInDemo } from './demo-words.ts';
import type { Comparison, ExplainContext, Explanation, Meaning } from './explanation.ts';
import { linkTo, lookUp } from './links.ts';
import { errorWords, notRecognised, suberrorWords, unknownNumber } from './oauth-text.ts';
import { fill, safeContext } from './placeholders.ts';
import { problemMeanings } from './problem-meanings.ts';
import { type Reading, readEvidence } from './read-evidence.ts';
import { redact } from './redact.ts';

const LONGEST_SAID = 400;
const SENT_ADDRESS = /\bre(?:direct|ply) (?:URI|URL|address) ['"]([^'"\s]{1,600})['"]/i;
const DIFFERENT_ADDRESSES =
  /\breply address ['"]([^'"\s]{1,600})['"] does not match the reply address ['"]([^'"\s]{1,600})['"]/i;

/** An error as a person has seen it: from Microsoft, a mail server or Postroom. */
export interface ErrorEvidence {
  /** A response body, a URL, a copied page, a log line, or only a code. */
  text: string;
  context?: ExplainContext | undefined;
}

/** A failure that Postroom itself has had: no text has to be searched. */
export interface Failure {
  code: Code;
  /** `error` of OAuth, when the code is Microsoft’s number. */
  error?: string | undefined;
  /** Microsoft’s `suberror`. */
  suberror?: string | undefined;
  /**
   * The message of the provider or the server, without our own text. Where it is known, it explains more
   * than the code.
   */
  said?: string | undefined;
  correlationId?: string | undefined;
  traceId?: string | undefined;
  timestamp?: string | undefined;
}

/** An entry of the catalogue, and where it matched. */
interface Match {
  code: Code;
  meaning: Meaning;
  said: string;
  /** Entra's number, for the link to Microsoft's own page. */
  number?: number;
}

const unmatched: Match = { code: 'not-recognised', meaning: notRecognised, said: '' };

/**
 * Explains a pasted or sent error: what it means, who can fix it and how. Never throws; a text without a
 * known error gets the code `not-recognised` and asks for better input. Linear in the length of the text,
 * of which the first 1 MiB is read.
 */
export function explainText({ text, context = {} }: ErrorEvidence): Explanation {
  const reading = readEvidence(text);
  const match =
    numbered(reading) ?? spelledOut(reading) ?? inWords(reading) ?? oauthWord(reading) ?? logged(reading);
  return explanationOf(match ?? unmatched, reading, context);
}

/**
 * Explains a failure with a known code. Every `ProblemCode` has a meaning; only foreign texts can be
 * `not-recognised`. Never throws.
 */
export function explainProblem(problem: ProblemCode | Failure, context: ExplainContext = {}): Explanation {
  const failure: Failure = typeof problem === 'string' ? { code: problem } : problem;
  const reading = readingOf(failure);
  const match =
    numbered(reading) ?? inWords(reading) ?? ofCode(failure.code) ?? oauthWord(reading) ?? unmatched;
  return explanationOf(match, reading, context);
}

/** A failure in the form that the catalogue searches. */
function readingOf(failure: Failure): Reading {
  const { code, error, suberror, said = '', correlationId, traceId, timestamp } = failure;
  const reading = readEvidence(said);
  const number = /^AADSTS(\d{3,9})$/.exec(code)?.[1];
  return {
    ...reading,
    numbers: [...reading.numbers, ...(number === undefined ? [] : [Number(number)])],
    errors: [error ?? code],
    suberrors: suberror === undefined ? [] : [suberror],
    sentence: reading.sentence ?? (said === '' ? undefined : said),
    correlationId: correlationId ?? reading.correlationId,
    traceId: traceId ?? reading.traceId,
    timestamp: timestamp ?? reading.timestamp,
  };
}

function explanationOf(match: Match, reading: Reading, context: ExplainContext): Explanation {
  const safe = safeContext(context);
  const known = { ...safe, clientId: safe.clientId ?? reading.clientId };
  const difference = redirectDifference(match.number, reading, safe);
  const values = { ...known, correlationId: reading.correlationId };
  const steps = match.meaning.steps.map((step) => fill(step, values));
  const explanation: Explanation = {
    code: match.code,
    title: match.meaning.title,
    cause: match.meaning.cause,
    who: match.meaning.who,
    steps: difference === undefined ? steps : [difference.words, ...steps],
    links: [
      ...match.meaning.links.map((name) => linkTo(name, known)),
      ...(match.number === undefined ? [] : [lookUp(match.number, known)]),
    ],
    retry: match.meaning.retry,
    ...(reading.correlationId !== undefined && { correlationId: reading.correlationId }),
    ...(reading.traceId !== undefined && { traceId: reading.traceId }),
    ...(reading.timestamp !== undefined && { timestamp: reading.timestamp }),
    said: redact(match.said),
    ...(difference?.comparison !== undefined && { comparison: difference.comparison }),
  };
  return safe.demo === true ? explainedInDemo(explanation) : explanation;
}

/** By Microsoft's number, even if the catalogue does not have it. */
function numbered(reading: Reading): Match | undefined {
  const number = reading.numbers[0] ?? knownNumberAlone(reading.flat);
  if (number === undefined) return undefined;
  const said = reading.sentence ?? '';
  const entry = entraEntry(number);
  if (entry !== undefined) return { code: `AADSTS${number}`, meaning: entry, said, number };
  const word = wordMeaning(reading) ?? unknownNumber;
  const cause = said === '' ? word.cause : `${word.cause} Microsoft says: ${redact(said)}`;
  return { code: `AADSTS${number}`, meaning: { ...word, cause }, said, number };
}

/** A number alone counts as Entra's only if there is no other text and the catalogue has it. */
function knownNumberAlone(flat: string): number | undefined {
  if (!/^\d{5,7}$/.test(flat)) return undefined;
  return entraEntry(Number(flat)) === undefined ? undefined : Number(flat);
}

/** Only a code, of ours or of the catalogue. */
const spelledOut = ({ flat }: Reading): Match | undefined => (flat.length > 60 ? undefined : ofCode(flat));

function ofCode(code: string): Match | undefined {
  if (isProblemCode(code)) return { code, meaning: problemMeanings[code], said: '' };
  const entry = lineEntry(code);
  return entry === undefined ? undefined : { code: codeFrom(entry.code), meaning: entry, said: '' };
}

/** One of our codes before its message, as in the log: `bad-row: Providers/…`. */
function logged({ flat }: Reading): Match | undefined {
  const code = /(?:^|\berror: )([a-z0-9]{2,20}-[a-z0-9-]{2,30}): /.exec(flat)?.[1];
  return code === undefined ? undefined : ofCode(code);
}

/** By the text of a server, or of a Microsoft page without a number. */
function inWords({ flat, lines }: Reading): Match | undefined {
  for (const entry of entraEntries) {
    const match = entry.says?.exec(flat);
    const [number] = entry.numbers;
    if (match !== null && match !== undefined && number !== undefined)
      return { code: `AADSTS${number}`, meaning: entry, said: linesAround(lines, match), number };
  }
  for (const entry of lineEntries) {
    const match = entry.pattern.exec(flat);
    if (match !== null)
      return { code: codeFrom(entry.code), meaning: entry, said: linesAround(lines, match) };
  }
  return undefined;
}

/** Only by the OAuth error, as other providers respond. */
function oauthWord(reading: Reading): Match | undefined {
  const alone = reading.flat.length <= 40 ? { ...reading, errors: [reading.flat] } : reading;
  const meaning = wordMeaning(reading) ?? wordMeaning(alone);
  if (meaning === undefined) return undefined;
  const word =
    knownWord(errorWords, [...reading.errors, ...alone.errors]) ??
    knownWord(suberrorWords, reading.suberrors);
  const code = word === undefined ? 'not-recognised' : foreignCode(word);
  const description = /\berror_description["']?\s?[=:]\s?["']?([^\n]{1,400})/i.exec(reading.lines)?.[1];
  return { code, meaning, said: description?.trim() ?? '' };
}

/** `suberror` is more specific than `error`. */
function wordMeaning({ errors, suberrors }: Reading): Meaning | undefined {
  const narrower = knownWord(suberrorWords, suberrors);
  if (narrower !== undefined) return suberrorWords[narrower];
  const word = knownWord(errorWords, errors);
  return word === undefined ? undefined : errorWords[word];
}

const knownWord = (
  words: Readonly<Record<string, Meaning>>,
  candidates: readonly string[],
): string | undefined =>
  candidates.map((word) => word.toLowerCase()).find((word) => Object.hasOwn(words, word));

/** The whole lines of a match: the server's message as it was sent. */
function linesAround(lines: string, match: RegExpExecArray): string {
  const end = match.index + match[0].length;
  const from = Math.max(lines.lastIndexOf('\n', match.index) + 1, match.index - LONGEST_SAID / 2);
  const lineEnd = lines.indexOf('\n', end);
  const to = Math.min(lineEnd < 0 ? lines.length : lineEnd, end + LONGEST_SAID);
  return lines.slice(from, to).replaceAll('\n', ' ').slice(0, LONGEST_SAID).trim();
}

/** The two different redirect URIs, and a sentence about them. */
function redirectDifference(
  number: number | undefined,
  { flat }: Reading,
  { redirectUri }: ExplainContext,
): { words: string; comparison?: Comparison } | undefined {
  if (number === 500112) {
    const [, later, first] = DIFFERENT_ADDRESSES.exec(flat) ?? [];
    if (later === undefined || first === undefined) return undefined;
    const comparison = compareAddresses(redact(later), redact(first));
    const began = `The sign-in started with ${comparison.expected}, but the tokens were requested with ${comparison.sent}.`;
    return { words: `${began} ${differenceInWords(comparison)}`.trim(), comparison };
  }
  const sent = number === 50011 ? SENT_ADDRESS.exec(flat)?.[1] : undefined;
  if (sent === undefined || redirectUri === undefined) return undefined;
  if (sent === redirectUri)
    return {
      words: `Postroom sent its own redirect URI, ${redirectUri}, so it is missing from the app registration or different there.`,
    };
  const comparison = compareAddresses(redact(sent), redirectUri);
  const both = `The request contained ${comparison.sent}, but Postroom’s redirect URI is ${redirectUri}.`;
  return { words: `${both} ${differenceInWords(comparison)}`.trim(), comparison };
}
