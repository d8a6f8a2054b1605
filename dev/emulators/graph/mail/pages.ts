import { badMailRequest, type MailCall, type OpenMailbox } from './mail-call.ts';

const LARGEST_PAGE = 1000;

/** A number of a query option such as `$top`. @throws GraphError 400 for anything else */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw badMailRequest(`Invalid value '${text}' for ${name} query option found.`);
  return Number(text);
}

/** One page of a list by `$top` and `$skip`, with the link to the next and, when asked for, the count. */
export function pageOf<T>(
  { world }: OpenMailbox,
  { query, path }: MailCall,
  all: readonly T[],
  usual: number,
): { rows: readonly T[]; links: Record<string, unknown> } {
  const top = numberOf(query, '$top') ?? usual;
  if (top < 1 || top > LARGEST_PAGE)
    throw badMailRequest(`The limit of '${LARGEST_PAGE}' for Top query has been exceeded.`);
  const skip = numberOf(query, '$skip') ?? 0;
  const more = skip + top < all.length;
  const next = new URL(`${world.origin()}${path}?${query.toString()}`);
  next.searchParams.set('$skip', String(skip + top));
  return {
    rows: all.slice(skip, skip + top),
    links: {
      ...(query.get('$count') === 'true' && { '@odata.count': all.length }),
      ...(more && { '@odata.nextLink': next.href }),
    },
  };
}
