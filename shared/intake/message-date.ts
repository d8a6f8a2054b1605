/** Dates of mail headers. `new Date` alone reads nearly any text as some date, and without a zone as local time. */

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** RFC 5322 §4.3; unknown letters mean UTC. */
const zones: Record<string, number> = {
  edt: -4,
  est: -5,
  cdt: -5,
  cst: -6,
  mdt: -6,
  mst: -7,
  pdt: -7,
  pst: -8,
};

/** The Date header as an ISO time; undefined when it is missing or cannot be read. Never the current time. */
export function readDate(value: string): string | undefined {
  const text = value.slice(0, 200).replace(/\([^()]*\)/g, ' ');
  // `Tue, 24 Nov 2026 10:00:00 +0100`, the month also as a whole word, the year also of two digits.
  const usual =
    /(?<day>\d{1,2})[\s-]+(?<month>[a-z]{3})[a-z]*\.?[\s-]+(?<year>\d{2,4})[\s,]+(?<hour>\d{1,2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2}))?(?:\.\d+)?\s*(?<zone>[+-]\d{3,4}|[a-z]{1,5})?/i;
  // `Tue Nov 24 10:00:00 2026`, as C's asctime writes it, with a zone before or behind the year.
  const asctime =
    /(?<month>[a-z]{3})\s+(?<day>\d{1,2})\s+(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?\s+(?<early>[+-]\d{4}|[a-z]{1,5})?\s*(?<year>\d{4})\s*(?<zone>[+-]\d{4}|[a-z]{1,5})?/i;
  const iso = /^\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? isoTime(text.trim()) : undefined;
  const parts = (usual.exec(text) ?? asctime.exec(text))?.groups;
  return iso ?? (parts === undefined ? undefined : fromParts(parts));
}

function fromParts(parts: Record<string, string | undefined>): string | undefined {
  const number = (name: string): number => Number(parts[name] ?? '0');
  const month = months.indexOf((parts['month'] ?? '').toLowerCase());
  const year = fullYear(number('year'), (parts['year'] ?? '').length);
  const [day, hour, minute, second] = [number('day'), number('hour'), number('minute'), number('second')];
  if (month < 0 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return undefined;
  const local = Date.UTC(year, month, day, hour, minute, second);
  const time = new Date(local - offsetMinutes(parts['zone'] ?? parts['early'] ?? '') * 60_000);
  return Number.isNaN(time.getTime()) || year < 1000 ? undefined : time.toISOString();
}

/** RFC 5322 §4.3: two digits from 50 on mean the last century, three digits count from 1900. */
function fullYear(year: number, digits: number): number {
  if (digits === 2) return year < 50 ? 2000 + year : 1900 + year;
  return digits === 3 ? 1900 + year : year;
}

function offsetMinutes(zone: string): number {
  const match = /([+-])(\d{1,2})(\d{2})/.exec(zone);
  if (match === null) return (zones[zone.toLowerCase()] ?? 0) * 60;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return minutes > 24 * 60 ? 0 : match[1] === '-' ? -minutes : minutes;
}

function isoTime(text: string): string | undefined {
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`;
  const time = new Date(zoned.replace(' ', 'T'));
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
