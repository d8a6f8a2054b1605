import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Account } from '../../../shared/accounts/account.ts';
import type { SignInEvent } from '../../../shared/accounts/sign-in-history.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { UnreadableRow } from '../../../shared/platform/unreadable-rows.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Facts, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

/** An account with its provider and mailboxes. */
export interface ShownAccount {
  account: Account;
  /** Undefined when it was deleted. */
  provider: Provider | undefined;
  mailboxes: readonly Mailbox[];
}

/** Every account with its state and the mailboxes that use it. */
export function accountsPage(
  principal: Principal,
  accounts: readonly ShownAccount[],
  unreadable: readonly UnreadableRow[] = [],
): string {
  return renderPage(
    <Page title="Accounts" principal={principal} place="mailboxes" wide>
      <p>Accounts sign in to the mail servers. Every mailbox uses one of them.</p>
      <UnreadableNote rows={unreadable} />
      {accounts.length === 0 ? (
        <EmptyState title="No accounts yet">
          An account appears here when someone signs in for a mailbox.{' '}
          <a href={paths.providers()}>Start from a provider</a>
        </EmptyState>
      ) : (
        <DataTable
          caption="Accounts"
          head={['Account', 'State', 'Provider', 'Mailboxes', 'Next token refresh']}
        >
          {accounts.map((shown) => (
            <AccountRow shown={shown} />
          ))}
        </DataTable>
      )}
    </Page>,
  );
}

function AccountRow(props: { shown: ShownAccount }): JSX.Element {
  const { account, provider, mailboxes } = props.shown;
  return (
    <tr>
      <td data-label="Account">
        <a href={paths.account(account)}>{account.user}</a>
      </td>
      <td data-label="State">
        <State state={account.state} />
      </td>
      <td data-label="Provider">{provider?.name ?? 'Deleted'}</td>
      <td data-label="Mailboxes">
        <Mailboxes mailboxes={mailboxes} />
      </td>
      <td data-label="Next token refresh">
        <NextRenewal account={account} />
      </td>
    </tr>
  );
}

const states: Readonly<Record<Account['state'], { kind: 'good' | 'warn' | 'bad'; label: string }>> = {
  ok: { kind: 'good', label: 'OK' },
  retrying: { kind: 'warn', label: 'Retrying' },
  'action-required': { kind: 'bad', label: 'Action required' },
};

function State(props: { state: Account['state'] }): JSX.Element {
  const { kind, label } = states[props.state];
  return <StatusLabel kind={kind}>{label}</StatusLabel>;
}

function Mailboxes(props: { mailboxes: readonly Mailbox[] }): JSX.Element {
  const { mailboxes } = props;
  if (mailboxes.length === 0) return <span class="muted">None yet</span>;
  return (
    <ul class="plain">
      {mailboxes.map(({ id, address }) => (
        <li>
          <a href={paths.editMailbox({ id })}>{address}</a>
        </li>
      ))}
    </ul>
  );
}

function NextRenewal(props: { account: Account }): JSX.Element {
  const { state, retryAt, tokens } = props.account;
  if (state === 'action-required')
    return retryAt === undefined ? (
      <>After the problem is fixed</>
    ) : (
      <span>
        After the problem is fixed; next check: <Time at={retryAt} />
      </span>
    );
  if (state === 'retrying') return <Time at={retryAt} />;
  return (
    <span>
      <Time at={tokens.refreshAt} />, with the next fetch
    </span>
  );
}

/** One account: its state, its permissions, and the results of its last token refreshes. */
export function accountPage(
  principal: Principal,
  view: ShownAccount & { history: readonly SignInEvent[]; explanation: Explanation | undefined },
  flash: Flash | undefined,
): string {
  const { account, history, explanation } = view;
  // When the app itself is refused, signing in again does not help.
  const needsAppFix = explanation?.retry === 'after-fix';
  return renderPage(
    <Page title={account.user} principal={principal} place="mailboxes" flash={flash} wide>
      <p>
        <State state={account.state} /> since <Time at={account.stateSince} />
      </p>
      {explanation === undefined ? null : <Trouble account={account} explanation={explanation} />}
      <div class="actions">
        {needsAppFix ? (
          <ButtonLink href={paths.provider({ id: account.providerId })}>View provider</ButtonLink>
        ) : null}
        <ButtonLink
          href={signInPathOf(view)}
          kind={account.state === 'action-required' && !needsAppFix ? 'primary' : 'secondary'}
        >
          {account.kind === 'app' ? 'Check access again' : 'Sign in again'}
        </ButtonLink>
        <form method="post" action={paths.checkAccount(account)}>
          <SubmitButton kind="secondary">Refresh token now</SubmitButton>
        </form>
      </div>
      <About {...view} />
      <History history={history} />
    </Page>,
  );
}

