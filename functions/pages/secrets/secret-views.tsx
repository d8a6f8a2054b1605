import type { JSX } from 'hono/jsx/jsx-runtime';
import { vaultInWords } from '../../../shared/accounts/vault-failure.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { VaultCode } from '../../../shared/platform/problem.ts';
import type { ReviewedSecret } from '../../../shared/secrets/secret-findings.ts';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Panel, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';

export interface SecretsView {
  secrets: readonly ReviewedSecret[];
  /** Ids of providers with automatic rotation. */
  rotating: readonly string[];
  /** Undefined until the first sign-in creates it. */
  encryptionKey: { madeOn: string; readable: number; underOlder: number } | undefined;
}

/** Every secret with its expiry and who renews it, in the order given; never a value. */
export function secretsPage(view: SecretsView, principal: Principal, flash: Flash | undefined): string {
  const { secrets, rotating, encryptionKey } = view;
  return renderPage(
    <Page title="Secrets" place="secrets" principal={principal} flash={flash} wide>
      <p>
        Everything that Postroom stores in Key Vault, with its expiry date. Reminders are sent 60, 30, 14, 7,
        3 and 1 days before expiry, then daily. Values are never shown.
      </p>
      {secrets.length === 0 ? (
        <EmptyState title="No secrets yet">
          <p>Provider secrets and certificates are listed here.</p>
          <ButtonLink href={paths.providers()}>Providers</ButtonLink>
        </EmptyState>
      ) : (
        <DataTable
          caption="Secrets in Key Vault"
          head={['Secret', 'Provider', 'State', 'Mailboxes', 'Renewed by']}
        >
          {secrets.map((secret) => (
            <SecretRow secret={secret} isRotating={rotating.includes(secret.provider?.id ?? '')} />
          ))}
        </DataTable>
      )}
      {encryptionKey === undefined ? null : <EncryptionKey {...encryptionKey} />}
    </Page>,
  );
}

function SecretRow(props: { secret: ReviewedSecret; isRotating: boolean }): JSX.Element {
  const { provider, what, mailboxes } = props.secret;
  return (
    <tr>
      <th scope="row">{`${what.charAt(0).toUpperCase()}${what.slice(1)}`}</th>
      <td data-label="Provider">
        {provider === undefined ? (
          'None: this installation'
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
        <br />A new one is set and has not been used yet.
      </>
    );
  switch (state.kind) {
    case 'healthy':
      return (
        <>
          <StatusLabel kind="good">Valid</StatusLabel> until {date}
          {later}
        </>
      );
    case 'due':
      return (
        <>
          <StatusLabel kind="warn">Expires soon</StatusLabel> on {date}
          {later}
        </>
      );
    case 'expired':
      return (
        <>
          <StatusLabel kind="bad">Expired</StatusLabel> on {date}
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
      return <StatusLabel kind="warn">No expiry date</StatusLabel>;
    case 'disabled':
      return (
        <>
          <StatusLabel kind="bad">Disabled</StatusLabel>
          <br />
          It was disabled in Key Vault.
        </>
      );
    case 'missing':
      return (
        <>
          <StatusLabel kind="bad">Not in Key Vault</StatusLabel>
          {state.recoverableUntil === undefined ? null : (
            <>
              <br />
              Recoverable there until {state.recoverableUntil.slice(0, 10)}.
            </>
          )}
        </>
      );
  }
}

function EncryptionKey(props: { madeOn: string; readable: number; underOlder: number }): JSX.Element {
  const { madeOn, readable, underOlder } = props;
  return (
    <Panel title="Encryption key">
      <p>
        Stored tokens are encrypted with a key in Key Vault. The key does not expire. It was created{' '}
        <Time at={madeOn} />.
      </p>
      <p>
        {underOlder > 0
          ? `${underOlder === 1 ? 'The tokens of 1 account still use' : `The tokens of ${underOlder} accounts still use`} an older version and are re-encrypted within days. Keep the older versions enabled until then.`
          : readable > 1
            ? 'All tokens use the newest version. You can disable the older versions in Key Vault.'
            : 'All tokens use the current key.'}
      </p>
      <form method="post" action={paths.encryptionKey()}>
        <SubmitButton kind="secondary">Create a new encryption key</SubmitButton>
      </form>
      <p class="muted small">No one needs to sign in again, and fetching continues.</p>
    </Panel>
  );
}

/** `code`: how the vault failed. */
export function vaultAwayPage(principal: Principal, code: VaultCode): string {
  const { happened, next } = vaultInWords({ code });
  return renderPage(
    <Page title="Secrets" place="secrets" principal={principal}>
      <EmptyState title="Key Vault is not available">
        <p>
          {happened}. {next}
        </p>
        <p>Fetching continues until the current tokens expire.</p>
        <ButtonLink href={paths.health()}>View health</ButtonLink>
      </EmptyState>
    </Page>,
  );
}
