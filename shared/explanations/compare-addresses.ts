import type { Comparison } from './explanation.ts';

/** The first difference between two addresses. Pure. */
export function compareAddresses(sent: string, expected: string): Comparison {
  let same = 0;
  while (same < sent.length && same < expected.length && sent[same] === expected[same]) same += 1;
  return { sent, expected, same };
}

/** The first difference between two addresses, in words. Pure. */
export function differenceInWords({ sent, expected, same }: Comparison): string {
  if (sent === expected) return '';
  const place = `They differ from character ${same + 1}: ${at(sent, same)} was sent instead of ${at(expected, same)}.`;
  return `${place} ${reason(sent, expected)}`.trim();
}

const at = (address: string, position: number): string =>
  position < address.length ? `“${address.slice(position, position + 20)}”` : 'nothing more';

/** The usual mistakes, most common first. */
function reason(sent: string, expected: string): string {
  if (`${sent}/` === expected || sent === `${expected}/`) return 'They differ only in a trailing slash.';
  if (sent.toLowerCase() === expected.toLowerCase())
    return 'They differ only in uppercase and lowercase letters.';
  const [sentScheme = '', sentRest] = sent.split('://');
  const [scheme = '', rest] = expected.split('://');
  if (sentRest === rest && sentScheme !== scheme) return `Only ${sentScheme} and ${scheme} differ.`;
  return '';
}
