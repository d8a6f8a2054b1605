import { createHash } from 'node:crypto';

declare const opaque: unique symbol;

/**
 * A protocol's reference to a message in a folder: an IMAP UID, a POP3 UIDL, a Graph ID. Opaque: only the
 * adapter that created it may interpret it. Other code compares and sorts refs and uses them in row keys and
 * blob names. If the protocol numbers its messages, refs sort in that order.
 */
export type MessageRef = string & { readonly [opaque]: true };

/** Characters valid in row keys and blob names, except `|` and `:`, which separate a ref from its neighbors. */
const SAFE = /^[\w.=-]{1,200}$/;

/** @throws TypeError when the text is not valid in a row key: an adapter has to encode such IDs */
export function messageRef(text: string): MessageRef {
  if (!SAFE.test(text)) throw new TypeError('not a message ref');
  return text as MessageRef;
}

/** Sorted in the protocol's order, if it has one. */
export const sortedRefs = (refs: Iterable<MessageRef>): MessageRef[] => [...refs].sort();

/** A message at a ref. A different message at the same ref has a different fingerprint. */
export interface MessageIdentity {
  ref: MessageRef;
  fingerprint: string;
}

/** Message metadata, known before the download. */
export interface MessageMeta {
  ref: MessageRef;
  /** Size in bytes as announced by the server. */
  size: number;
  /**
   * The server only estimates the size, and the estimate may change: it shows neither that a message is
   * incomplete nor which message it is.
   */
  isEstimate?: true | undefined;
  /** ISO time at which the server received it. */
  receivedAt: string;
  /** The Message-ID field as in the header, on one line; empty if there is none. Not proof of identity. */
  messageId: string;
}

/** 16 hex digits, derived from a message's size, unless it is estimated, time of receipt and Message-ID. */
export function fingerprintOf({ size, isEstimate, receivedAt, messageId }: Omit<MessageMeta, 'ref'>): string {
  const facts = JSON.stringify([isEstimate === true ? 0 : size, receivedAt, messageId]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 16);
}
