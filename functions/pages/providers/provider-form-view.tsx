import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Account } from '../../../shared/accounts/account.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { cloudNames, clouds } from '../../../shared/providers/clouds.ts';
import { type FieldRules, providerRules } from '../../../shared/providers/field-rules.ts';
import type { Preset } from '../../../shared/providers/presets.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import type { Typed } from '../../../shared/providers/provider-form.ts';
import {
  CheckboxField,
  ErrorSummary,
  type FieldErrors,
  RadioField,
  SelectField,
  SubmitButton,
  TextField,
  type TypedRule,
} from '../../../shared/ui/forms.tsx';
import { Panel } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { CredentialFields } from './provider-credential-fields.tsx';
import { ProviderGuide } from './provider-guide.tsx';
import { WayFields } from './way-fields.tsx';

export interface FormView {
  principal: Principal;
  preset: Preset;
  /** Undefined: a new one. */
  provider: Provider | undefined;
  typed: Typed;
  errors: FieldErrors;
  redirectUri: string;
  /** The accounts that have to sign in again when the registration changes. */
  accounts: readonly Account[];
  /** The first expiry date that has to be confirmed. */
  questionedFrom: string;
  /** A developer's machine, where http is allowed. */
  local: boolean;
}

interface TextProps {
  name: string;
  value: string | undefined;
  error: string | undefined;
  rules: readonly TypedRule[] | undefined;
}
export type TextOf = (name: string) => TextProps;

/** The provider form with the submitted values, beside the steps at the provider. */
export function providerFormPage(view: FormView): string {
  const { preset, provider, typed, errors } = view;
  const rules: FieldRules = providerRules(preset, view);
  const text: TextOf = (name) => ({ name, value: typed[name], error: errors[name], rules: rules[name] });
  const isNew = provider === undefined || provider.state === 'draft';
  return renderPage(
    <Page
      title={provider === undefined ? titleOfNew(preset) : `Edit ${provider.name}`}
      principal={view.principal}
      place="providers"
      hasErrors={Object.keys(errors).length > 0}
      wide
    >
      <ErrorSummary errors={errors} />
      {preset.isDemo && provider === undefined ? (
        <p>Everything is filled in: the demo identity provider runs on this machine.</p>
      ) : null}
      <div class="beside">
        <form
          method="post"
          action={provider === undefined ? paths.newProvider() : paths.editProvider(provider)}
          novalidate
          autocomplete="off"
          data-keep=""
        >
          <TextField
            {...text('name')}
            label="Name"
            hint="A name you will recognize, such as your organization."
          />
          {preset.needsTenant && !preset.isDemo ? (
            <TextField
              {...text('tenant')}
              label="Directory (tenant) ID"
              hint="On the overview page of the app registration. You can also enter a domain, such as contoso.com."
              spellcheck={false}
            />
          ) : null}
          <TextField {...text('clientId')} label={preset.clientIdLabel} spellcheck={false} />
          <SignInAgain accounts={view.accounts} error={errors['signInAgain']} />
          {preset.isDemo && provider === undefined ? (
            <>
              <p>The demo’s client secret is used and stored in the vault.</p>
              <input type="hidden" name="expiresOn" value={typed['expiresOn']} />
            </>
          ) : (
            <CredentialFields
              preset={preset}
              provider={provider}
              typed={typed}
              text={text}
              questionedFrom={view.questionedFrom}
            />
          )}
          {preset.settingsFrom === 'admin' ? (
            <CustomFields text={text} endpoints={typed['endpoints']} />
          ) : null}
          {errors['severalDomains'] === undefined ? null : (
            <CheckboxField
              name="severalDomains"
              label="All of these endpoints belong to the provider"
              error={errors['severalDomains']}
            />
          )}
          <WayFields preset={preset} typed={typed} error={errors['imap']} />
          {preset.hasClouds ? (
            <Advanced open={(typed['cloud'] ?? 'worldwide') !== 'worldwide'}>
              <SelectField
                name="cloud"
                label="Cloud"
                hint="Most organizations use the worldwide cloud. An app registration works only in its own cloud."
                value={typed['cloud'] ?? 'worldwide'}
                error={errors['cloud']}
                options={cloudNames.map((name) => ({ value: name, label: clouds[name].label }))}
              />
            </Advanced>
          ) : null}
          {provider === undefined ? <input type="hidden" name="preset" value={preset.name} /> : null}
          {provider === undefined && preset.settingsFrom === 'admin' ? (
            <input type="hidden" name="id" value={typed['id']} />
          ) : null}
          <div class="actions">
            <SubmitButton>{isNew ? 'Save and continue' : 'Save changes'}</SubmitButton>
            {isNew && !preset.isDemo ? (
              <SubmitButton kind="secondary" name="intent" value="draft">
                Save as a draft
              </SubmitButton>
            ) : null}
          </div>
        </form>
        {preset.guide === undefined ? null : (
          <ProviderGuide
            guide={preset.guide}
            provider={provider}
            typed={typed}
            redirectUri={view.redirectUri}
          />
        )}
      </div>
    </Page>,
  );
}

