import { namedMessageIds } from '../bounces/read-bounce.ts';
import type { ParsedMessage } from '../mime/parsed-message.ts';
import { answersOf } from './answers-of.ts';

/** An email that Postroom sent: its ticket, and its ID in the outbox of that ticket. */
export interface SentEmail {
  ticketId: string;
  id: string;
}

/** The email with this Message-ID, if Postroom sent it; throws PostroomError when the vault is unavailable. */
export type SentEmailOf = (messageId: string) => Promise<SentEmail | undefined>;

/** The emails of ours that an email names. Only who received an email of ours, or a server on its way, can name it. */
export interface NamedEmails {
  /** The email itself, if it has come back. */
  itself: SentEmail | undefined;
  /** By Message-ID, nearest first. */
  answered: ReadonlyMap<string, SentEmail>;
}

const namesNone: NamedEmails = { itself: undefined, answered: new Map() };

/** A bounce names few. */
const MAX_MESSAGE_IDS = 12;

/** @param isBounce also reads the Message-IDs in its text */
export async function namedEmails(
  sentEmailOf: SentEmailOf | undefined,
  mail: ParsedMessage,
  isBounce: boolean,
): Promise<NamedEmails> {
  if (sentEmailOf === undefined) return namesNone;
  const ids = [...new Set([...answersOf(mail), ...(isBounce ? namedMessageIds(mail) : [])])];
  const answered = new Map<string, SentEmail>();
  for (const id of ids.slice(0, MAX_MESSAGE_IDS)) {
    const email = await sentEmailOf(id);
    if (email !== undefined) answered.set(id, email);
  }
  const { messageId } = mail;
  return { itself: messageId === undefined ? undefined : await sentEmailOf(messageId), answered };
}
