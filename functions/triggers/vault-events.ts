import { log } from '../../shared/platform/log.ts';
import { reviewSecret } from '../../shared/secrets/review-secrets.ts';
import { readVaultEvents } from '../../shared/secrets/vault-event.ts';
import { type Services, services } from '../services.ts';

/** One message of the queue `vault-events`: what Event Grid heard from Key Vault. */
export async function takeVaultEvents(message: unknown): Promise<void> {
  await takeEvents(services(), message);
}

/** Says nothing by itself: an event is a reason to look at the secret now, and the look decides. */
export async function takeEvents(all: Services, message: unknown): Promise<void> {
  const events = readVaultEvents(message);
  if (events.length === 0) log.info('vault event passed over', { why: 'not about the end of a secret' });
  for (const { kind, secret } of events) {
    const isOurs = await reviewSecret(all, secret);
    log.info('vault event', { kind, secret, isOurs });
  }
}
