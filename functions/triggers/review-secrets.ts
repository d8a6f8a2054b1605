import { reencryptTokens } from '../../shared/accounts/reencrypt-tokens.ts';
import { log } from '../../shared/platform/log.ts';
import { readEntraDates } from '../../shared/secrets/read-entra-dates.ts';
import { reviewSecrets } from '../../shared/secrets/review-secrets.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { type Services, services } from '../services.ts';

/** Every day: automatic maintenance of secrets, encrypted tokens and old records. */
export async function runReview(): Promise<void> {
  await reviewAll(services());
}

/**
 * The work of `runReview`, on given services: every part runs, even if an earlier one failed. Only a review
 * without failures writes its heartbeat, so that a review that fails every day makes the timer late.
 * @throws the error of the first part that failed
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
    'old drafts': async () => {
      const removed = await all.drafts.purge(all.seam.now(), async (ticketId) => {
        const sent = await all.outbox.list(ticketId);
        return new Set(sent.flatMap(({ attachments }) => attachments.map(({ blob }) => blob)));
      });
      if (removed > 0) log.info('old drafts removed', { removed });
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
