import { prefetchTokens } from '../../shared/alerts/prefetch-tokens.ts';
import { recheckSending } from '../../shared/alerts/recheck-sending.ts';
import { resolvePendingTests } from '../../shared/connection-test/resolve-pending-tests.ts';
import { purgeConsents } from '../../shared/consent/purge-consents.ts';
import { measureQuarantine } from '../../shared/intake/measure-quarantine.ts';
import { queueChecks } from '../../shared/intake/queue-checks.ts';
import { queueDueEmails } from '../../shared/outbox/queue-due-emails.ts';
import { withTimeout } from '../../shared/platform/concurrency.ts';
import { log } from '../../shared/platform/log.ts';
import { maintainPushes } from '../../shared/push/maintain-pushes.ts';
import { recheckSecrets } from '../../shared/secrets/review-secrets.ts';
import { findDepsOf } from '../find-test-message.ts';
import { type Services, services } from '../services.ts';
import { sendAgentMail } from '../use-cases/alert-agents.ts';

/** The other checks must not delay the health check: unresponsive storage has to be reported. */
const BESIDE_MS = 12_000;

/**
 * Every minute, half a minute after the fetches start: checks the whole installation, opens, repeats and
 * closes alerts, and sends notifications. The monitor's own heartbeat comes first, otherwise it would find
 * itself late after a night in which the app was off.
 */
export async function monitor(): Promise<void> {
  await runMonitor(services());
}

/** One run of the monitor. Rejects only because of a bug: outages are reported as alerts. */
export async function runMonitor(all: Services): Promise<void> {
  const { heartbeats, watch, alerts, seam } = all;
  const isAlive = await inTime('heartbeat not stored', heartbeats.beat('monitor', seam.now()));
  const hasStorage = isAlive && alerts.inMemory().length === 0;
  // Before the health check, which reports what these find. Without storage, only the health check runs,
  // without delay.
  if (hasStorage)
    await Promise.all([
      inTime('secrets not rechecked', recheckSecrets(all)),
      inTime('sending not rechecked', recheckSending({ ...all, sender: all.mailSender })),
    ]);
  // A mail server that does not respond must not delay notifications.
  await Promise.all([
    watch.run(),
    hasStorage &&
      quietly('connection tests not checked', resolvePendingTests({ ...all, ...findDepsOf(all) })),
    hasStorage && quietly('quarantine not measured', measureQuarantine(all)),
    hasStorage && inTime('outgoing emails not queued', queueDueEmails(all)),
    hasStorage && inTime('agents not told', sendAgentMail(all)),
    hasStorage && inTime('folder checks not queued', queueChecks(all)),
    hasStorage && inTime('push not maintained', maintainPushes({ ...all.push, mailboxes: all.mailboxes })),
    hasStorage && inTime('old sign-ins not removed', purgeConsents(all)),
  ]);
  if (alerts.inMemory().length === 0)
    await inTime('tokens not kept', prefetchTokens({ ...all, mailboxes: all.knownMailboxes }));
}

const inTime = (failure: string, work: Promise<unknown>): Promise<boolean> =>
  quietly(failure, withTimeout(work, BESIDE_MS, 'too-slow'));

/** True on success. The health check reports what fails here. */
async function quietly(failure: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    log.error(failure, error);
    return false;
  }
}
