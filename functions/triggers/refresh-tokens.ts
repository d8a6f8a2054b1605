import { renewIdleAccounts } from '../../shared/accounts/renew-idle-accounts.ts';
import { log } from '../../shared/platform/log.ts';
import { services } from '../services.ts';

/** Each day: uses the grants that nobody has used for a week, so that they do not end. */
export async function refreshTokens(): Promise<void> {
  const all = services();
  const { idle, renewed, refused, broken, left } = await renewIdleAccounts(all);
  if (idle > 0) log.info('idle accounts renewed', { idle, renewed, refused, broken, left });
  await all.heartbeats.beat('refreshTokens', all.seam.now());
}
