import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret } from '../platform/secret.ts';

/** A mailbox ID, a dot and 32 random bytes: 70 characters, where Graph takes 128. */
const FORM = /^([a-z2-7]{26})\.[\w-]{43}$/;

/**
 * What Graph repeats in each event of a subscription: which mailbox it is about, and a value that only Graph
 * and Postroom know. The mailbox ID is no secret.
 */
export const newClientState = (mailboxId: string): Secret =>
  new Secret(`${mailboxId}.${randomBytes(32).toString('base64url')}`);

/** The mailbox that an event claims to be about; undefined if the text is not of our form. Proves nothing. */
export const claimedMailbox = (clientState: string): string | undefined => FORM.exec(clientState)?.[1];

/** SHA-256 in hex. Only this is stored: 32 random bytes can't be found by trying. */
export const hashOf = (clientState: string): string => createHash('sha256').update(clientState).digest('hex');

/** True if one of the stored hashes is of this text. Takes the same time wherever the texts differ. */
export function isKnown(clientState: string, hashes: readonly string[]): boolean {
  const given = Buffer.from(hashOf(clientState));
  let known = false;
  for (const hash of hashes) {
    const stored = Buffer.from(hash);
    if (stored.length === given.length && timingSafeEqual(stored, given)) known = true;
  }
  return known;
}
