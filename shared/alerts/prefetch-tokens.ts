import type { TokenSource } from '../mailboxes/connect-inbox.ts';
import type { Config } from '../platform/config.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import { routesFor } from './email-channel.ts';
import type { MailboxCache } from './mailbox-cache.ts';

/** Two, because one may be the very account that fails. */
const AT_HAND = 2;

/**
 * Runs after each health check, which reads the mailboxes: caches the tokens of two mailboxes that can send
 * alerts, for a time when storage is unavailable and no token can be read. Usually they are cached already,
 * and this costs nothing. Does nothing with a relay, or without email alerts.
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
    const { account, host, protocol = 'smtp' } = route;
    if ((await deps.accessTokens.get(account, { host, protocol })).kind === 'token') found += 1;
  }
}
