/**
 * Obsolete address lists with the name first and the address in parentheses: `Anna Weber (anna@example.org)`.
 */

/**
 * Rewrites such addresses to angle brackets; undefined if the list has none. Only for recipients: in From, a
 * comment must not become a sender that no receiving server has authenticated.
 */
export function withBracketedAddresses(list: string): string | undefined {
  if (!list.includes('(') || /[<>"\\]/.test(list)) return undefined;
  const entries = list.split(',');
  const bracketed = entries.map((entry) =>
    entry.replace(/^(\s*)([^\s@()][^@()]{0,200})\(\s*([^\s@()]{1,64}@[^\s@()]{1,255})\s*\)\s*$/, '$1$2<$3>'),
  );
  return bracketed.every((entry, index) => entry === entries[index]) ? undefined : bracketed.join(',');
}
