import type { JSX } from 'hono/jsx/jsx-runtime';

/** A reader's position in a list that can only be read forwards. */
export interface Position {
  /** The `next` of the page before; absent on the first page. */
  after: string | undefined;
  /** The `after` of every page before this one, oldest first; the first page has an empty one. */
  back: readonly string[];
}

const MAX_STEPS = 40;
const MAX_CHARACTERS = 300;

/** Reads a position from the address; whatever does not look like one is the first page. */
export function readPosition(query: {
  after: string | undefined;
  back: readonly string[] | undefined;
}): Position {
  const { after } = query;
  if (after === undefined || after === '' || after.length > MAX_CHARACTERS)
    return { after: undefined, back: [] };
  const back = (query.back ?? []).filter((step) => step.length <= MAX_CHARACTERS).slice(-MAX_STEPS);
  return { after, back };
}

/**
 * Links to the page before and the page after. The address carries the way that was gone, so "Newer" works on every
 * page; past its oldest remembered step it leads to the beginning.
 */
export function Pager(props: {
  path: string;
  /** What else the address says, such as the chosen status. */
  keep: Readonly<Record<string, string>>;
  position: Position;
  next: string | undefined;
}): JSX.Element | null {
  const { position, next } = props;
  if (position.after === undefined && next === undefined) return null;
  const address = (to: Position): string => {
    const query = new URLSearchParams(props.keep);
    if (to.after !== undefined && to.after !== '') query.set('after', to.after);
    for (const step of to.after === undefined || to.after === '' ? [] : to.back) query.append('back', step);
    const text = query.toString();
    return text === '' ? props.path : `${props.path}?${text}`;
  };
  const newer = { after: position.back.at(-1), back: position.back.slice(0, -1) };
  const older = { after: next, back: [...position.back, position.after ?? ''].slice(-MAX_STEPS) };
  return (
    <nav class="pager" aria-label="Pages">
      {position.after === undefined ? null : (
        <a class="button secondary" rel="prev" href={address(newer)}>
          ← Newer
        </a>
      )}
      {next === undefined ? null : (
        <a class="button secondary" rel="next" href={address(older)}>
          Older →
        </a>
      )}
    </nav>
  );
}
