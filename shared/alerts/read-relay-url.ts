import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import type { ChannelSecrets } from './channel-secrets.ts';

/**
 * The URL of the SMTP relay, to send over it now.
 * @throws PostroomError `no-relay`, `bad-relay` when an operator has to correct the secret, or why the vault could not be
 * read. Contains nothing of the URL.
 */
export async function readRelayUrl(channelSecrets: ChannelSecrets): Promise<Secret> {
  const { relay, failures } = await channelSecrets.read();
  if (relay.kind === 'ready') return relay.url;
  if (relay.kind === 'absent')
    throw new PostroomError('no-relay', 'There is no SMTP relay: the secret smtp-relay-url is missing.');
  const failure = failures.find(({ secret }) => secret === 'smtp-relay-url');
  if (failure?.code === 'channel-malformed') throw new PostroomError('bad-relay', failure.reason);
  if (failure?.code === 'secret-disabled')
    throw new PostroomError('bad-relay', 'The secret smtp-relay-url is disabled.');
  throw new PostroomError(
    failure?.code ?? 'key-vault',
    'The URL of the SMTP relay could not be read from the key vault.',
  );
}
