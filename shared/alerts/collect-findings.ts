import type { Mailbox } from '../mailboxes/mailbox.ts';
import { paths } from '../paths/paths.ts';
import { byGravity, type Finding } from './alert.ts';
import { channelFindings } from './channel-findings.ts';
import { inWordsOf } from './demo-findings.ts';
import { type FailingPart, type HealthFacts, silentSince, silentWithoutReason } from './health-facts.ts';
import { independentFindings, partFailing, timerFindings } from './health-findings.ts';
import { BLAMED_AFTER, listOf, mailboxFindings, partOf, waitingMail } from './mailbox-findings.ts';
import { refusalFindings } from './refusal-findings.ts';

/**
 * All current findings, most severe first, each fault once under its root cause: while storage is
 * unavailable nothing else is known; a late timer or a failing dependency covers the mailboxes that wait
 * for it. Pure.
 */
export function collectFindings(facts: HealthFacts, now: number): Finding[] {
  return inWordsOf(facts.config, facts, foundIn(facts, now));
}

function foundIn(facts: HealthFacts, now: number): Finding[] {
  const failing = partsBlamed(facts);
  const storage = failing.find(({ part }) => part === 'storage');
  if (storage !== undefined) return [partFailing(storage)];
  const timers = timerFindings(facts, now);
  const isVaultBlamed = failing.some(({ part }) => part === 'vault');
  const fetchesStand = timers.some(({ severity }) => severity === 'critical');
  return [
    ...failing.map(partFailing),
    ...timers,
    ...mailboxFindings(facts, now, { isVaultBlamed }),
    ...(fetchesStand ? [] : unexplained(facts, now)),
    ...refusalFindings(facts),
    ...independentFindings(facts, now),
    ...channelFindings(facts.channelFailures ?? [], now, { isVaultBlamed }),
  ].sort(byGravity);
}

/**
 * Dependencies that failed the check itself, or that repeatedly made fetches fail. If the vault responds to
 * the check but refuses something to one provider, it is that provider's problem: the others continue.
 */
function partsBlamed({ failing, mailboxes, state, withoutVault }: HealthFacts): FailingPart[] {
  const parts = new Map<FailingPart['part'], FailingPart>(failing.map((one) => [one.part, one]));
  const hits = mailboxes.flatMap(({ id, enabled }) => {
    const failure = state.failing.get(id);
    if (!enabled || failure === undefined || failure.failures < BLAMED_AFTER) return [];
    const part = partOf(failure.code);
    return part === undefined ? [] : [{ id, failure, part }];
  });
  const isVault = isVaultToBlame({ failing, mailboxes, state });
  for (const { id, failure, part } of hits) {
    if (part === 'vault' && !isVault && withoutVault?.get(id) !== failure.failures) continue;
    const before = parts.get(part);
    const since = before === undefined || failure.since < before.since ? failure.since : before.since;
    parts.set(part, { part, message: before?.message ?? failure.problem, since });
  }
  return [...parts.values()];
}

type AboutVault = Pick<HealthFacts, 'failing' | 'mailboxes' | 'state'>;

/** Mailboxes whose last fetch failed because of the vault. */
const hitByVault = ({ mailboxes, state }: AboutVault) =>
  mailboxes.flatMap(({ id, enabled, providerId }) => {
    const failure = state.failing.get(id);
    if (!enabled || failure === undefined || partOf(failure.code) !== 'vault') return [];
    return [{ id, providerId, failures: failure.failures }];
  });

function isVaultToBlame(facts: AboutVault): boolean {
  const again = hitByVault(facts).filter(({ failures }) => failures >= BLAMED_AFTER);
  return (
    facts.failing.some(({ part }) => part === 'vault') ||
    new Set(again.map(({ providerId }) => providerId)).size > 1
  );
}

/** State for the next check: see `withoutVault` of the facts. Pure. */
export function stillWithoutVault(facts: Omit<HealthFacts, 'suspects'>): ReadonlyMap<string, number> {
  const hits = hitByVault(facts);
  const left = isVaultToBlame(facts)
    ? hits
    : hits.filter(({ id, failures }) => facts.withoutVault?.get(id) === failures);
  return new Map(left.map(({ id, failures }) => [id, failures]));
}

/**
 * Mailboxes that have neither succeeded nor failed for too long, at two checks in a row: their runs do not
 * finish.
 */
function unexplained(facts: HealthFacts, now: number): Finding[] {
  const ids = new Set(silentWithoutReason(facts, now).filter((id) => facts.suspects.has(id)));
  const silent = facts.mailboxes.filter(({ id }) => ids.has(id));
  const [one] = silent;
  if (one === undefined) return [];
  const since = silent
    .map((mailbox) => silentSince(mailbox, facts, now) ?? mailbox.createdAt)
    .reduce((earliest, at) => (at < earliest ? at : earliest));
  const alone = silent.length === 1;
  return [
    {
      kind: 'mailbox-silent',
      subject: alone
        ? { kind: 'mailbox', id: one.id, name: one.address }
        : { kind: 'queue', id: 'fetch-shard', name: 'The queue of fetches' },
      severity: everyEnabled(facts, silent) ? 'critical' : 'error',
      headline: `Not receiving mail from ${listOf(silent.map(({ address }) => address))}: fetches do not finish.`,
      cause:
        'Fetches start, but neither succeed nor fail: the queue fetch-shard is not processed, or every run is stopped early.',
      code: 'fetches-do-not-end',
      since,
      affected: waitingMail(silent, facts.state),
      who: 'you',
      fix: { label: 'View health', href: paths.health() },
    },
  ];
}

const everyEnabled = ({ mailboxes }: HealthFacts, silent: readonly Mailbox[]): boolean =>
  mailboxes.every((mailbox) => !mailbox.enabled || silent.includes(mailbox));
