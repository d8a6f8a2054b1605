import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Account } from '../../shared/accounts/account.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { expiryOf } from '../../shared/providers/credential.ts';
import type { Preset } from '../../shared/providers/presets.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import {
  ButtonLink,
  CopyText,
  ErrorSummary,
  type FieldErrors,
  RadioField,
  SubmitButton,
  TextField,
} from '../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Facts, Panel, StatusLabel, Time } from '../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../shared/ui/page.tsx';

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

function SecretState(props: { provider: Provider; now: number }): JSX.Element {
  const { credential } = props.provider;
  if (credential === undefined) return <StatusLabel kind="warn">Missing</StatusLabel>;
  const expiresOn = expiryOf(credential);
  if (expiresOn === undefined) return <StatusLabel kind="good">Never expires</StatusLabel>;
  const days = Math.floor((Date.parse(expiresOn) - props.now) / DAY_MS);
  const date = <time datetime={expiresOn.slice(0, 10)}>{expiresOn.slice(0, 10)}</time>;
  if (days < 0) return <StatusLabel kind="bad">Expired on {date}</StatusLabel>;
  if (days <= SOON_DAYS) return <StatusLabel kind="warn">Expires on {date}</StatusLabel>;
  return <StatusLabel kind="good">Until {date}</StatusLabel>;
}

export function providerListPage(
  principal: Principal,
  providers: readonly Provider[],
  now: number,
  flash: Flash | undefined,
): string {
  return renderPage(
    <Page title="Providers" principal={principal} place="providers" flash={flash} wide>
      <p>A provider is the app registration through which mailboxes sign in.</p>
      {providers.length === 0 ? (
        <EmptyState title="No provider yet">
          <p>
            Register one, and its mailboxes can be connected. With Microsoft 365 it takes about five minutes.
          </p>
          <ButtonLink href="/providers/new">Add a provider</ButtonLink>
        </EmptyState>
      ) : (
        <>
          <DataTable caption="Registered providers" head={['Name', 'Client ID', 'Client secret', '']}>
            {providers.map((provider) => (
              <tr>
                <td data-label="Name">
                  <a href={`/providers/${provider.id}`}>{provider.name}</a>
                </td>
                <td data-label="Client ID">{provider.clientId}</td>
                <td data-label="Client secret">
                  <SecretState provider={provider} now={now} />
                </td>
                <td>
                  <a
                    href={`/providers/${provider.id}/connect`}
                    aria-label={`Connect a mailbox of ${provider.name}`}
                  >
                    Connect a mailbox
                  </a>
                </td>
              </tr>
            ))}
          </DataTable>
          <p>
            <ButtonLink href="/providers/new">Add a provider</ButtonLink>
          </p>
        </>
      )}
    </Page>,
  );
}

export function choosePresetPage(principal: Principal, presets: readonly Preset[]): string {
  return renderPage(
    <Page title="Add a provider" principal={principal} place="providers">
      <form method="get" action="/providers/new">
        <RadioField
          name="preset"
          legend="Where are the mailboxes?"
          value={presets[0]?.name}
          options={presets.map(({ name, label, hint }) => ({ value: name, label, hint }))}
        />
        <SubmitButton>Continue</SubmitButton>
      </form>
    </Page>,
  );
}

interface FormView {
  principal: Principal;
  preset: Preset;
  /** Undefined: a new one. */
  provider: Provider | undefined;
  typed: Readonly<Record<string, string>>;
  errors: FieldErrors;
  redirectUri: string;
}

export function providerFormPage(view: FormView): string {
  const { preset, provider, typed, errors } = view;
  const text = (name: string): { name: string; value: string | undefined; error: string | undefined } => ({
    name,
    value: typed[name],
    error: errors[name],
  });
  return renderPage(
    <Page
      title={provider === undefined ? `Add ${preset.label}` : `Edit ${provider.name}`}
      principal={view.principal}
      place="providers"
      hasErrors={Object.keys(errors).length > 0}
    >
      <ErrorSummary errors={errors} />
      {preset.name === 'practice' ? (
        <p>Everything is filled in: the practice identity provider runs on this machine.</p>
      ) : (
        <Panel title="Before you start">
          <p>Register an app at the provider as a web application, with this redirect URI:</p>
          <CopyText label="Redirect URI" value={view.redirectUri} />
        </Panel>
      )}
      <form
        method="post"
        action={provider === undefined ? '/providers/new' : `/providers/${provider.id}/edit`}
        novalidate
        autocomplete="off"
      >
        {provider === undefined ? <input type="hidden" name="preset" value={preset.name} /> : null}
        <TextField
          {...text('name')}
          label="Name"
          hint="How you tell it from others, for example the organization."
        />
        {preset.needsTenant && preset.name !== 'practice' ? (
          <TextField
            {...text('tenant')}
            label="Directory (tenant) ID"
            hint="On the overview page of the app registration."
            spellcheck={false}
          />
        ) : null}
        <TextField {...text('clientId')} label="Application (client) ID" spellcheck={false} />
        {preset.name === 'practice' && provider === undefined ? (
          <p>The client secret is taken from the practice world and kept in the vault.</p>
        ) : (
          <TextField
            {...text('secret')}
            label={provider === undefined ? 'Client secret' : 'New client secret'}
            type="password"
            autocomplete="off"
            spellcheck={false}
            hint={
              provider === undefined
                ? 'The value, not the ID. It is kept in Key Vault and never shown again.'
                : `Set on ${provider.credential?.setAt.slice(0, 10) ?? 'no day yet'}. Leave this empty to keep it; it is never shown again.`
            }
          />
        )}
        <TextField
          {...text('expiresOn')}
          label="The secret expires on"
          type="date"
          size="short"
          hint="As the provider shows it. Postroom reminds you in time."
        />
        {preset.name === 'custom' ? <CustomFields text={text} endpoints={typed['endpoints']} /> : null}
        <SubmitButton>{provider === undefined ? 'Save and continue' : 'Save changes'}</SubmitButton>
      </form>
    </Page>,
  );
}

