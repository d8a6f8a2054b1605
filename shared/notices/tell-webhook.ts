import type { Config } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { guardedFetch } from '../providers/guarded-fetch.ts';
import type { Tell } from './keep-notices.ts';
import { payloadOf, shapeFor, signatureOf } from './webhook-payload.ts';

/**
 * Posts tellings to the webhook of the settings, in the shape its host understands. Teams and Slack know the sender by
 * the address alone; every other receiver gets a signature, or nothing.
 * @throws PostroomError, from the function it gives: `webhook-unsigned` when a key is missing, `webhook-refused` when the
 * answer is no success, and what `guardedFetch` throws. None of them holds the address.
 */
export function webhookTeller(
  webhook: NonNullable<Config['notices']['webhook']>,
  { config, seam }: { config: Pick<Config, 'publicUrl' | 'local'>; seam: Seam },
): Tell {
  return async (telling) => {
    const url = new URL(webhook.url.expose());
    const shape = shapeFor(url.hostname);
    const body = payloadOf(telling, shape, config.publicUrl);
    const { key } = webhook;
    if (shape === 'json' && key === undefined)
      throw new PostroomError('webhook-unsigned', 'NOTICE_WEBHOOK_KEY is missing: nothing is sent unsigned');
    const signature = key === undefined ? {} : signatureOf(telling.id, body, key, seam.now());
    const headers = { 'content-type': 'application/json', 'user-agent': 'Postroom', ...signature };
    const answer = await seam.call('webhook.post', () =>
      guardedFetch(url.href, { method: 'POST', headers, body }, { local: config.local }),
    );
    if (answer.status < 200 || answer.status > 299)
      throw new PostroomError('webhook-refused', `The webhook answered with status ${answer.status}`);
  };
}