const titleOfNew = ({ settingsFrom, label }: Preset): string =>
  settingsFrom === 'admin' ? 'Add a provider' : `Add ${label}`;

function Advanced(props: { open: boolean; children: Child }): JSX.Element {
  return (
    <details open={props.open}>
      <summary>National cloud (optional)</summary>
      {props.children}
    </details>
  );
}

/** Asks for confirmation before a changed registration deletes tokens. */
function SignInAgain(props: { accounts: readonly Account[]; error: string | undefined }): JSX.Element | null {
  const { accounts, error } = props;
  if (accounts.length === 0) return null;
  return (
    <Panel title="Changing the tenant, client ID or an endpoint">
      <p>
        A new secret needs no new sign-in. A different tenant, client ID or endpoint does, for these accounts:
      </p>
      <ul>
        {accounts.map(({ user }) => (
          <li>{user}</li>
        ))}
      </ul>
      <CheckboxField
        name="signInAgain"
        label="I’m changing the tenant, client ID or an endpoint. These accounts will have to sign in again."
        error={error}
      />
    </Panel>
  );
}

function CustomFields(props: { text: TextOf; endpoints: string | undefined }): JSX.Element {
  const { text } = props;
  const address = (name: string): TextProps & { type: 'url'; spellcheck: false } => ({
    ...text(name),
    type: 'url',
    spellcheck: false,
  });
  const server = (name: string): TextProps & { spellcheck: false; autocomplete: 'off' } => ({
    ...text(name),
    spellcheck: false,
    autocomplete: 'off',
  });
  return (
    <>
      <TextField
        {...text('scopes')}
        label="Scopes"
        hint="The permissions for the mailbox, separated by spaces."
        spellcheck={false}
      />
      <RadioField
        name="endpoints"
        legend="Endpoints"
        value={props.endpoints ?? 'discovery'}
        options={[
          {
            value: 'discovery',
            label: 'Automatic (discovery)',
            hint: 'Read from the provider’s OpenID configuration.',
          },
          {
            value: 'manual',
            label: 'Manual',
            hint: 'ID token signatures cannot be verified with manual endpoints.',
          },
        ]}
      />
      <div class="for-discovery">
        <TextField {...address('issuer')} label="Issuer URL" />
      </div>
      <div class="for-manual">
        <TextField {...address('authorizationEndpoint')} label="Authorization endpoint" />
        <TextField {...address('tokenEndpoint')} label="Token endpoint" />
      </div>
      <TextField
        {...server('imapHost')}
        label="IMAP server"
        hint="For example imap.example.org. Tokens of this provider are sent only to its own mail servers."
      />
      <TextField {...server('smtpHost')} label="SMTP server" hint="Only needed for sending." />
      <TextField {...server('pop3Host')} label="POP3 server" hint="Only needed to read email over POP3." />
    </>
  );
}
