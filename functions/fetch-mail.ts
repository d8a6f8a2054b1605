import { log } from '../shared/platform/log.ts';
import { services } from './services.ts';

/** Each minute: puts the mailboxes that are due on the queue `fetch-shard`. */
export async function fetchMail(): Promise<void> {
  log.info('fetch mail', { now: new Date(services().seam.now()).toISOString() });
}
