import { createHash } from 'node:crypto';
import { type MessageRef, messageRef } from './message-ref.ts';

// Outlook's IDs have no order, so a ref begins with the time at which the server received the message: email is
// processed in the order in which it arrived, and a message is found by its time if its ID does not fit.
//   `<seconds>-<ID>`      ten digits; IDs are base64url (https://learn.microsoft.com/graph/outlook-immutable-id)
//   `<seconds>.<hash>`    for an ID with other characters or longer than a ref may be

const PLAIN_ID = /^[\w=-]{1,180}$/;
const GRAPH_REF = /^(\d{10})([-.])([\w=-]+)$/;

/** @param receivedAt ISO time; Outlook knows seconds only */
export function graphRef(id: string, receivedAt: string): MessageRef {
  const seconds = Math.max(0, Math.floor(Date.parse(receivedAt) / 1000) || 0);
  const isPlain = PLAIN_ID.test(id);
  const hash = (): string => createHash('sha256').update(id).digest('hex');
  return messageRef(`${String(seconds).padStart(10, '0')}${isPlain ? `-${id}` : `.${hash()}`}`);
}

export const isGraphRef = (ref: MessageRef): boolean => GRAPH_REF.test(ref);

/** The ID in a ref; undefined if it is hashed. @throws TypeError when the ref is not from Graph */
export function idOf(ref: MessageRef): string | undefined {
  const [, , separator, id] = partsOf(ref);
  return separator === '-' ? id : undefined;
}

/** Seconds since the epoch at which the server received the message. */
export const secondsOf = (ref: MessageRef): number => Number(partsOf(ref)[1]);

function partsOf(ref: MessageRef): RegExpExecArray {
  const parts = GRAPH_REF.exec(ref);
  if (parts === null) throw new TypeError('not a ref of Microsoft Graph');
  return parts;
}
