import { log } from '../shared/platform/log.ts';
import { recheckSecrets } from '../shared/secrets/review-secrets.ts';
import { services } from './services.ts';

/**
 * Each minute, half a minute after the fetches began: looks at the whole desk, opens, repeats and closes notices, and
 * tells people. Its own sign of life comes first, or it would find itself late after a night in which the app was off.
 */
export async function sweep(): Promise<void> {
  const all = services();
  const { heartbeats, watch, seam } = all;
  await heartbeats.beat('sweep', seam.now()).catch((error: unknown) => {
    // Storage is away: the look that follows says so.
    log.error('heartbeat not stored', error, { timer: 'sweep' });
  });
  // Before the look at the desk, which tells what is over; a vault that is away is what that look says.
  await recheckSecrets(all).catch((error: unknown) => log.error('secrets not looked at again', error));
  await watch.run();
}
