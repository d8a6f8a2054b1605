import type { TokenSource } from '../mailboxes/connect-inbox.ts';
import type { Config } from '../platform/config.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { KnownMailboxes } from './known-mailboxes.ts';
import { routesFor } from './tell-email.ts';

/** One may be the very account that is dead. */
const AT_HAND = 2;

/**
 * After each look at the desk, which reads the mailboxes: sees to it that this process has the tokens of two mailboxes at hand over which a notice could leave, for
 * the time in which storage is away and no token can be read. Mostly they are, and this costs nothing. Where a relay or
 * no mail at all is set up, it does nothing.
 */
export async function keepTokens(deps: {
  config: Pick<Config, 'notices'>;
  channelSecrets: ChannelSecrets;
  mailboxes: Pick<KnownMailboxes, 'last'>;
  accessTokens: TokenSource;
}): Promise<void> {
  if (deps.config.notices.emails.length === 0) return;
  if ((await deps.channelSecrets.read()).relay.kind === 'ready') return;
  let found = 0;
  for (const { route } of routesFor(deps.mailboxes.last()).slice(0, AT_HAND * 2)) {
    if (found >= AT_HAND) return;
    if ((await deps.accessTokens.get(route.account, { host: route.host })).kind === 'token') found += 1;
  }
}
