import type { Code } from '../platform/problem.ts';
import { type ConnectDeps, connectInbox } from './connect-inbox.ts';
import { InboxError } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';

/** The details by which a person recognizes an email. */
export interface LatestMail {
  subject: string;
  /** ISO time at which the server received it. */
  receivedAt: string;
}

export type MailboxPreview =
  | { kind: 'opened'; unread: number; total: number; latest: readonly LatestMail[] }
  /** The message is a sentence for a person. */
  | { kind: 'failed'; code: Code; message: string };

export interface PreviewDeps extends ConnectDeps {
  /** Reads the subject from the first bytes of an email. */
  readSubject(beginning: Uint8Array): Promise<string>;
}

const LATEST = 3;
/** The bytes that contain a subject; some emails start with pages of routing headers. */
const BEGINNING_BYTES = 32 * 1024;

/**
 * Opens the mailbox, counts, and reads the latest subjects, so that a person can recognize it. Changes no
 * flags and stores nothing.
 */
export async function previewMailbox(deps: PreviewDeps, mailbox: Mailbox): Promise<MailboxPreview> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected')
    return { kind: 'failed', code: connected.code, message: connected.message };
  const { inbox } = connected;
  try {
    const unread = await inbox.list({});
    const newest = await inbox.latest(LATEST);
    const facts = newest.length === 0 ? [] : await inbox.fetchMeta(newest);
    const latest: LatestMail[] = [];
    for (const { ref, receivedAt } of facts.toReversed())
      latest.push({
        receivedAt,
        subject: await deps.readSubject(await inbox.fetchHead(ref, BEGINNING_BYTES)),
      });
    return { kind: 'opened', unread: unread.refs.length, total: inbox.total, latest };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    return { kind: 'failed', code: error.code, message: error.message };
  } finally {
    await inbox.close();
  }
}
