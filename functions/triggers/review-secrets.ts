import { reencryptTokens } from '../../shared/accounts/reencrypt-tokens.ts';
import { log } from '../../shared/platform/log.ts';
import { readEntraDates } from '../../shared/secrets/read-entra-dates.ts';
import { reviewSecrets } from '../../shared/secrets/review-secrets.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { type Services, services } from '../services.ts';

/** Each day: what nobody does by hand for secrets, sealed tokens and records. */
export async function runReview(): Promise<void> {
  await reviewAll(services());
}

/**
 * What `runReview` does, on given services: every part runs, whatever became of the ones before it. A review without a
 * failure leaves its sign of life, so that one that fails day by day makes the timer late.
 * @throws whatever the first part that failed threw
 */
export async function reviewAll(all: Services): Promise<void> {
  const failures: unknown[] = [];
  const parts: Readonly<Record<string, () => Promise<void>>> = {
    'dates from the directory': () => readEntraDates(all),
    rotation: () => rotateSecrets(all),
    review: async () => {
      const secrets = await reviewSecrets(all);
      log.info('secrets reviewed', { secrets: secrets.length });
    },
    'sealing again': async () => {
      const { reencrypted, left } = await reencryptTokens(all);
      if (reencrypted + left > 0) log.info('tokens re-encrypted', { reencrypted, left });
    },
    'old activity': async () => {
      const removed = await all.activity.forgetOld(all.seam.now());
      if (removed > 0) log.info('old activity removed', { removed });
    },
  };
  for (const [part, run] of Object.entries(parts)) {
    try {
      await run();
    } catch (error) {
      log.error('part of the review failed', error, { part });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  await all.heartbeats.beat('reviewSecrets', all.seam.now());
}
