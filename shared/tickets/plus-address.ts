/**
 * `support+123@contoso.example`: the address of ticket 123 in Reply-To, for programs that lose headers and subject.
 * It proves as little as a tag in the subject. Pure.
 */
export const plusAddress = (address: string, number: number): string => {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at)}+${number}${address.slice(at)}`;
};

/** The Reply-To of the emails of a ticket; undefined: replies go to the mailbox itself. */
export const replyToOf = (
  mailbox: { address: string; answers?: { plusAddress?: boolean | undefined } | undefined },
  number: number,
): string | undefined =>
  mailbox.answers?.plusAddress === true ? plusAddress(mailbox.address, number) : undefined;

/**
 * The ticket numbers of the plus-addresses of a mailbox among recipients. Pure.
 * @param address of the mailbox
 */
export function numbersInAddresses(recipients: readonly string[], address: string): number[] {
  const at = address.lastIndexOf('@');
  const start = `${address.slice(0, at)}+`.toLowerCase();
  const end = address.slice(at).toLowerCase();
  const numbers = recipients.flatMap((recipient) => {
    const lower = recipient.toLowerCase();
    if (!lower.startsWith(start) || !lower.endsWith(end)) return [];
    const digits = lower.slice(start.length, lower.length - end.length);
    return /^[1-9]\d{0,8}$/.test(digits) ? [Number(digits)] : [];
  });
  return [...new Set(numbers)];
}
