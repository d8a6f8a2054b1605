import { explainProblem, explainText } from '../explanations/explain.ts';
import { linkTo } from '../explanations/links.ts';
import { type LateTimer, lateTimers, type TimerName } from '../heartbeats/heartbeat.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { SmtpRefusal } from '../outbox/smtp-refusal.ts';
import { paths } from '../paths/paths.ts';
import { codeFrom, type ProblemCode } from '../platform/problem.ts';
import type { HealthFacts, FailingPart } from './health-facts.ts';
import { failed } from './collect-health.ts';
import { waitingMail } from './mailbox-findings.ts';
import { type Finding, type Alert, shownOf } from './alert.ts';

const OF_AZURE = /^(?:storage|key-vault|managed-identity)-/;

/** Storage or Key Vault does not answer; everything else waits for it. Pure. */
export function partFailing({ part, said, since }: FailingPart): Finding {
  const explanation = explainText({ text: said });
  // What the catalogue says of a mail server that is away would mislead here.
  const known = OF_AZURE.test(explanation.code);
  const storage = part === 'storage';
  const azure = linkTo(storage ? 'storage-accounts' : 'key-vaults', {});
  return {
    kind: storage ? 'storage-failing' : 'vault-failing',
    subject: { kind: part, id: part, name: storage ? 'Storage' : 'Key Vault' },
    severity: 'critical',
    headline: storage
      ? 'No mail is fetched: the storage of Postroom does not answer.'
      : 'Sign-ins cannot be renewed: the key vault does not answer as it should.',
    cause: known
      ? explanation.cause
      : storage
        ? 'Azure Storage is away, or the network or a role keeps Postroom out.'
        : 'Azure Key Vault is away, or its firewall or a missing role keeps Postroom out.',
    code: known ? explanation.code : storage ? 'table-storage' : 'key-vault',
    since,
    affected: storage
      ? 'No mail is lost: it waits in the mailboxes. Tickets cannot be read until storage is back.'
      : 'No mail is lost. Mailboxes go on until their tokens end, about an hour; then mail waits there.',
    who: known ? explanation.who : 'you',
    fix: { label: azure.label, href: azure.href },
  };
}

/** What a page says that could not reach storage: the alert from memory, where there is one. Pure. */
export function storageFinding(held: readonly Alert[], error: unknown, now: number): Finding {
  const known = held.map(shownOf).find(({ kind }) => kind === 'storage-failing');
  return known ?? partFailing(failed('storage', error, now));
}

const doesWhat: Readonly<Record<TimerName, { headline: string; affected: string }>> = {
  monitor: {
    headline: 'Postroom no longer looks after itself: its timer monitor does not run.',
    affected: 'Mail is fetched all the same. AlertService come late.',
  },
  fetchMail: {
    headline: 'No mail is fetched: the timer that starts it does not run.',
    affected: 'No mail is lost: it waits in the mailboxes.',
  },
  refreshTokens: {
    headline: 'Sign-ins that nobody uses are not kept alive: the timer refreshTokens does not run.',
    affected: 'All mail is fetched. A sign-in unused for 90 days ends.',
  },
  reviewSecrets: {
    headline: 'Nobody watches over the secrets: the timer reviewSecrets does not run.',
    affected: 'All mail is fetched. A secret that is about to end would not be announced.',
  },
};

const SEEN_AFTER_DEPLOYMENT = 'After a deployment this has been seen to last until the app is started again.';

/** Timers that stay away; when several do, the app's timers as a whole are one fault. Pure. */
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
        cause: `The Functions host has not started them, or each of their runs fails. ${SEEN_AFTER_DEPLOYMENT}`,
        headline: 'No mail is fetched: the timers of Postroom do not run.',
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
      words.cause ??
      `The Functions host has not started it, or each of its runs fails. ${SEEN_AFTER_DEPLOYMENT}`,
    code: 'timer-late' satisfies ProblemCode,
    since,
    affected: words.affected,
    who: 'you',
    fix: { label: 'See the state of the app', href: paths.health() },
  };
}

/** Faults that no other fault explains away; a new kind of alert is one more line here. Pure. */
export function independentFindings(facts: HealthFacts, now: number): Finding[] {
  return [
    ...poisonFindings(facts),
    ...unreadableRowFindings(facts, now),
    ...loopFindings(facts, now),
    ...quarantineFindings(facts),
  ];
}

const worksOn: Readonly<Record<HealthFacts['abandoned'][number]['queue'], string>> = {
  'fetch-shard': 'fetching mail',
  'vault-events': 'reading what the key vault tells',
};

/** Work that failed five times and was put aside by the Functions host. Pure. */
export function poisonFindings({ abandoned }: Pick<HealthFacts, 'abandoned'>): Finding[] {
  return abandoned.map(({ queue, count, since }) => ({
    kind: 'poison-queue',
    subject: { kind: 'queue', id: queue, name: `${queue}-poison` },
    severity: 'warning',
    headline: `Postroom gave up ${count === 1 ? 'a piece' : `${count} pieces`} of work: ${worksOn[queue]}.`,
    cause: 'The same message failed five times. The log of the app says why, under the name of the queue.',
    code: 'poison-queue' satisfies ProblemCode,
    since,
    affected: 'No mail is lost: what it was about is looked at again.',
    who: 'you',
    fix: { label: 'See what was given up', href: paths.health() },
  }));
}

