import type { Account } from '../accounts/account.ts';
import { explainProblem } from '../explanations/explain.ts';
import type { Explanation } from '../explanations/explanation.ts';
import { linkTo } from '../explanations/links.ts';
import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf } from '../mailboxes/mailbox-store.ts';
import { remedyOf } from '../mailboxes/remedy.ts';
import { paths } from '../paths/paths.ts';
import { isProblemCode, partBlamed } from '../platform/problem.ts';
import type { Provider } from '../providers/provider.ts';
import type { AlertKind, Finding, Subject } from './alert.ts';
import { type HealthFacts, isSilent, silentSince } from './health-facts.ts';

/** A mailbox that is not fetched, with its failure. */
interface Stopped {
  mailbox: Mailbox;
  state: FetchState;
  failure: FetchFailure;
  account: Account | undefined;
  provider: Provider | undefined;
}

/** Mailboxes stopped by the same cause. */
type Group = [Stopped, ...Stopped[]];

/** The part of Azure that is unavailable, by the code of a fetch; that part’s own alert covers the mailbox. */
export function partOf(code: string): 'storage' | 'vault' | undefined {
  const part = partBlamed(code);
  return part === 'key-vault' ? 'vault' : part === 'storage' ? part : undefined;
}

/** Consecutive failed fetches before a part of Azure is blamed. */
export const BLAMED_AFTER = 2;
const CONFIRMED_WITHIN_MS = 10 * 60_000;

/**
 * The causes that stop mailboxes, each once: an expired sign-in covers all mailboxes of its account, a refused secret all of
 * its provider, an unresponsive server all of its mailboxes. A temporary failure is reported only after it has lasted, or the
 * mailbox has been silent, for too long. Pure.
 */
export function mailboxFindings(
  facts: HealthFacts,
  now: number,
  { isVaultBlamed }: { isVaultBlamed: boolean },
): Finding[] {
  const groups = new Map<string, { finding: Cause['finding']; stopped: Group }>();
  for (const stopped of stoppedOf(facts, isVaultBlamed)) {
    const cause = causeOf(stopped, facts, now);
    if (cause === undefined) continue;
    const group = groups.get(cause.key);
    if (group === undefined) groups.set(cause.key, { finding: cause.finding, stopped: [stopped] });
    else group.stopped.push(stopped);
  }
  return [...groups.values()].map(({ finding, stopped }) => finding(stopped));
}

function stoppedOf(
  { mailboxes, state, accounts, providers }: HealthFacts,
  isVaultBlamed: boolean,
): Stopped[] {
  return mailboxes.flatMap((mailbox) => {
    const failure = state.failing.get(mailbox.id);
    if (!mailbox.enabled || failure === undefined) return [];
    const part = partOf(failure.code);
    if (part === 'storage' || (part === 'vault' && (isVaultBlamed || failure.failures < BLAMED_AFTER)))
      return [];
    return [
      {
        mailbox,
        state,
        failure,
        account: accounts.find(({ accountId }) => accountId === mailbox.accountId),
        provider: providers.find(({ id }) => id === mailbox.providerId),
      },
    ];
  });
}

interface Cause {
  key: string;
  finding: (stopped: Group) => Finding;
}

function causeOf(stopped: Stopped, facts: HealthFacts, now: number): Cause | undefined {
  const { mailbox, failure, account } = stopped;
  if (partOf(failure.code) === 'vault')
    return { key: `vault ${mailbox.providerId}`, finding: secretWithheld };
  if (failure.state === 'action-required') {
    if (account !== undefined && isFixed(account, failure, now)) return undefined;
    if (account?.state !== 'action-required')
      return isRefusedByMailServer(failure)
        ? { key: `mailbox ${mailbox.id}`, finding: mailboxRefused }
        : { key: `account ${mailbox.accountId}`, finding: consentDead };
    // The tokens of all accounts are encrypted with one key.
    if (account.problem.code === 'tokens-unreadable')
      return { key: 'encryption key', finding: tokensUnreadable };
    return account.refusedAsOf === undefined
      ? { key: `account ${account.accountId}`, finding: consentDead }
      : { key: `provider ${account.providerId}`, finding: credentialRefused };
  }
  if (!isSilentOrFailing(stopped, facts, now)) return undefined;
  if (account?.state === 'retrying' && account.problem.code === failure.code)
    return { key: `sign-in ${account.providerId}`, finding: signInSilent };
  const isAway = failure.code.endsWith('-unavailable') && !explainedFor(stopped).code.endsWith('-throttled');
  return isAway
    ? { key: `server ${mailbox.host}`, finding: serverSilent }
    : { key: `mailbox ${mailbox.id}`, finding: mailboxRefused };
}

