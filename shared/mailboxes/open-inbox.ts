import type { Seam } from '../platform/seam.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import type { Inbox, InboxAddress } from './inbox.ts';

type OpenInbox = (address: InboxAddress, seam: Seam, rules: EndpointRules) => Promise<Inbox>;

/** The protocols that mail is fetched over: each is one adapter behind the port `Inbox`, loaded when it is used. */
const adapters = {
  imap: async () => (await import('./imap-inbox.ts')).openImapInbox,
} satisfies Record<string, () => Promise<OpenInbox>>;

export type FetchProtocol = keyof typeof adapters;
export const fetchProtocols = Object.keys(adapters) as FetchProtocol[];

/** @throws InboxError, told apart by what the server said. */
export async function openInbox(
  protocol: FetchProtocol,
  address: InboxAddress,
  seam: Seam,
  rules: EndpointRules,
): Promise<Inbox> {
  const open = await adapters[protocol]();
  return open(address, seam, rules);
}
