import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { UnreadableRow } from '../../../shared/platform/unreadable-rows.ts';
import { type Credential, expiryOf } from '../../../shared/providers/credential.ts';
import type { Preset } from '../../../shared/providers/presets.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** When a credential expires, colored by urgency. */
export function ExpiryState(props: { credential: Credential | undefined; now: number }): JSX.Element {
  const { credential } = props;
  if (credential === undefined) return <StatusLabel kind="quiet">Not entered yet</StatusLabel>;
  const expiresOn = expiryOf(credential);
  if (expiresOn === undefined) return <StatusLabel kind="good">Never expires</StatusLabel>;
  const days = Math.floor((Date.parse(expiresOn) - props.now) / DAY_MS);
  const date = <time datetime={expiresOn.slice(0, 10)}>{expiresOn.slice(0, 10)}</time>;
  if (days < 0) return <StatusLabel kind="bad">Expired on {date}</StatusLabel>;
  if (days <= SOON_DAYS) return <StatusLabel kind="warn">Expires on {date}</StatusLabel>;
  return <StatusLabel kind="good">Valid until {date}</StatusLabel>;
}

/** The providers with their state and the expiry of their credentials. */
export function providerListPage(
  principal: Principal,
  providers: readonly Provider[],
  now: number,
  flash: Flash | undefined,
  unreadable: readonly UnreadableRow[] = [],
): string {
  return renderPage(
    <Page title="Providers" principal={principal} place="providers" flash={flash} wide>
      <p>A provider is an app registration that mailboxes sign in through.</p>
      <UnreadableNote rows={unreadable} />
      {providers.length === 0 ? (
        <EmptyState title="No provider yet">
          <p>Register one to connect its mailboxes. With Microsoft 365 this takes about five minutes.</p>
          <ButtonLink href={paths.newProvider()}>Add a provider</ButtonLink>
        </EmptyState>
      ) : (
        <>
          <DataTable caption="Registered providers" head={['Name', 'Client ID', 'Credential', '']}>
            {providers.map((provider) => (
              <ProviderRow provider={provider} now={now} />
            ))}
          </DataTable>
          <p>
            <ButtonLink href={paths.newProvider()}>Add a provider</ButtonLink>
          </p>
        </>
      )}
    </Page>,
  );
}

function ProviderRow(props: { provider: Provider; now: number }): JSX.Element {
  const { provider, now } = props;
  return (
    <tr>
      <td data-label="Name">
        <a href={paths.provider(provider)}>{provider.name}</a>
      </td>
      <td data-label="Client ID">{provider.clientId === '' ? 'Not entered yet' : provider.clientId}</td>
      <td data-label="Credential">
        <ExpiryState credential={provider.nextCredential ?? provider.credential} now={now} />
      </td>
      <td>
        {provider.state === 'draft' ? (
          <a href={paths.editProvider(provider)} aria-label={`Continue setup: ${provider.name}`}>
            Continue setup
          </a>
        ) : (
          <a href={paths.connect(provider)} aria-label={`Connect a mailbox of ${provider.name}`}>
            Connect a mailbox
          </a>
        )}
      </td>
    </tr>
  );
}

/** One link for each preset. */
export function choosePresetPage(principal: Principal, presets: readonly Preset[]): string {
  return renderPage(
    <Page title="Choose an email provider" principal={principal} place="providers">
      <ul class="choices">
        {presets.map(({ name, label, hint }) => (
          <li>
            <a href={paths.newProvider({ preset: name })}>{label}</a>
            <p>{hint}</p>
          </li>
        ))}
      </ul>
    </Page>,
  );
}
