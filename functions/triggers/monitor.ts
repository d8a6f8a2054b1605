import { resolvePendingTests } from '../../shared/connection-test/resolve-pending-tests.ts';
import { purgeConsents } from '../../shared/consent/purge-consents.ts';
import { queueChecks } from '../../shared/intake/queue-checks.ts';
import { measureQuarantine } from '../../shared/intake/measure-quarantine.ts';
import { prefetchTokens } from '../../shared/alerts/prefetch-tokens.ts';
import { recheckSending } from '../../shared/alerts/recheck-sending.ts';
import { withTimeout } from '../../shared/platform/concurrency.ts';
import { log } from '../../shared/platform/log.ts';
import { recheckSecrets } from '../../shared/secrets/review-secrets.ts';
import { findDepsOf } from '../find-test-message.ts';
import { type Services, services } from '../services.ts';

/** What stands beside the look at the installation may not keep it waiting: a storage that is silent is to be told of. */
const BESIDE_MS = 12_000;

/**
 * Each minute, half a minute after the fetches began: looks at the whole installation, opens, repeats and closes alerts, and
 * tells people. Its own sign of life comes first, or it would find itself late after a night in which the app was off.
 */
export async function monitor(): Promise<void> {
  await sweepAll(services());
}

/** One run of the monitor, with these services. Rejects only for a fault of our own: an outage is what it tells of. */
export async function sweepAll(all: Services): Promise<void> {
  const { heartbeats, watch, alerts, seam } = all;
  const isAlive = await inTime('heartbeat not stored', heartbeats.beat('monitor', seam.now()));
  const hasStorage = isAlive && alerts.held().length === 0;
  // Before the look at the installation, which tells what they find. Without storage there is only that look, and no time to lose.
  if (hasStorage)
    await Promise.all([
      inTime('secrets not looked at again', recheckSecrets(all)),
      inTime('sending not looked at again', recheckSending({ ...all, sender: all.mailSender })),
    ]);
  // A mail server that does not answer must not keep people from hearing what is wrong.
  await Promise.all([
    watch.run(),
    hasStorage && quietly('tests not looked at again', resolvePendingTests({ ...all, ...findDepsOf(all) })),
    hasStorage && quietly('quarantine not measured', measureQuarantine(all)),
    hasStorage && inTime('folder checks not queued', queueChecks(all)),
    hasStorage && inTime('old sign-ins not removed', purgeConsents(all)),
  ]);
  if (alerts.held().length === 0)
    await inTime('tokens not kept', prefetchTokens({ ...all, mailboxes: all.knownMailboxes }));
}

const inTime = (failure: string, work: Promise<unknown>): Promise<boolean> =>
  quietly(failure, withTimeout(work, BESIDE_MS, 'too-slow'));

/** Whether it went well. What fails here is what the look at the installation then tells. */
async function quietly(failure: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    log.error(failure, error);
    return false;
  }
}