/**
 * A mailbox whose server announces new email is looked at less often, and may be silent for longer. Once a fetch
 * has failed, only its own interval counts.
 */
function isSilentOrFailing({ mailbox, failure }: Stopped, facts: HealthFacts, now: number): boolean {
  if (silentSince(mailbox, facts, now) !== undefined) return true;
  const last = lastSuccessOf(facts.state, mailbox.id, now) ?? mailbox.createdAt;
  return isSilent(mailbox, last > failure.since ? last : failure.since, facts.beats, now);
}

/**
 * True when the account has recovered since the last fetch of this mailbox; its next fetch, minutes from
 * now, will confirm it. If that fetch does not happen for a long time, the finding stays.
 */
const isFixed = ({ state, stateSince }: Account, failure: FetchFailure, now: number): boolean =>
  state === 'ok' &&
  stateSince > failure.since &&
  !isRefusedByMailServer(failure) &&
  now - Date.parse(failure.nextTryAt) < CONFIRMED_WITHIN_MS;

const isRefusedByMailServer = ({ code }: FetchFailure): boolean => /^(?:imap|pop3|graph)-/.test(code);

function tokensUnreadable(stopped: Group): Finding {
  const azure = linkTo('key-vaults', {});
  return findingFor(
    'consent-dead',
    { kind: 'secret', id: 'postroom-encryption-key', name: 'The encryption key' },
    stopped,
    {
      headline: `Not receiving mail from ${names(stopped)}: the encryption key of the stored tokens is gone.`,
      since: earliest(stopped.map((one) => one.failure.since)),
      fix: { label: azure.label, href: azure.href },
    },
  );
}

function consentDead(stopped: Group): Finding {
  const [{ mailbox, account, failure }] = stopped;
  const subject: Subject = {
    kind: 'account',
    id: mailbox.accountId,
    name: account?.user ?? mailbox.address,
  };
  return findingFor('consent-dead', subject, stopped, {
    headline: `Not receiving mail from ${names(stopped)}: someone has to sign in again.`,
    since: account?.stateSince ?? failure.since,
    fix: signInFix(stopped[0]),
  });
}

function signInFix({ mailbox, account, provider }: Stopped): Finding['fix'] {
  const { id, address, providerId } = mailbox;
  if (provider === undefined)
    return { label: `Choose another account for ${address}`, href: paths.editMailbox({ id }) };
  if (account?.kind === 'app')
    return { label: `Restore the app’s access to ${address}`, href: paths.appAccess({ id: providerId }) };
  return { label: `Reconnect ${address}`, href: paths.connect({ id: providerId }, { mailbox: id }) };
}

function credentialRefused(stopped: Group): Finding {
  const [{ mailbox, provider, failure }] = stopped;
  const name = provider?.name ?? 'The provider';
  const expired = failure.code === 'AADSTS7000222';
  return findingFor(
    expired ? 'secret-expired' : 'secret-refused',
    { kind: 'provider', id: mailbox.providerId, name },
    stopped,
    {
      headline: expired
        ? `Not receiving mail from ${names(stopped)}: the client secret of ${name} has expired.`
        : `Not receiving mail from ${names(stopped)}: ${name} no longer accepts this app.`,
      since: earliest(stopped.map((one) => one.failure.since)),
      fix: { label: `Replace the secret of ${name}`, href: paths.editProvider({ id: mailbox.providerId }) },
    },
  );
}

function secretWithheld(stopped: Group): Finding {
  const [{ mailbox, provider }] = stopped;
  const name = provider?.name ?? 'the provider';
  const azure = linkTo('key-vaults', {});
  return findingFor('vault-failing', { kind: 'provider', id: mailbox.providerId, name }, stopped, {
    headline: `Not receiving mail from ${names(stopped)}: Key Vault does not return the secret of ${name}.`,
    since: earliest(stopped.map((one) => one.failure.since)),
    fix: { label: azure.label, href: azure.href },
  });
}

