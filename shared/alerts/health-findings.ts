import { explainText } from '../explanations/explain.ts';
import { linkTo } from '../explanations/links.ts';
import { type LateTimer, lateTimers, type TimerName } from '../heartbeats/heartbeat.ts';
import { paths } from '../paths/paths.ts';
import { type Alert, type Finding, shownOf } from './alert.ts';
import { failed } from './collect-health.ts';
import type { FailingPart, HealthFacts } from './health-facts.ts';
import { waitingMail } from './mailbox-findings.ts';
import { pushFindings } from './push-findings.ts';

const OF_AZURE = /^(?:storage|key-vault|managed-identity)-/;

/** Storage or Key Vault does not respond; everything else depends on it. Pure. */
export function partFailing({ part, message, since }: FailingPart): Finding {
  const explanation = explainText({ text: message });
  // An explanation about an unreachable mail server would mislead here.
  const known = OF_AZURE.test(explanation.code);
  const storage = part === 'storage';
  const azure = linkTo(storage ? 'storage-accounts' : 'key-vaults', {});
  return {
    kind: storage ? 'storage-failing' : 'vault-failing',
    subject: { kind: part, id: part, name: storage ? 'Storage' : 'Key Vault' },
    severity: 'critical',
    headline: storage
      ? 'Not receiving mail: Postroom’s storage does not respond.'
      : 'Tokens cannot be refreshed: Key Vault does not respond as it should.',
    cause: known
      ? explanation.cause
      : storage
        ? 'Azure Storage is unavailable, or its firewall or a missing role blocks Postroom.'
        : 'Azure Key Vault is unavailable, or its firewall or a missing role blocks Postroom.',
    code: known ? explanation.code : storage ? 'table-storage' : 'key-vault',
    since,
    affected: storage
      ? 'No mail is lost: it waits in the mailboxes. Tickets cannot be read until storage is available again.'
      : 'No mail is lost. Fetching continues until the current tokens expire, after about an hour; then mail waits in the mailboxes.',
    who: known ? explanation.who : 'you',
    fix: { label: azure.label, href: azure.href },
  };
}

/** The finding for a page that cannot reach storage: the known alert, if there is one. Pure. */
export function storageFinding(inMemory: readonly Alert[], error: unknown, now: number): Finding {
  const known = inMemory.map(shownOf).find(({ kind }) => kind === 'storage-failing');
  return known ?? partFailing(failed('storage', error, now));
}

const doesWhat: Readonly<Record<TimerName, { headline: string; affected: string }>> = {
  monitor: {
    headline: 'Postroom no longer checks itself: the timer monitor is not running.',
    affected: 'Fetching is not affected. Alerts are delayed.',
  },
  fetchMail: {
    headline: 'Not receiving mail: the timer fetchMail is not running.',
    affected: 'No mail is lost: it waits in the mailboxes.',
  },
  refreshTokens: {
    headline: 'Idle accounts are not refreshed: the timer refreshTokens is not running.',
    affected: 'Fetching is not affected. A sign-in that is unused for 90 days expires.',
  },
  reviewSecrets: {
    headline: 'Secret expiry dates are not checked: the timer reviewSecrets is not running.',
    affected: 'Fetching is not affected. There would be no reminder before a secret expires.',
  },
};

const SEEN_AFTER_DEPLOYMENT = 'After a deployment, this can last until the app is restarted.';

/** Late timers. When both main timers are late, it is one fault of the whole app. Pure. */
export function timerFindings(
  facts: Pick<HealthFacts, 'beats' | 'mailboxes' | 'state'>,
  now: number,
): Finding[] {
  const late = lateTimers(facts.beats, now);
  const monitor = late.find(({ name }) => name === 'monitor');
  const fetch = late.find(({ name }) => name === 'fetchMail');
  if (monitor !== undefined && fetch !== undefined)
    return [
      timerLate({ name: 'fetchMail', since: fetch.since }, 'timers', {
        cause: `The Functions host has not started them, or all their runs fail. ${SEEN_AFTER_DEPLOYMENT}`,
        headline: 'Not receiving mail: Postroom’s timers are not running.',
        affected: waitingMail(
          facts.mailboxes.filter(({ enabled }) => enabled),
          facts.state,
        ),
      }),
    ];
  return late.map((timer) => timerLate(timer, timer.name, doesWhat[timer.name]));
}

