import type { JSX } from 'hono/jsx/jsx-runtime';
import { vaultInWords } from '../../../shared/accounts/vault-trouble.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { VaultCode } from '../../../shared/platform/problem.ts';
import type { ReviewedSecret } from '../../../shared/secrets/secret-findings.ts';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Panel, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';

export interface SecretsView {
  secrets: readonly ReviewedSecret[];
  /** Ids of providers whose secrets Postroom makes by itself. */
  rotating: readonly string[];
  /** Undefined while nobody has signed in yet. */
  dataKey: { madeOn: string; readable: number; underOlder: number } | undefined;
}

/** Every secret with its expiry and who renews it, in the order given; never a value. */
export function secretsPage(view: SecretsView, principal: Principal, flash: Flash | undefined): string {
  const { secrets, rotating, dataKey } = view;
  return renderPage(
    <Page title="Secrets" place="secrets" principal={principal} flash={flash} wide>
      <p>
        Everything that Postroom keeps in Key Vault, with its date. You are told 60, 30, 14, 7, 3 and 1 days
        before the end, and then each day. No value is ever shown.
      </p>
      {secrets.length === 0 ? (
        <EmptyState title="No secret with a date">
          <p>Client secrets and certificates of providers stand here.</p>
          <ButtonLink href={paths.providers()}>Providers</ButtonLink>
        </EmptyState>
      ) : (
        <DataTable caption="Secrets in Key Vault" head={['Secret', 'Of', 'State', 'Mailboxes', 'Renewed by']}>
          {secrets.map((secret) => (
            <SecretRow secret={secret} isRotating={rotating.includes(secret.provider?.id ?? '')} />
          ))}
        </DataTable>
      )}
      {dataKey === undefined ? null : <DataKey {...dataKey} />}
    </Page>,
  );
}

function SecretRow(props: { secret: ReviewedSecret; isRotating: boolean }): JSX.Element {
  const { provider, what, mailboxes } = props.secret;
  return (
    <tr>
      <th scope="row">{`${what.charAt(0).toUpperCase()}${what.slice(1)}`}</th>
      <td data-label="Of">
        {provider === undefined ? (
          'This installation'
        ) : (
          <a href={paths.provider(provider)}>{provider.name}</a>
        )}
      </td>
      <td data-label="State">
        <span>
          <State secret={props.secret} />
        </span>
      </td>
      <td data-label="Mailboxes">{mailboxes.length === 0 ? 'None' : mailboxes.join(', ')}</td>
      <td data-label="Renewed by">{props.isRotating ? 'Postroom' : 'You'}</td>
    </tr>
  );
}

function State(props: { secret: ReviewedSecret }): JSX.Element {
  const { state, expiresOn, replacedSince } = props.secret;
  const date = expiresOn?.slice(0, 10);
  const later =
    replacedSince === undefined ? null : (
      <>
        <br />A new one waits for its first use.
      </>
    );
  switch (state.kind) {
    case 'healthy':
      return (
        <>
          <StatusLabel kind="good">Good</StatusLabel> until {date}
          {later}
        </>
      );
    case 'due':
      return (
        <>
          <StatusLabel kind="warn">Ends soon</StatusLabel> on {date}
          {later}
        </>
      );
    case 'expired':
      return (
        <>
          <StatusLabel kind="bad">Ended</StatusLabel> on {date}
          {later}
        </>
      );
    case 'endless':
      return (
        <>
          <StatusLabel kind="good">Does not expire</StatusLabel>
          {later}
        </>
      );
    case 'unknown-date':
      return <StatusLabel kind="warn">No date</StatusLabel>;
    case 'disabled':
      return (
        <>
          <StatusLabel kind="bad">Switched off</StatusLabel>
          <br />
          Somebody disabled it in Key Vault.
        </>
      );
    case 'missing':
      return (
        <>
          <StatusLabel kind="bad">Not in Key Vault</StatusLabel>
          {state.recoverableUntil === undefined ? null : (
            <>
              <br />
              Can be recovered there until {state.recoverableUntil.slice(0, 10)}.
            </>
          )}
        </>
      );
  }
}

function DataKey(props: { madeOn: string; readable: number; underOlder: number }): JSX.Element {
  const { madeOn, readable, underOlder } = props;
  return (
    <Panel title="Data key">
      <p>
        Sign-ins rest sealed under a key that stands in Key Vault. It has no end. This one was made{' '}
        <Time at={madeOn} />.
      </p>
      <p>
        {underOlder > 0
          ? `${underOlder === 1 ? '1 sign-in rests' : `${underOlder} sign-ins rest`} under an older version and will be sealed again within days. Leave the older versions switched on until then.`
          : readable > 1
            ? 'Every sign-in rests under the newest version: the older ones can be switched off in Key Vault.'
            : 'Every sign-in rests under it.'}
      </p>
      <form method="post" action={paths.dataKey()}>
        <SubmitButton kind="secondary">Make a new data key</SubmitButton>
      </form>
      <p class="muted small">Nobody has to sign in again, and no fetch waits for it.</p>
    </Panel>
  );
}

/** `code`: how the vault failed. */
export function vaultAwayPage(principal: Principal, code: VaultCode): string {
  const { happened, next } = vaultInWords({ code });
  return renderPage(
    <Page title="Secrets" place="secrets" principal={principal}>
      <EmptyState title="Key Vault does not do what it should">
        <p>
          {happened}. {next}
        </p>
        <p>Fetches go on with the sign-ins there are, as long as these last.</p>
        <ButtonLink href={paths.health()}>See what works</ButtonLink>
      </EmptyState>
    </Page>,
  );
}
