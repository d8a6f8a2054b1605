import type { Config } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { guardedFetch } from '../providers/guarded-fetch.ts';
import type { Tell } from './alert-service.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import { needsKey } from './channel-states.ts';
import { payloadOf, shapeFor, signatureOf } from './webhook-payload.ts';

/**
 * Posts notifications to the webhook in the vault, in its host's format. Teams and Slack authenticate the
 * sender by the URL; every other receiver gets a signed request, or none.
 * @throws PostroomError, from the returned function: `channel-unusable` when the URL can't be read or used,
 * `webhook-unsigned` when the key can't, `webhook-refused` when the response is not a success, and the
 * errors of `guardedFetch`. None contains the URL.
 */
export function webhookChannel({
  config,
  seam,
  channelSecrets,
}: {
  config: Pick<Config, 'publicUrl' | 'local'>;
  seam: Seam;
  channelSecrets: ChannelSecrets;
}): Tell {
  return async (notification) => {
    const { webhook } = await channelSecrets.read();
    if (webhook.kind !== 'ready')
      throw new PostroomError('channel-unusable', 'The secret alert-webhook-url cannot be used');
    const { key } = webhook;
    const url = new URL(webhook.url.expose());
    const shape = shapeFor(url.hostname);
    const body = payloadOf(notification, shape, config.publicUrl);
    if (key === undefined && needsKey(webhook.url))
      throw new PostroomError(
        'webhook-unsigned',
        'The secret alert-webhook-key is missing or cannot be used: nothing is sent unsigned',
      );
    const signature = key === undefined ? {} : signatureOf(notification.id, body, key, seam.now());
    const headers = { 'content-type': 'application/json', 'user-agent': 'Postroom', ...signature };
    const answer = await seam.call('webhook.post', () =>
      guardedFetch(url.href, { method: 'POST', headers, body }, { local: config.local }),
    );
    if (answer.status < 200 || answer.status > 299)
      throw new PostroomError('webhook-refused', `The webhook answered with status ${answer.status}`);
  };
}
