import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Credential } from '../../../shared/providers/credential.ts';
import type { Preset } from '../../../shared/providers/presets.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import type { Typed } from '../../../shared/providers/provider-form.ts';
import { CheckboxField, RadioField, TextField } from '../../../shared/ui/forms.tsx';
import type { TextOf } from './provider-form-view.tsx';

interface Choice {
  value: string;
  label: string;
  hint: string;
}

const kinds: Readonly<Record<Credential['kind'], Choice>> = {
  secret: {
    value: 'secret',
    label: 'A client secret',
    hint: 'A password-like value that the provider shows only once. Stored in Key Vault.',
  },
  certificate: {
    value: 'certificate',
    label: 'A certificate',
    hint: 'Postroom creates the private key, stores it in Key Vault and gives you the public certificate (.cer) to upload.',
  },
  federated: {
    value: 'federated',
    label: 'Managed identity (no secret)',
    hint: 'Only on Azure, in the tenant of the app registration. Nothing expires. The next page shows the three values to enter.',
  },
};

/** How the app authenticates. An existing credential is kept beside a new one until the new one has worked. */
export function CredentialFields(props: {
  preset: Preset;
  provider: Provider | undefined;
  typed: Typed;
  text: TextOf;
  /** The first expiry date that has to be confirmed. */
  questionedFrom: string;
}): JSX.Element {
  const { preset, provider, typed, text } = props;
  const present = provider?.credential;
  const choices = [
    ...(present === undefined
      ? []
      : [
          {
            value: 'keep',
            label: `Keep the ${credentialNoun(present)}`,
            hint: `Set on ${present.setAt.slice(0, 10)}. It is never shown again.`,
          },
        ]),
    ...preset.credentialKinds.map((kind) => kinds[kind]),
  ];
  const [first] = choices;
  // With an error about the secret, its field is shown: it is hidden while “keep” is chosen.
  const asked = text('secret').error === undefined ? typed['credential'] : 'secret';
  return (
    <>
      {choices.length > 1 ? (
        <RadioField
          name="credential"
          legend="How should Postroom authenticate?"
          hint={
            present === undefined
              ? undefined
              : 'Postroom tries the new credential first and keeps the current one until the new one has worked. No one needs to sign in again.'
          }
          value={asked ?? first?.value}
          options={choices}
        />
      ) : null}
      <div class="for-secret">
        <TextField
          {...text('secret')}
          label={present === undefined ? 'Client secret' : 'New client secret'}
          type="password"
          autocomplete="off"
          spellcheck={false}
          hint={`${preset.secretHint === undefined ? '' : `${preset.secretHint} `}Stored in Key Vault and never shown again.`}
        />
      </div>
      {preset.secretsExpire ? (
        <Expiry text={text} typed={typed} questionedFrom={props.questionedFrom} />
      ) : null}
    </>
  );
}

function Expiry(props: { text: TextOf; typed: Typed; questionedFrom: string }): JSX.Element {
  const { text, typed } = props;
  return (
    <div class="for-expiry">
      <TextField
        {...text('expiresOn')}
        label="Expires on"
        type="date"
        size="short"
        hint="For a client secret, the date that the provider shows; for a certificate, the date you choose. Postroom reminds you before then."
      />
      <div
        hidden={text('expiryConfirmed').error === undefined}
        data-shown-from={props.questionedFrom}
        data-shown-by="expiresOn"
      >
        <CheckboxField
          name="expiryConfirmed"
          label="The date is correct, although it is more than 24 months away"
          checked={typed['expiryConfirmed'] === 'on'}
          error={text('expiryConfirmed').error}
        />
      </div>
    </div>
  );
}

/** The name of a credential’s kind within a sentence. */
export function credentialNoun({ kind }: Credential): string {
  if (kind === 'federated') return 'managed identity';
  return kind === 'certificate' ? 'certificate' : 'client secret';
}