function Trouble(props: { account: Account; explanation: Explanation }): JSX.Element {
  const { account, explanation } = props;
  if (explanation.code === 'not-recognised') return <p>{account.problem?.message}</p>;
  return (
    <>
      <ExplanationView explanation={explanation} />
      <p>No mail is lost: it stays in the mailbox until it is stored.</p>
    </>
  );
}

/** A sign-in for one of its mailboxes keeps that mailbox; without one it is for the address of the last consent. */
function signInPathOf({ account, mailboxes }: ShownAccount): string {
  const signIn = account.kind === 'app' ? paths.appAccess : paths.connect;
  const mailbox = mailboxes.find(
    ({ providerId, accountId }) => providerId === account.providerId && accountId === account.accountId,
  );
  return signIn(
    { id: account.providerId },
    mailbox === undefined ? { address: account.address } : { mailbox: mailbox.id },
  );
}

function About(props: ShownAccount): JSX.Element {
  const { account, provider, mailboxes } = props;
  const { identity } = account;
  return (
    <Facts
      items={[
        ...(identity.name === undefined ? [] : [{ term: 'Name', detail: identity.name }]),
        {
          term: 'Provider',
          detail: provider === undefined ? 'Deleted' : <a href={paths.provider(provider)}>{provider.name}</a>,
        },
        { term: 'Mailboxes', detail: <Mailboxes mailboxes={mailboxes} /> },
        { term: 'Permissions', detail: <Scopes scopes={account.scopes} /> },
        { term: account.kind === 'app' ? 'Set up' : 'Signed in', detail: <Time at={account.consentedAt} /> },
        {
          term: 'Connected by',
          detail: account.consentedBy === 'invitation' ? 'Mailbox owner (invitation)' : 'Postroom admin',
        },
        { term: 'Token expires', detail: <Time at={account.tokens.accessExpiresAt} /> },
        { term: 'Next token refresh', detail: <NextRenewal account={account} /> },
      ]}
    />
  );
}

function Scopes(props: { scopes: readonly string[] }): JSX.Element {
  if (props.scopes.length === 0) return <span class="muted">Not reported by the provider</span>;
  return (
    <ul class="plain">
      {props.scopes.map((scope) => (
        <li>{scope}</li>
      ))}
    </ul>
  );
}

const results: Readonly<Record<SignInEvent['result'], { kind: 'good' | 'warn' | 'bad'; label: string }>> = {
  'signed-in': { kind: 'good', label: 'Signed in' },
  refreshed: { kind: 'good', label: 'Refreshed' },
  retrying: { kind: 'warn', label: 'Retrying' },
  'action-required': { kind: 'bad', label: 'Refused' },
};

function History(props: { history: readonly SignInEvent[] }): JSX.Element {
  const { history } = props;
  if (history.length === 0)
    return (
      <EmptyState title="No token refreshes yet">
        Token refreshes of this account appear here with their results.
      </EmptyState>
    );
  return (
    <DataTable
      caption="Sign-ins and token refreshes, newest first"
      head={['When', 'Result', 'Server message', 'Support reference']}
    >
      {history.map((event) => (
        <tr>
          <td data-label="When">
            <When event={event} />
          </td>
          <td data-label="Result">
            <StatusLabel kind={results[event.result].kind}>{results[event.result].label}</StatusLabel>
          </td>
          <td data-label="Server message">
            <span>
              {event.code === undefined ? null : <strong>{event.code} </strong>}
              {event.message ?? (event.code === undefined ? <span class="muted">Nothing</span> : '')}
            </span>
          </td>
          <td data-label="Support reference">
            <Ids event={event} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function When(props: { event: SignInEvent }): JSX.Element {
  const { at, times, lastAt } = props.event;
  if (times === 1) return <Time at={at} />;
  return (
    <span>
      <Time at={at} />, {times} times until <Time at={lastAt} />
    </span>
  );
}

function Ids(props: { event: SignInEvent }): JSX.Element {
  const { traceId, correlationId } = props.event;
  if (traceId === undefined && correlationId === undefined) return <span class="muted">None</span>;
  return (
    <span class="small">
      {traceId === undefined ? null : (
        <>
          Trace <code>{traceId}</code>
          <br />
        </>
      )}
      {correlationId === undefined ? null : (
        <>
          Correlation <code>{correlationId}</code>
        </>
      )}
    </span>
  );
}
