/**
 * The tag that identifies a reply's ticket in its subject, for mail programs that lose the threading headers.
 */
export const subjectTag = (number: number): string => `[#${number}]`;

/** Maximum tags used per subject. A person writes one; a forwarded conversation may contain another. */
const MAX_TAGS = 3;

/**
 * The unique ticket numbers of the tags in a subject, in order. Other systems use the same format, so a number
 * proves nothing by itself. Pure.
 */
export function numbersInSubject(subject: string): number[] {
  const numbers = [...subject.matchAll(/\[#([1-9]\d{0,8})\]/g)].map(([, digits]) => Number(digits));
  return [...new Set(numbers)].slice(0, MAX_TAGS);
}
