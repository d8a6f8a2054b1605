import type { Context } from 'hono';
import type { QuarantineStore } from '../../../shared/intake/quarantine-store.ts';
import type { MailboxStore } from '../../../shared/mailboxes/mailbox-store.ts';
import type { Blobs } from '../../../shared/platform/blobs.ts';
import type { Seam } from '../../../shared/platform/seam.ts';
import type { ProviderStore } from '../../../shared/providers/provider-store.ts';
import type { SenderRuleStore } from '../../../shared/senders/sender-rule-store.ts';
import type { HtmlViewer } from '../../../shared/tickets/show-html.ts';
import type { TicketStore } from '../../../shared/tickets/ticket-store.ts';
import type { WebEnvironment } from '../../http/web-environment.ts';

/** The services that the pages about email read. */
export interface MailServices {
  tickets: Pick<TicketStore, 'page' | 'conversation' | 'followers' | 'message' | 'readText' | 'byNumber'>;
  htmlViewer: Pick<HtmlViewer, 'show'>;
  quarantine: Pick<QuarantineStore, 'page' | 'pageOfAll' | 'get' | 'open'>;
  mailboxes: Pick<MailboxStore, 'list' | 'get' | 'health' | 'removed'>;
  providers: Pick<ProviderStore, 'list'>;
  blobs: Pick<Blobs, 'read' | 'stream'>;
  senderRules: Pick<SenderRuleStore, 'list'>;
  seam: Pick<Seam, 'now'>;
}

export type MailContext = Context<WebEnvironment>;

export const mailServices = (c: MailContext): MailServices => c.get('services');
