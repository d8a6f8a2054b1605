import { isDeepStrictEqual } from 'node:util';
import type { AuditStore } from '../audit/audit-store.ts';
import type { Seam } from '../platform/seam.ts';
import type { AnswerSettings } from './answer-settings.ts';
import type { Mailbox } from './mailbox.ts';
import { type MailboxAuthor, mailboxEntry } from './mailbox-entry.ts';
import type { MailboxStore } from './mailbox-store.ts';

export interface SaveAnswersDeps {
  seam: Pick<Seam, 'now'>;
  audit: Pick<AuditStore, 'record'>;
  mailboxes: Pick<MailboxStore, 'save'>;
}

/**
 * Replaces how a mailbox answers. The audit entry is written before the row: a crash leaves no change without its
 * entry. Does nothing if nothing changed.
 * @param mailbox as read just before
 * @returns whether anything changed
 */
export async function saveAnswers(
  { seam, audit, mailboxes }: SaveAnswersDeps,
  author: MailboxAuthor,
  mailbox: Mailbox,
  answers: AnswerSettings | undefined,
): Promise<boolean> {
  if (isDeepStrictEqual(withoutAbsent(mailbox.answers), withoutAbsent(answers))) return false;
  const after = { ...mailbox, answers };
  const at = seam.now();
  await audit.record(mailboxEntry(author, { at, action: 'changed', mailbox: after, before: mailbox, after }));
  await mailboxes.save(after);
  return true;
}

/** A field that is undefined and one that is missing are the same setting. */
const withoutAbsent = (answers: AnswerSettings = {}): unknown => JSON.parse(JSON.stringify(answers));
