import { isDeepStrictEqual } from 'node:util';
import type { AuditStore } from '../audit/audit-store.ts';
import type { Seam } from '../platform/seam.ts';
import { afterFetchProblem } from './after-fetch.ts';
import type { Mailbox } from './mailbox.ts';
import { type MailboxAuthor, mailboxEntry } from './mailbox-entry.ts';
import { loginsOf } from './mailbox-logins.ts';
import type { MailboxStore } from './mailbox-store.ts';
import type { VerifiedMailbox } from './verify-mailbox.ts';

interface AuditDeps {
  seam: Pick<Seam, 'now'>;
  audit: Pick<AuditStore, 'record'>;
}

export interface SaveMailboxDeps extends AuditDeps {
  mailboxes: Pick<MailboxStore, 'save'>;
  /** Opens the mailbox; see verify-mailbox.ts. */
  open(mailbox: Mailbox): Promise<VerifiedMailbox>;
}

/** A submitted mailbox and the saved one; `before` is absent for a new one. */
export interface MailboxDraft extends MailboxAuthor {
  mailbox: Mailbox;
  before: Mailbox | undefined;
}

/** A first fetch of more emails than this waits until a person starts it. */
export const ASKED_ABOVE = 500;

export type SavedMailbox =
  /** `opened` may have failed if the person chose to save anyway. */
  { kind: 'saved'; opened: VerifiedMailbox } | { kind: 'not-opened'; message: string };

/**
 * Saves a mailbox after opening it; a person may also save one that does not open. The audit entry is
 * written before the row: a crash leaves no change without its entry.
 */
export async function saveMailbox(
  deps: SaveMailboxDeps,
  draft: MailboxDraft,
  options: { evenIfNotOpened: boolean },
): Promise<SavedMailbox> {
  const { mailbox, before } = draft;
  const wrong = afterFetchProblem(mailbox);
  if (wrong !== undefined) return { kind: 'not-opened', message: wrong };
  await recordUnsavedUse(deps, draft, 'opened');
  const opened = await deps.open(mailbox);
  if (opened.kind === 'failed' && !options.evenIfNotOpened)
    return { kind: 'not-opened', message: opened.message };
  const action = before === undefined ? 'created' : 'changed';
  const at = deps.seam.now();
  const isLarge = before === undefined && opened.kind === 'opened' && (opened.first ?? 0) > ASKED_ABOVE;
  const saved = isLarge ? { ...mailbox, enabled: false } : mailbox;
  await deps.audit.record(mailboxEntry(draft, { at, action, mailbox: saved, before, after: saved }));
  await deps.mailboxes.save(saved);
  return { kind: 'saved', opened };
}

/**
 * Records that a token is about to be sent to a server, or used for an account, that is not saved. The
 * entry is written first, whatever happens to the form.
 */
export async function recordUnsavedUse(
  { audit, seam }: AuditDeps,
  draft: MailboxDraft,
  use: 'tested' | 'opened',
): Promise<void> {
  const { mailbox, before } = draft;
  if (before !== undefined && isDeepStrictEqual(loginsOf(mailbox), loginsOf(before))) return;
  const action = `${use} before it was saved`;
  await audit.record(mailboxEntry(draft, { at: seam.now(), action, mailbox, after: mailbox }));
}
