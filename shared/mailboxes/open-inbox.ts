import type { Seam } from '../platform/seam.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import type { Inbox, InboxAddress } from './inbox.ts';

type OpenInbox = (address: InboxAddress, seam: Seam, rules: EndpointRules) => Promise<Inbox>;

/** The protocols for fetching email. Each is an adapter for the port `Inbox`, loaded on first use. */
const adapters = {
  imap: async () => (await import('./open-imap-inbox.ts')).openImapInbox,
  pop3: async () => (await import('./pop3-inbox.ts')).openPop3Inbox,
  graph: async () => (await import('./graph-inbox.ts')).openGraphInbox,
} satisfies Record<string, () => Promise<OpenInbox>>;

export type FetchProtocol = keyof typeof adapters;
export const fetchProtocols = Object.keys(adapters) as FetchProtocol[];

/** @throws InboxError with a `failure` that depends on the server's response */
export async function openInbox(
  protocol: FetchProtocol,
  address: InboxAddress,
  seam: Seam,
  rules: EndpointRules,
): Promise<Inbox> {
  const open = await adapters[protocol]();
  return open(address, seam, rules);
}