function timerLate(
  { name, since }: LateTimer,
  id: string,
  words: { headline: string; affected: string; cause?: string },
): Finding {
  const severity = name === 'fetchMail' ? 'critical' : name === 'monitor' ? 'error' : 'warning';
  return {
    kind: 'timer-late',
    subject: { kind: 'timer', id, name },
    severity,
    headline: words.headline,
    cause:
      words.cause ?? `The Functions host has not started it, or all its runs fail. ${SEEN_AFTER_DEPLOYMENT}`,
    code: 'timer-late',
    since,
    affected: words.affected,
    who: 'you',
    fix: { label: 'View health', href: paths.health() },
  };
}

/** Findings that no other finding explains; a new kind of alert is one more line here. Pure. */
export function independentFindings(facts: HealthFacts, now: number): Finding[] {
  return [
    ...poisonFindings(facts),
    ...unreadableRowFindings(facts, now),
    ...loopFindings(facts, now),
    ...missingEmailFindings(facts),
    ...quarantineFindings(facts),
    ...pushFindings(facts),
  ];
}

const worksOn: Readonly<Record<HealthFacts['abandoned'][number]['queue'], string>> = {
  'fetch-shard': 'fetching mail',
  outbox: 'sending mail',
  'vault-events': 'reading Key Vault events',
};

/** Messages that failed five times and were moved to a poison queue by the Functions host. Pure. */
export function poisonFindings({ abandoned }: Pick<HealthFacts, 'abandoned'>): Finding[] {
  return abandoned.map(({ queue, count, since }) => ({
    kind: 'poison-queue',
    subject: { kind: 'queue', id: queue, name: `${queue}-poison` },
    severity: 'warning',
    headline: `${count === 1 ? '1 job' : `${count} jobs`} failed repeatedly: ${worksOn[queue]}.`,
    cause: 'The same queue message failed five times. The app’s log shows why, under the name of the queue.',
    code: 'poison-queue',
    since,
    affected: 'No mail is lost: later runs do the same work.',
    who: 'you',
    fix: { label: 'View failed jobs', href: paths.health() },
  }));
}

/** Email in a mailbox that Postroom has never seen: one finding a mailbox, until it was fetched. Pure. */
function missingEmailFindings({
  mailboxes,
  missing = new Map(),
}: Pick<HealthFacts, 'mailboxes' | 'missing'>): Finding[] {
  return mailboxes.flatMap((mailbox): Finding[] => {
    const found = missing.get(mailbox.id);
    if (found === undefined || found.count === 0) return [];
    const { id, address, folder } = mailbox;
    const isOne = found.count === 1;
    return [
      {
        kind: 'email-missing',
        subject: { kind: 'mailbox', id, name: address },
        severity: 'error',
        headline: `${isOne ? '1 email' : `${found.count} emails`} in ${address} ${isOne ? 'is' : 'are'} missing from Postroom.`,
        cause: `The check of the folder ${folder} found ${isOne ? 'it' : 'them'}: someone has read ${isOne ? 'it' : 'them'}, but Postroom has never seen ${isOne ? 'it' : 'them'}.`,
        code: 'email-missing',
        since: found.checkedAt,
        affected: `No mail is lost: ${isOne ? 'it is' : 'they are'} in the mailbox, and one click fetches ${isOne ? 'it' : 'them'}.`,
        who: 'you',
        fix: { label: `Fetch the missing email of ${address}`, href: paths.mailboxCheck({ id }) },
      },
    ];
  });
}

