import { renewIdleAccounts } from '../../shared/accounts/renew-idle-accounts.ts';
import { log } from '../../shared/platform/log.ts';
import { services } from '../services.ts';

/** Every day: refreshes grants that were not used for a week, so that they do not expire. */
export async function refreshTokens(): Promise<void> {
  const all = services();
  const { idle, renewed, refused, broken, left } = await renewIdleAccounts(all);
  if (idle > 0) log.info('idle accounts renewed', { idle, renewed, refused, broken, left });
  await all.heartbeats.beat('refreshTokens', all.seam.now());
}
