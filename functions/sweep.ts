import { settleWaitingTests } from '../shared/connection-test/settle-waiting-tests.ts';
import { recheckSending } from '../shared/notices/recheck-sending.ts';
import { log } from '../shared/platform/log.ts';
import { recheckSecrets } from '../shared/secrets/review-secrets.ts';
import { lookDepsOf } from './look-for-mail.ts';
import { services } from './services.ts';

/**
 * Each minute, half a minute after the fetches began: looks at the whole desk, opens, repeats and closes notices, and
 * tells people. Its own sign of life comes first, or it would find itself late after a night in which the app was off.
 */
export async function sweep(): Promise<void> {
  const all = services();
  const { heartbeats, watch, seam } = all;
  const hasStorage = await quietly('heartbeat not stored', heartbeats.beat('sweep', seam.now()));
  // Before the look at the desk, which tells what they find. Without storage there is only that look, and no time to lose.
  if (hasStorage) {
    await quietly('secrets not looked at again', recheckSecrets(all));
    await quietly('sending not looked at again', recheckSending({ ...all, sender: all.mailSender }));
  }
  // A mail server that does not answer must not keep people from hearing what is wrong.
  await Promise.all([
    watch.run(),
    hasStorage && quietly('tests not looked at again', settleWaitingTests({ ...all, ...lookDepsOf(all) })),
  ]);
}

/** Whether it went well. What fails here is what the look at the desk then tells. */
async function quietly(failure: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    log.error(failure, error);
    return false;
  }
}
