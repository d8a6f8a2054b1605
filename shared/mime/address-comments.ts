/** Obsolete address lists in which the name stands first and the address in brackets: `Anna Weber (anna@example.org)`. */

/**
 * The list with such addresses in angle brackets, or undefined when it has none. For recipients alone: in From, a
 * comment must not become a sender whom no receiving server has authenticated.
 */
export function withBracketedAddresses(list: string): string | undefined {
  if (!list.includes('(') || /[<>"\\]/.test(list)) return undefined;
  const entries = list.split(',');
  const bracketed = entries.map((entry) =>
    entry.replace(/^(\s*)([^\s@()][^@()]{0,200})\(\s*([^\s@()]{1,64}@[^\s@()]{1,255})\s*\)\s*$/, '$1$2<$3>'),
  );
  return bracketed.every((entry, index) => entry === entries[index]) ? undefined : bracketed.join(',');
}