/** Mail that could not be read. Said when there is some, and again when it becomes ten times as much. Pure. */
export function quarantineFindings({ quarantined }: Pick<HealthFacts, 'quarantined'>): Finding[] {
  if (quarantined === undefined || quarantined.count === 0) return [];
  const { count, since } = quarantined;
  const size = 10 ** Math.floor(Math.log10(count));
  return [
    {
      kind: 'quarantine-grown',
      subject: { kind: 'installation', id: 'quarantine', name: 'Quarantine' },
      severity: 'warning',
      headline: `${count === 1 ? 'An email' : `${count} emails`} of the last 24 hours could not be read.`,
      cause: 'Each stands in quarantine with its reason and its original.',
      code: 'quarantine-grown' satisfies ProblemCode,
      since,
      affected: `${count === 1 ? 'It is' : 'They are'} kept, and no ticket was made of ${count === 1 ? 'it' : 'them'}.`,
      who: 'you',
      fix: { label: 'Look at the quarantine', href: paths.quarantine() },
      stage: `${size} emails`,
      size,
    },
  ];
}

const LOOP_NEWS_MS = 3_600_000;

/** Automatic mail beyond the limits, within the last hour: two machines may be answering each other. Pure. */
export function loopFindings(
  { mailboxes, state }: Pick<HealthFacts, 'mailboxes' | 'state'>,
  now: number,
): Finding[] {
  return state.loops.flatMap(({ mailboxId, sender, at, ticketId, count }): Finding[] => {
    const mailbox = mailboxes.find(({ id }) => id === mailboxId);
    if (mailbox === undefined || Math.abs(now - Date.parse(at)) > LOOP_NEWS_MS) return [];
    return [
      {
        kind: 'mail-loop',
        subject: { kind: 'mailbox', id: mailboxId, name: mailbox.address },
        severity: 'warning',
        headline: `Possible mail loop with ${sender}: ${count} automatic messages to ${mailbox.address} within an hour.`,
        cause:
          'An automatic responder, a bounce or a monitoring system writes again and again, perhaps in answer to something that answers it.',
        code: 'mail-loop' satisfies ProblemCode,
        since: at,
        affected: 'Every message is kept. Those over the limit are folded away in their conversation.',
        who: 'you',
        fix: { label: 'Look at the conversation', href: paths.ticket({ id: ticketId }) },
      },
    ];
  });
}

const MOST_ROWS = 3;

/** Rows that could not be read and are left out: one finding a table. Pure. */
export function unreadableRowFindings(
  { unreadable = [] }: Pick<HealthFacts, 'unreadable'>,
  now: number,
): Finding[] {
  const azure = linkTo('storage-accounts', {});
  return [...Map.groupBy(unreadable, ({ table }) => table)].map(([table, rows]) => {
    const names = rows.slice(0, MOST_ROWS).map(({ partitionKey, rowKey }) => `${partitionKey} / ${rowKey}`);
    const more = rows.length - names.length;
    const [what, mailboxes, content] =
      rows.length === 1
        ? ['A row', 'The mailbox of the row is', 'What the row holds']
        : [`${rows.length} rows`, 'The mailboxes of these rows are', 'What these rows hold'];
    return {
      kind: 'row-unreadable',
      subject: { kind: 'table', id: table, name: `Table ${table}` },
      severity: table === 'Mailboxes' ? 'error' : 'warning',
      headline: `${what} of the table ${table} cannot be read: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
      cause: 'It was changed outside Postroom, or by another version of it.',
      code: 'bad-row' satisfies ProblemCode,
      since: new Date(now).toISOString(),
      affected:
        table === 'Mailboxes'
          ? `${mailboxes} not fetched; all others are. No mail is lost: it waits there.`
          : `${content} is left out; everything else goes on.`,
      who: 'you',
      fix: { label: azure.label, href: azure.href },
    };
  });
}

/**
 * A server that takes no email of a mailbox until somebody changes something. Pure.
 * @param now in milliseconds
 * @param severity `warning` where the server was asked without an email: nothing waits yet
 */
export function smtpRefused(
  mailbox: Mailbox,
  { code, said }: SmtpRefusal,
  now: number,
  severity: Finding['severity'] = 'error',
): Finding {
  const explanation = explainProblem({ code: codeFrom(code), said }, { mailbox: mailbox.address });
  const known = explanation.code !== 'not-recognised';
  return {
    kind: 'smtp-refused',
    subject: { kind: 'mailbox', id: mailbox.id, name: mailbox.address },
    severity,
    headline: `No mail leaves as ${mailbox.address}: its server refuses it.`,
    cause: known ? explanation.cause : `The server said: ${said}`,
    code: known ? explanation.code : code,
    since: new Date(now).toISOString(),
    affected: `Incoming mail is fetched all the same. ${severity === 'warning' ? 'Nothing was to be sent when this was found.' : 'What was to be sent waits.'}`,
    who: known ? explanation.who : 'you',
    fix: {
      label: `Test the connection of ${mailbox.address}`,
      href: paths.connectionTest(mailbox),
    },
  };
}
