import { resealAccounts } from '../shared/accounts/reseal-accounts.ts';
import { log } from '../shared/platform/log.ts';
import { telemetry } from '../shared/platform/telemetry.ts';
import { readEntraDates } from '../shared/secrets/read-entra-dates.ts';
import { reviewSecrets } from '../shared/secrets/review-secrets.ts';
import { rotateSecrets } from '../shared/secrets/rotate-secrets.ts';
import { type Services, services } from './services.ts';

/** Each day: what nobody does by hand for secrets, sealed tokens and records. Each part on its own; the first failure is thrown. */
export async function runReview(): Promise<void> {
  await reviewAll(services());
}

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
      const { resealed, left } = await resealAccounts(all);
      if (resealed + left > 0) log.info('tokens sealed again', { resealed, left });
    },
    'quarantine size': () => measureQuarantine(all),
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

/** Beyond that many, a mailbox needs a person and not a number. */
const MOST_COUNTED = 999;

async function measureQuarantine({ mailboxes, quarantine }: Services): Promise<void> {
  for (const { id: mailbox } of await mailboxes.list()) {
    const { entries } = await quarantine.page(mailbox, { limit: MOST_COUNTED });
    const kept = entries.filter(({ kind }) => kind === 'quarantined').length;
    telemetry.measure('quarantineSize', kept, { mailbox });
  }
}
