/** What assistive tools find on a page, read from its HTML without a browser. */
export interface PageFaults {
  repeatedIds: string[];
  /** Fields without a label. */
  unlabelled: string[];
  /** Links, descriptions and labels that refer to an ID that does not exist. */
  danglingIds: string[];
  /** Levels of the headings, in order. */
  headings: number[];
  /** Inline style, handlers and scripts, which the page policy would block. */
  inline: string[];
}

export function readPage(html: string): PageFaults {
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id ?? '');
  const labelled = new Set([...html.matchAll(/<label for="([^"]*)"/g)].map(([, id]) => id ?? ''));
  const wrapped = [...html.matchAll(/<label>(.*?)<\/label>/gs)].map(([, inside]) => inside ?? '').join('');
  const fields = [...html.matchAll(/<(?:input(?! type="hidden")|select|textarea)\b[^>]*>/g)].map(
    ([tag]) => tag,
  );
  const pointers = [
    ...[...html.matchAll(/\shref="#([^"]*)"/g)].map(([, id]) => id ?? ''),
    ...[...html.matchAll(/\saria-describedby="([^"]*)"/g)].flatMap(([, list]) => (list ?? '').split(' ')),
    ...labelled,
  ];
  return {
    repeatedIds: ids.filter((id, place) => ids.indexOf(id) !== place),
    unlabelled: fields.filter(
      (tag) => !labelled.has(/\sid="([^"]*)"/.exec(tag)?.[1] ?? '') && !wrapped.includes(tag),
    ),
    danglingIds: pointers.filter((id) => !ids.includes(id)),
    headings: [...html.matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level)),
    inline: html.match(/<[^>]*\s(?:style|on[a-z]+)="|<script(?![^>]*\ssrc=)|<style/g) ?? [],
  };
}

/** True when there is one `h1`, first, and no level is skipped on the way down. */
export function headingsInOrder(levels: readonly number[]): boolean {
  return (
    levels[0] === 1 &&
    levels.filter((level) => level === 1).length === 1 &&
    levels.every((level, place) => place === 0 || level <= (levels[place - 1] ?? 0) + 1)
  );
}
