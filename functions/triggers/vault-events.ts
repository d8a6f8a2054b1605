import { log } from '../../shared/platform/log.ts';
import { reviewSecret } from '../../shared/secrets/review-secrets.ts';
import { readVaultEvents } from '../../shared/secrets/vault-event.ts';
import { type Services, services } from '../services.ts';

/** A message of the queue `vault-events`: an event of Key Vault, sent by Event Grid. */
export async function takeVaultEvents(message: unknown): Promise<void> {
  await takeEvents(services(), message);
}

/** The event itself raises no alert: it only triggers a check of the secret, which decides. */
export async function takeEvents(all: Services, message: unknown): Promise<void> {
  const events = readVaultEvents(message);
  if (events.length === 0) log.info('vault event ignored', { why: 'not about the expiry of a secret' });
  for (const { kind, secret } of events) {
    const isOurs = await reviewSecret(all, secret);
    log.info('vault event', { kind, secret, isOurs });
  }
}
