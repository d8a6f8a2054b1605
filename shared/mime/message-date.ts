/**
 * Parses dates of email headers. `new Date` alone reads almost any text as
 * a date, and text without a zone as local time.
 */

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Languages in which programs write the names of months, contrary to RFC 5322 §3.3. */
const languages = ['de', 'fr', 'es', 'it', 'pt', 'nl', 'sv', 'da', 'nb', 'fi', 'pl', 'cs', 'tr', 'ru'];
/**
 * Hours from UTC: the zones of RFC 5322 §4.3, and others that are unambiguous. All other zones are read as
 * UTC, such as `IST`, which may be India, Israel or Ireland.
 */
const zones: Record<string, number> = {
  edt: -4,
  est: -5,
  cdt: -5,
  cst: -6,
  mdt: -6,
  mst: -7,
  pdt: -7,
  pst: -8,
  akdt: -8,
  akst: -9,
  hst: -10,
  bst: 1,
  wet: 0,
  west: 1,
  cet: 1,
  cest: 2,
  mez: 1,
  mesz: 2,
  eet: 2,
  eest: 3,
  msk: 3,
  sast: 2,
  hkt: 8,
  sgt: 8,
  jst: 9,
  kst: 9,
  aest: 10,
  aedt: 11,
  nzst: 12,
  nzdt: 13,
};

/** The Date header as an ISO time; undefined if missing or unreadable. Never the current time. */
export function readDate(value: string): string | undefined {
  const text = value.slice(0, 200).replace(/\([^()]*\)/g, ' ');
  // `Tue, 24 Nov 2026 10:00:00 +0100`; the month may also be a whole word or in another language, the year
  // may have two digits.
  const usual =
    /(?<day>\d{1,2})\.?[\s-]+(?:de\s+)?(?<month>\p{L}{3,20})\.?[\s-]+(?:de\s+)?(?<year>\d{2,4})[\s,]+(?<hour>\d{1,2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2}))?(?:\.\d+)?\s*(?:(?<half>[ap])m\b\s*)?(?<zone>(?:GMT|UTC?)?\s?[+-]\d{1,2}:?\d{2}|[a-z]{1,5})?/iu;
  // `Tue Nov 24 10:00:00 2026`, as C's asctime writes it, with a zone before or after the year.
  const asctime =
    /(?<month>\p{L}{3,20})\.?\s+(?<day>\d{1,2})\s+(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?\s+(?<early>[+-]\d{2}:?\d{2}|[a-z]{1,5})?\s*(?<year>\d{4})\s*(?<zone>[+-]\d{2}:?\d{2}|[a-z]{1,5})?/iu;
  const iso = /^\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? isoTime(text.trim()) : undefined;
  const parts = (usual.exec(text) ?? asctime.exec(text))?.groups;
  return iso ?? (parts === undefined ? undefined : fromParts(parts));
}

/** 0 for January; undefined if not a month. English comes first: other languages share many prefixes. */
function monthOf(name: string): number | undefined {
  const word = plainLetters(name);
  const english = months.indexOf(word.slice(0, 3));
  const foreign = foreignMonths().get(word);
  if (english < 0) return foreign ?? foreignMonths().get(word.slice(0, 3));
  return foreign ?? english;
}

/** Lower case without accents, as programs without these letters write it. */
const plainLetters = (name: string): string => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

let foreign: ReadonlyMap<string, number> | undefined;

/** Names of months, and their first three letters if they mean the same month in all languages. */
function foreignMonths(): ReadonlyMap<string, number> {
  if (foreign !== undefined) return foreign;
  const names = new Map<string, number>([
    ['mrz', 2],
    ['mrt', 2],
  ]);
  const beginnings = new Map<string, number | undefined>();
  for (const language of languages) {
    for (const length of ['short', 'long'] as const) {
      const format = new Intl.DateTimeFormat(language, { month: length, day: 'numeric', timeZone: 'UTC' });
      for (const month of months.keys()) {
        const part = format.formatToParts(Date.UTC(2026, month, 1)).find(({ type }) => type === 'month');
        const name = plainLetters(part?.value ?? '').replace(/\.$/, '');
        if (!/^\p{L}{3}/u.test(name)) continue;
        if (!names.has(name)) names.set(name, month);
        const beginning = name.slice(0, 3);
        const other = beginnings.has(beginning) && beginnings.get(beginning) !== month;
        beginnings.set(beginning, other ? undefined : month);
      }
    }
  }
  for (const [beginning, month] of beginnings)
    if (month !== undefined && !names.has(beginning)) names.set(beginning, month);
  foreign = names;
  return names;
}

function fromParts(parts: Record<string, string | undefined>): string | undefined {
  const number = (name: string): number => Number(parts[name] ?? '0');
  const month = monthOf(parts['month'] ?? '');
  const year = fullYear(number('year'), (parts['year'] ?? '').length);
  const [day, minute, second] = [number('day'), number('minute'), number('second')];
  const hour = hourOf(number('hour'), parts['half']);
  if (month === undefined || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return undefined;
  const local = Date.UTC(year, month, day, hour, minute, second);
  const time = new Date(local - offsetMinutes(parts['zone'] ?? parts['early'] ?? '') * 60_000);
  return Number.isNaN(time.getTime()) || year < 1000 ? undefined : time.toISOString();
}

/** 12 a.m. is midnight. */
function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined || hour > 12) return hour;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** RFC 5322 §4.3: two-digit years from 50 mean the last century; three-digit years count from 1900. */
function fullYear(year: number, digits: number): number {
  if (digits === 2) return year < 50 ? 2000 + year : 1900 + year;
  return digits === 3 ? 1900 + year : year;
}

function offsetMinutes(zone: string): number {
  const match = /([+-])(\d{1,2}):?(\d{2})/.exec(zone);
  if (match === null) return (zones[zone.toLowerCase()] ?? 0) * 60;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return minutes > 24 * 60 ? 0 : match[1] === '-' ? -minutes : minutes;
}

function isoTime(text: string): string | undefined {
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`;
  const time = new Date(zoned.replace(' ', 'T'));
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