/** Email that could not be imported, until a person has dealt with each. Alerts on the first one, and again at each tenfold increase. Pure. */
export function quarantineFindings({ quarantined }: Pick<HealthFacts, 'quarantined'>): Finding[] {
  if (quarantined === undefined || quarantined.count === 0) return [];
  const { count, since } = quarantined;
  const size = 10 ** Math.floor(Math.log10(count));
  return [
    {
      kind: 'quarantine-grown',
      subject: { kind: 'installation', id: 'quarantine', name: 'Unimported email' },
      severity: 'warning',
      headline: `${count === 1 ? '1 email' : `${count} emails`} could not be imported.`,
      cause: 'Each is listed with its reason: try again, create a ticket, or dismiss it.',
      code: 'quarantine-grown',
      since,
      affected: `${count === 1 ? 'It is' : 'They are'} kept, but no ticket was created.`,
      who: 'you',
      fix: { label: 'Open unimported email', href: paths.unimported({ show: 'waiting' }) },
      stage: `${size} emails`,
      size,
    },
  ];
}

const LOOP_NEWS_MS = 3_600_000;

/** Automatic email above the limits within the last hour: two machines may be replying to each other. Pure. */
export function loopFindings(
  { mailboxes, state }: Pick<HealthFacts, 'mailboxes' | 'state'>,
  now: number,
): Finding[] {
  return state.loops.flatMap(
    ({ mailboxId, sender, at, ticketId, count, stopsAcknowledgements }): Finding[] => {
      const mailbox = mailboxes.find(({ id }) => id === mailboxId);
      if (mailbox === undefined || Math.abs(now - Date.parse(at)) > LOOP_NEWS_MS) return [];
      return [
        {
          kind: 'mail-loop',
          subject: { kind: 'mailbox', id: mailboxId, name: mailbox.address },
          severity: 'warning',
          headline:
            stopsAcknowledgements === true
              ? `Possible mail loop with ${sender}: ${mailbox.address} no longer sends it acknowledgements.`
              : `Possible mail loop with ${sender}: ${count} automatic messages to ${mailbox.address} within an hour.`,
          cause:
            'An auto-responder, bounce or monitoring system keeps sending messages, perhaps because something replies to each one.',
          code: 'mail-loop',
          since: at,
          affected:
            stopsAcknowledgements === true
              ? 'Every message is kept and opens a ticket as before. Only acknowledgements are not sent.'
              : 'Every message is kept. Those over the limit are collapsed in the conversation.',
          who: 'you',
          fix: { label: 'Open the ticket', href: paths.ticket({ id: ticketId }) },
        },
      ];
    },
  );
}

const MAX_ROWS = 3;

/** Rows that could not be read and are left out: one finding for each table. Pure. */
export function unreadableRowFindings(
  { unreadable = [] }: Pick<HealthFacts, 'unreadable'>,
  now: number,
): Finding[] {
  const azure = linkTo('storage-accounts', {});
  return [...Map.groupBy(unreadable, ({ table }) => table)].map(([table, rows]) => {
    const names = rows.slice(0, MAX_ROWS).map(({ partitionKey, rowKey }) => `${partitionKey} / ${rowKey}`);
    const more = rows.length - names.length;
    const [what, mailboxes] =
      rows.length === 1
        ? ['1 row', 'the mailbox of this row']
        : [`${rows.length} rows`, 'the mailboxes of these rows'];
    return {
      kind: 'row-unreadable',
      subject: { kind: 'table', id: table, name: `Table ${table}` },
      severity: table === 'Mailboxes' ? 'error' : 'warning',
      headline: `${what} of the table ${table} cannot be read: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
      cause: 'The data was changed outside Postroom, or by another version of it.',
      code: 'bad-row',
      since: new Date(now).toISOString(),
      affected:
        table === 'Mailboxes'
          ? `Not receiving mail from ${mailboxes}; all others work. No mail is lost: it waits there.`
          : 'These entries are left out; everything else works.',
      who: 'you',
      fix: { label: azure.label, href: azure.href },
    };
  });
}