function CustomFields(props: {
  text: (name: string) => { name: string; value: string | undefined; error: string | undefined };
  endpoints: string | undefined;
}): JSX.Element {
  const { text } = props;
  return (
    <>
      <TextField
        {...text('scopes')}
        label="Scopes"
        hint="The permissions that open the mailbox, with spaces between them."
        size="long"
        spellcheck={false}
      />
      <RadioField
        name="endpoints"
        legend="How are its addresses found?"
        value={props.endpoints ?? 'discovery'}
        options={[
          {
            value: 'discovery',
            label: 'By discovery',
            hint: 'The provider publishes them under its issuer.',
          },
          {
            value: 'manual',
            label: 'I enter them',
            hint: 'Then who signed in is not checked with a signature.',
          },
        ]}
      />
      <TextField
        {...text('issuer')}
        label="Issuer, for discovery"
        type="url"
        size="long"
        spellcheck={false}
      />
      <TextField
        {...text('authorizationEndpoint')}
        label="Authorization address"
        type="url"
        size="long"
        spellcheck={false}
      />
      <TextField {...text('tokenEndpoint')} label="Token address" type="url" size="long" spellcheck={false} />
    </>
  );
}

export function providerPage(view: {
  principal: Principal;
  provider: Provider;
  kind: string;
  accounts: readonly Account[];
  redirectUri: string;
  now: number;
  flash: Flash | undefined;
}): string {
  const { provider, accounts } = view;
  const path = `/providers/${provider.id}`;
  return renderPage(
    <Page title={provider.name} principal={view.principal} place="providers" flash={view.flash}>
      <Facts
        items={[
          { term: 'Kind', detail: view.kind },
          ...(provider.tenant === undefined ? [] : [{ term: 'Tenant', detail: provider.tenant }]),
          { term: 'Client ID', detail: provider.clientId },
          { term: 'Client secret', detail: <SecretState provider={provider} now={view.now} /> },
          { term: 'Secret set', detail: <Time at={provider.credential?.setAt ?? ''} /> },
        ]}
      />
      <CopyText label="Redirect URI" value={view.redirectUri} />
      <p>
        <ButtonLink href={`${path}/connect`}>Connect a mailbox</ButtonLink>{' '}
        <ButtonLink href={`${path}/edit`} kind="secondary">
          Edit or replace the secret
        </ButtonLink>
      </p>
      {accounts.length === 0 ? (
        <EmptyState title="Nobody has signed in yet">
          <p>Connect a mailbox, and the account that signs in for it stands here.</p>
        </EmptyState>
      ) : (
        <DataTable caption="Accounts that signed in" head={['Account', 'State', 'Signed in']}>
          {accounts.map((account) => (
            <tr>
              <td data-label="Account">{account.user}</td>
              <td data-label="State">
                <AccountState account={account} />
              </td>
              <td data-label="Signed in">
                <Time at={account.consentedAt} />
              </td>
            </tr>
          ))}
        </DataTable>
      )}
      <p>
        <a href={`${path}/delete`}>Delete this provider</a>
      </p>
    </Page>,
  );
}

function AccountState(props: { account: Account }): JSX.Element {
  const { state, problem } = props.account;
  if (state === 'works') return <StatusLabel kind="good">Works</StatusLabel>;
  return (
    <>
      <StatusLabel kind={state === 'retrying' ? 'warn' : 'bad'}>
        {state === 'retrying' ? 'Trying again' : 'Needs you'}
      </StatusLabel>
      {problem === undefined ? null : <p>{problem.message}</p>}
    </>
  );
}

export function deleteProviderPage(
  principal: Principal,
  provider: Provider,
  mailboxes: readonly Mailbox[],
): string {
  return renderPage(
    <Page title={`Delete ${provider.name}?`} principal={principal} place="providers">
      <p>
        Its client secret and the accounts that signed in through it are deleted with it. Tickets stay, and no
        mail is touched.
      </p>
      {mailboxes.length === 0 ? (
        <p>No mailbox uses it.</p>
      ) : (
        <>
          <p>These mailboxes are no longer fetched until they are connected through another provider:</p>
          <ul>
            {mailboxes.map(({ address }) => (
              <li>{address}</li>
            ))}
          </ul>
        </>
      )}
      <form method="post" action={`/providers/${provider.id}/delete`}>
        <SubmitButton kind="danger">Delete provider</SubmitButton>{' '}
        <ButtonLink href={`/providers/${provider.id}`} kind="secondary">
          Keep it
        </ButtonLink>
      </form>
    </Page>,
  );
}
