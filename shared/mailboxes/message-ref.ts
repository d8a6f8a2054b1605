import { createHash } from 'node:crypto';

declare const opaque: unique symbol;

/**
 * A message of one folder, as its protocol refers to it: a UID of IMAP, a UIDL of POP3, an id of Graph. Only the adapter
 * that made it knows what it says. Everyone else compares refs, sorts them and uses them in row keys and blob names.
 * Where the protocol numbers its messages, refs sort in that order.
 */
export type MessageRef = string & { readonly [opaque]: true };

/** Nothing that a row key or a blob name refuses, and no `|` or `:`, which separate a ref from what stands beside it. */
const SAFE = /^[\w.=-]{1,200}$/;

/** @throws TypeError where the text cannot stand in a row key: an adapter encodes such ids. */
export function messageRef(text: string): MessageRef {
  if (!SAFE.test(text)) throw new TypeError('not a message ref');
  return text as MessageRef;
}

/** In the order of the protocol, where it has one. */
export const sortedRefs = (refs: Iterable<MessageRef>): MessageRef[] => [...refs].sort();

/** A message at a ref. Another message at the same ref has another fingerprint. */
export interface MessageIdentity {
  ref: MessageRef;
  fingerprint: string;
}

/** What is known of a message before it is downloaded. */
export interface MessageMeta {
  ref: MessageRef;
  /** Bytes, as the server announces them. */
  size: number;
  /** ISO time at which the server received it. */
  receivedAt: string;
  /** The Message-ID field as it stands in the header, on one line; empty when there is none. Proves nothing by itself. */
  messageId: string;
}

/** 16 hex digits of what a server tells of a message: its size, when it came, and its Message-ID. */
export function fingerprintOf({ size, receivedAt, messageId }: Omit<MessageMeta, 'ref'>): string {
  const facts = JSON.stringify([size, receivedAt, messageId]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 16);
}