function signInSilent(stopped: Group): Finding {
  const [{ mailbox, provider }] = stopped;
  const name = provider?.name ?? 'the provider';
  return findingFor('mailbox-silent', { kind: 'provider', id: mailbox.providerId, name }, stopped, {
    headline: `Not receiving mail from ${names(stopped)}: signing in at ${name} fails.`,
    since: earliest(stopped.map((one) => one.failure.since)),
    fix: { label: `View ${name}`, href: paths.provider({ id: mailbox.providerId }) },
  });
}

function serverSilent(stopped: Group): Finding {
  const [{ mailbox }] = stopped;
  return findingFor('mailbox-silent', { kind: 'server', id: mailbox.host, name: mailbox.host }, stopped, {
    headline: `Not receiving mail from ${names(stopped)}: ${mailbox.host} does not respond as it should.`,
    since: earliest(stopped.map((one) => one.failure.since)),
    fix: {
      label: `Test the connection of ${mailbox.address}`,
      href: paths.connectionTest(mailbox),
    },
  });
}

function mailboxRefused(stopped: Group): Finding {
  const [{ mailbox, failure }] = stopped;
  return findingFor('mailbox-silent', { kind: 'mailbox', id: mailbox.id, name: mailbox.address }, stopped, {
    headline: `Not receiving mail from ${mailbox.address}.`,
    since: failure.since,
    fix: remedyOf(mailbox, failure.code) ?? {
      label: `Test the connection of ${mailbox.address}`,
      href: paths.connectionTest(mailbox),
    },
  });
}

function findingFor(
  kind: AlertKind,
  subject: Subject,
  stopped: Group,
  words: Pick<Finding, 'headline' | 'since' | 'fix'>,
): Finding {
  const [one] = stopped;
  const { code, cause, who } = explainedFor(one);
  const known = code !== 'not-recognised';
  return {
    kind,
    subject,
    severity: 'error',
    cause: known ? cause : one.failure.problem.slice(0, 600),
    code: known ? code : one.failure.code,
    affected: waitingMail(
      stopped.map(({ mailbox }) => mailbox),
      one.state,
    ),
    who: known ? who : kind === 'consent-dead' ? 'mailbox-owner' : 'you',
    ...words,
  };
}

function explainedFor({ failure }: Stopped): Explanation {
  const { code } = failure;
  // For a foreign code, an account stores only the code and a sentence that ends with the provider's
  // message.
  const said = failure.said ?? (isProblemCode(code) ? undefined : failure.problem);
  // Without a context: an alert shows the cause, and only steps have placeholders.
  return explainProblem({ code, said });
}

const MAX_NAMES = 3;

/** `a@x`, `a@x and b@x`, `a@x, b@x, c@x and 5 more`: short enough for a subject. */
export function listOf(names: readonly string[]): string {
  const sorted = [...names].sort();
  const shown = sorted.slice(0, MAX_NAMES);
  const more = sorted.length - shown.length;
  const parts = more > 0 ? [...shown, `${more} more`] : shown;
  return parts.length === 1 ? `${parts[0]}` : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

const names = (stopped: readonly Stopped[]): string => listOf(stopped.map(({ mailbox }) => mailbox.address));
const earliest = (times: readonly string[]): string => [...times].sort()[0] ?? '';

/** The impact on mail, with the known backlog. No mail is lost, because it stays on the server until it is stored. */
export function waitingMail(mailboxes: readonly Mailbox[], { cursors }: Pick<FetchState, 'cursors'>): string {
  const backlog = mailboxes.reduce((sum, { id }) => sum + (cursors.get(id)?.backlog ?? 0), 0);
  const what =
    backlog === 0
      ? 'it waits'
      : `at least ${backlog} unread ${backlog === 1 ? 'email waits' : 'emails wait'}`;
  const where = mailboxes.length === 1 ? 'in the mailbox' : `in ${mailboxes.length} mailboxes`;
  return `No mail is lost: ${what} ${where}.`;
}
