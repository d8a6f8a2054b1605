import { badRequest } from './graph-error.ts';

/** One segment of an OData address: `applications`, and what stands in its brackets. */
export interface Segment {
  name: string;
  /** `applications(appId='x')` → `['appId', 'x']`. */
  key: readonly [string, string] | undefined;
}

/** Takes `/v1.0/applications(appId='x')/addPassword` apart; undefined when it does not begin with the version. */
export function readPath(pathname: string): Segment[] | undefined {
  const [version, ...rest] = pathname.split('/').filter((part) => part !== '');
  if (version !== 'v1.0') return undefined;
  return rest.map((part) => {
    const [, name = '', field, value] =
      /^([^(]+)(?:\((\w+)='([^']*)'\))?$/.exec(decodeURIComponent(part)) ?? [];
    return {
      name: name === '' ? decodeURIComponent(part) : name,
      key: field === undefined || value === undefined ? undefined : [field, value],
    };
  });
}

/**
 * Keeps the rows that a `$filter` of equalities joined by `and` lets through.
 * @throws GraphError for any other filter: what the stand-in does not understand it must not seem to obey
 */
export function filterRows<T extends object>(rows: readonly T[], query: URLSearchParams): T[] {
  const filter = query.get('$filter');
  if (filter === null) return [...rows];
  const wanted = filter.split(/\s+and\s+/i).map((term) => {
    const [, field, value] = /^\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*$/i.exec(term) ?? [];
    if (field === undefined || value === undefined) throw badRequest(`Invalid filter clause: ${filter}`);
    return [field, value.replaceAll("''", "'")] as const;
  });
  return rows.filter((row) =>
    wanted.every(([field, value]) => (row as Record<string, unknown>)[field] === value),
  );
}

/** Keeps the fields that `$select` names. */
export function selectFields<T extends object>(row: T, query: URLSearchParams): Partial<T> {
  const names = query
    .get('$select')
    ?.split(',')
    .map((name) => name.trim());
  if (names === undefined) return row;
  return Object.fromEntries(
    Object.entries(row).filter(([name]) => names.includes(name) || name === 'id'),
  ) as Partial<T>;
}
