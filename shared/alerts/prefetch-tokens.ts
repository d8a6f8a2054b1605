import type { TokenSource } from '../mailboxes/connect-inbox.ts';
import type { Config } from '../platform/config.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { MailboxCache } from './mailbox-cache.ts';
import { routesFor } from './email-channel.ts';

/** One may be the very account that is dead. */
const AT_HAND = 2;

/**
 * After each look at the installation, which reads the mailboxes: sees to it that this process has the tokens of two mailboxes at hand over which an alert could leave, for
 * the time in which storage is away and no token can be read. Mostly they are, and this costs nothing. Where a relay or
 * no mail at all is set up, it does nothing.
 */
export async function prefetchTokens(deps: {
  config: Pick<Config, 'alerts'>;
  channelSecrets: ChannelSecrets;
  mailboxes: Pick<MailboxCache, 'last'>;
  accessTokens: TokenSource;
}): Promise<void> {
  if (deps.config.alerts.emails.length === 0) return;
  if ((await deps.channelSecrets.read()).relay.kind === 'ready') return;
  let found = 0;
  for (const { route } of routesFor(deps.mailboxes.last()).slice(0, AT_HAND * 2)) {
    if (found >= AT_HAND) return;
    if ((await deps.accessTokens.get(route.account, { host: route.host })).kind === 'token') found += 1;
  }
}
