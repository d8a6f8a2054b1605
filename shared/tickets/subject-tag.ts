/** What a reply says in its subject about the ticket that it belongs to, where mail programs lose the other headers. */
export const subjectTag = (number: number): string => `[#${number}]`;

/** Tags of one subject that count: a person writes one, a forwarded conversation may hold another. */
const MOST = 3;

/** Ticket numbers of the tags in a subject, in their order, each once. Other systems write tags like ours. Pure. */
export function numbersInSubject(subject: string): number[] {
  const numbers = [...subject.matchAll(/\[#([1-9]\d{0,8})\]/g)].map(([, digits]) => Number(digits));
  return [...new Set(numbers)].slice(0, MOST);
}
