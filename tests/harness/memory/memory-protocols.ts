import type { Inbox } from '../../../shared/mailboxes/inbox.ts';
import type { FetchProtocol } from '../../../shared/mailboxes/open-inbox.ts';
import { readPop3Header } from '../../../shared/mailboxes/pop3-headers.ts';
import type { Seam } from '../../../shared/platform/seam.ts';
import { inSeconds, openMemoryGraph } from './memory-graph.ts';
import { type MemoryFolder, openMemoryInbox } from './memory-inbox.ts';
import { openMemoryMaildrop } from './memory-maildrop.ts';

/** How the tests of the intake reach a folder in memory over one protocol. */
export interface MemoryProtocol {
  open(folder: MemoryFolder, seam: Seam): Promise<Inbox>;
  /** The server knows which messages are unread. */
  hasUnread: boolean;
  /** The time that the protocol reports for a message, ISO. */
  receivedAt(raw: Uint8Array, deliveredAt: string): string;
}

export const memoryProtocols: Readonly<Record<FetchProtocol, MemoryProtocol>> = {
  imap: { open: openMemoryInbox, hasUnread: true, receivedAt: (_raw, deliveredAt) => deliveredAt },
  graph: {
    open: openMemoryGraph,
    hasUnread: true,
    receivedAt: (_raw, deliveredAt) => inSeconds(deliveredAt),
  },
  pop3: { open: openMemoryMaildrop, hasUnread: false, receivedAt: (raw) => readPop3Header(raw).receivedAt },
};
