import { entraEntries, entraEntry, lineEntries, lineEntry } from './catalogue.ts';
import { compareAddresses, differenceInWords } from './compare-addresses.ts';
import { type Code, codeFrom, foreignCode, isProblemCode, type ProblemCode } from '../platform/problem.ts';
import type { Comparison, ExplainContext, Explanation, Meaning } from './explanation.ts';
import { explainedInDemo } from './demo-words.ts';
import { linkTo, lookUp } from './links.ts';
import { redact } from './redact.ts';
import { errorWords, notRecognised, suberrorWords, unknownNumber } from './oauth-text.ts';
import { fill, safeContext } from './placeholders.ts';
import { problemMeanings } from './problem-meanings.ts';
import { type Reading, readEvidence } from './read-evidence.ts';

const LONGEST_SAID = 400;
const SENT_ADDRESS = /\bre(?:direct|ply) (?:URI|URL|address) ['"]([^'"\s]{1,600})['"]/i;
const DIFFERENT_ADDRESSES =
  /\breply address ['"]([^'"\s]{1,600})['"] does not match the reply address ['"]([^'"\s]{1,600})['"]/i;

/** An error that somebody saw: of Microsoft, of a mail server, or of Postroom. */
export interface ErrorEvidence {
  /** A body, an address, a copied page, a line of a log, or a code alone. */
  text: string;
  context?: ExplainContext | undefined;
}

/** A failure that Postroom has met itself, so that nothing has to be looked for in a text. */
export interface Failure {
  code: Code;
  /** `error` of OAuth, where the code is Microsoft’s number. */
  error?: string | undefined;
  /** Microsoft’s `suberror`. */
  suberror?: string | undefined;
  /** What the provider or the server said, and nothing of ours. It explains more than the code wherever it is known. */
  said?: string | undefined;
  correlationId?: string | undefined;
  traceId?: string | undefined;
  timestamp?: string | undefined;
}

/** An error of the catalogue, and where it was found. */
interface Match {
  code: Code;
  meaning: Meaning;
  said: string;
  /** Of Entra, for the link to Microsoft's own page. */
  number?: number;
}

const unmatched: Match = { code: 'not-recognised', meaning: notRecognised, said: '' };

/**
 * Says what an error that somebody pasted or sent means, who can mend it and how. Never throws; a text without a known
 * error gives the code `not-recognised` and says what to paste. Linear in the length of the text, of which the first
 * 1 MiB is read.
 */
export function explainText({ text, context = {} }: ErrorEvidence): Explanation {
  const reading = readEvidence(text);
  const match =
    numbered(reading) ?? spelledOut(reading) ?? inWords(reading) ?? oauthWord(reading) ?? logged(reading);
  return explanationOf(match ?? unmatched, reading, context);
}

/**
 * Says the same of a failure whose code is at hand. Every `ProblemCode` has a meaning; `not-recognised` is left for words
 * of others that the catalogue does not have. Never throws.
 */
export function explainProblem(problem: ProblemCode | Failure, context: ExplainContext = {}): Explanation {
  const failure: Failure = typeof problem === 'string' ? { code: problem } : problem;
  const reading = readingOf(failure);
  const match =
    numbered(reading) ?? inWords(reading) ?? ofCode(failure.code) ?? oauthWord(reading) ?? unmatched;
  return explanationOf(match, reading, context);
}

/** What a failure holds, in the places where the catalogue looks for it. */
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

/** By Microsoft's number, whether or not the catalogue has it. */
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

/** A bare number is one of Entra's only when it is all there is, and known. */
function knownNumberAlone(flat: string): number | undefined {
  if (!/^\d{5,7}$/.test(flat)) return undefined;
  return entraEntry(Number(flat)) === undefined ? undefined : Number(flat);
}

/** A code of ours or of the catalogue, alone. */
const spelledOut = ({ flat }: Reading): Match | undefined => (flat.length > 60 ? undefined : ofCode(flat));

function ofCode(code: string): Match | undefined {
  if (isProblemCode(code)) return { code, meaning: problemMeanings[code], said: '' };
  const entry = lineEntry(code);
  return entry === undefined ? undefined : { code: codeFrom(entry.code), meaning: entry, said: '' };
}

/** A code of ours before its sentence, as the log has it: `bad-row: Providers/…`. */
function logged({ flat }: Reading): Match | undefined {
  const code = /(?:^|\berror: )([a-z0-9]{2,20}-[a-z0-9-]{2,30}): /.exec(flat)?.[1];
  return code === undefined ? undefined : ofCode(code);
}

/** By the words of a server, or of a page of Microsoft that shows no number. */
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

/** By the word of the standard alone, as other providers answer. */
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

/** `suberror` narrows `error`. */
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

/** The whole lines in which a match stands: the words of the server as it sent them. */
function linesAround(lines: string, match: RegExpExecArray): string {
  const end = match.index + match[0].length;
  const from = Math.max(lines.lastIndexOf('\n', match.index) + 1, match.index - LONGEST_SAID / 2);
  const lineEnd = lines.indexOf('\n', end);
  const to = Math.min(lineEnd < 0 ? lines.length : lineEnd, end + LONGEST_SAID);
  return lines.slice(from, to).replaceAll('\n', ' ').slice(0, LONGEST_SAID).trim();
}

/** The two addresses of a redirect URI that differs, and a sentence about them. */
function redirectDifference(
  number: number | undefined,
  { flat }: Reading,
  { redirectUri }: ExplainContext,
): { words: string; comparison?: Comparison } | undefined {
  if (number === 500112) {
    const [, later, first] = DIFFERENT_ADDRESSES.exec(flat) ?? [];
    if (later === undefined || first === undefined) return undefined;
    const comparison = compareAddresses(redact(later), redact(first));
    const began = `The sign-in began with ${comparison.expected}, and the tokens were asked for with ${comparison.sent}.`;
    return { words: `${began} ${differenceInWords(comparison)}`.trim(), comparison };
  }
  const sent = number === 50011 ? SENT_ADDRESS.exec(flat)?.[1] : undefined;
  if (sent === undefined || redirectUri === undefined) return undefined;
  if (sent === redirectUri)
    return {
      words: `What was sent is Postroom’s own redirect URI, ${redirectUri}: so it is missing in the app registration, or written differently there.`,
    };
  const comparison = compareAddresses(redact(sent), redirectUri);
  const both = `Sent was ${comparison.sent}, but Postroom’s own is ${redirectUri}.`;
  return { words: `${both} ${differenceInWords(comparison)}`.trim(), comparison };
}
