import { isOwnAddress } from '../mailboxes/own-address.ts';
import type { Person, TicketMessage } from '../tickets/ticket.ts';

export interface Recipients {
  to: readonly string[];
  cc: readonly string[];
}

type Addressed = Pick<TicketMessage, 'from' | 'to' | 'cc' | 'replyTo' | 'folded' | 'messageClass'>;

const MAX_PREFILLED = 50;

/**
 * Whom a reply goes to, before a person edits it: the writer of the newest message that is neither collapsed nor
 * automatic, at the addresses of its Reply-To; the other people of that message in Cc. Never a mailbox of ours. A
 * message that we wrote is followed up to its own recipients. Pure.
 * @param messages newest first
 * @param own lower-case addresses of all our mailboxes
 */
export function prefillRecipients(
  messages: readonly Addressed[],
  requester: Person,
  own: ReadonlySet<string>,
): Recipients {
  const others = (people: readonly Person[]): string[] =>
    people.flatMap(({ address }) => (address === undefined || isOwnAddress(address, own) ? [] : [address]));
  const answered =
    messages.find(
      ({ folded, messageClass = 'person' }) => folded === undefined && messageClass === 'person',
    ) ??
    messages.find(({ folded }) => folded === undefined) ??
    messages[0];
  const isOurs = answered?.from.address !== undefined && isOwnAddress(answered.from.address, own);
  const writers = answered === undefined || isOurs ? [] : others(answered.replyTo ?? [answered.from]);
  const addressed = others(answered?.to ?? []);
  const to = unique(writers.length > 0 ? writers : isOurs ? addressed : []);
  const first = to.length > 0 ? to : unique(others([requester]));
  const taken = new Set(first.map((address) => address.toLowerCase()));
  const cc = unique([...(isOurs ? [] : addressed), ...others(answered?.cc ?? [])]).filter(
    (address) => !taken.has(address.toLowerCase()),
  );
  return { to: first.slice(0, MAX_PREFILLED), cc: cc.slice(0, MAX_PREFILLED) };
}

const unique = (addresses: readonly string[]): string[] =>
  [
    ...new Map(addresses.toReversed().map((address) => [address.toLowerCase(), address])).values(),
  ].toReversed();

export type ParsedRecipients =
  | { kind: 'valid'; addresses: readonly string[] }
  /** What is not an address, as typed. */
  | { kind: 'invalid'; wrong: readonly string[] };

/**
 * Reads a field of recipients: addresses, or `Name <address>`, separated by commas, semicolons or lines. Pure.
 * @param isMailAddress the strict rule of the outbox (`isEnvelopeAddress`)
 */
export function parseRecipients(typed: string, isMailAddress: (text: string) => boolean): ParsedRecipients {
  const pieces = typed
    .slice(0, 20_000)
    // A quoted name may contain a comma.
    .replace(/"[^"\n]{0,200}"\s*(?=<)/g, '')
    .split(/[,;\n]/)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
  const found = pieces.map((piece) => /^[^<>]{0,200}<([^<>\s]{1,320})>$/.exec(piece)?.[1] ?? piece);
  const wrong = found.filter((address) => !isMailAddress(address));
  return wrong.length > 0 ? { kind: 'invalid', wrong } : { kind: 'valid', addresses: unique(found) };
}
