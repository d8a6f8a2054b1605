/** What a person in a hurry takes from a page: its first sentence, and where its first link leads. */
export interface Glance {
  says: string;
  leads: string;
}

/** Reads the main part of a page: what stands above it is the same on every page. Pure. */
export function glanceAt(html: string): Glance {
  const main = html.slice(html.indexOf('<main'));
  return {
    says: asText(/<h1[^>]*>(.*?)<\/h1>/s.exec(main)?.[1] ?? ''),
    leads: asText(/<a [^>]*href="([^"]*)"/.exec(main)?.[1] ?? ''),
  };
}

/** The home page with nothing wrong: one line that says so, and nothing to do. Pure. */
export const isCalm = (html: string): boolean =>
  glanceAt(html).says === 'Mail is flowing' &&
  html.includes('All mailboxes are up to date. No action needed.') &&
  !html.includes('class="findings"');

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};
const asText = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(?:amp|lt|gt|quot|#39);/g, (found) => entities[found] ?? found);
