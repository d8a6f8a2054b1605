/**
 * Whether an address is one of ours: `support+anything@` is an address of the mailbox `support@`. Pure.
 * @param own lower-case addresses of all our mailboxes
 */
export function isOwnAddress(address: string, own: ReadonlySet<string>): boolean {
  const lower = address.toLowerCase();
  return own.has(lower) || own.has(lower.replace(/\+[^@]*@/, '@'));
}
