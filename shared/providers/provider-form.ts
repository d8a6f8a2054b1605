import { type CloudName, isCloudName } from './clouds.ts';
import { type CredentialWish, parseCredential } from './credential-form.ts';
import { type EndpointRules, endpointProblem } from './endpoint-safety.ts';
import { providerRules, ruleProblem } from './field-rules.ts';
import type { Preset } from './presets.ts';
import type { CustomEndpoints, Provider } from './provider.ts';

/** What a page sent: field name → text. */
export type Typed = Readonly<Record<string, string>>;

/** What was said of a provider. */
export interface ProviderInput {
  name: string;
  cloud: CloudName;
  tenant: string | undefined;
  /** Empty in a draft that does not know it yet. */
  clientId: string;
  credential: CredentialWish;
  endpoints: CustomEndpoints | undefined;
  scopes: readonly string[];
}

export type ProviderFormResult =
  | { kind: 'valid'; input: ProviderInput }
  /** Field name → sentence. */
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

export interface ProviderFormOptions extends EndpointRules {
  now: number;
  /** Absent: a new provider. */
  before?: Provider | undefined;
  /** A draft needs its name alone; what else was typed must be good all the same. */
  draft: boolean;
}

type Field = (name: string) => string;
type Errors = Record<string, string>;

/** Checks what was typed for a provider. Pure. */
export function parseProviderForm(
  typed: Typed,
  preset: Preset,
  options: ProviderFormOptions,
): ProviderFormResult {
  const errors: Errors = {};
  const field: Field = (name) => (typed[name] ?? '').trim();
  const rules = providerRules(preset, options);
  /** An empty field is a mistake where a whole provider is wanted. */
  const checked = (name: string, missing: string, always = false): string => {
    const value = field(name);
    const needed = always || !options.draft;
    const wrong = value === '' ? (needed ? missing : undefined) : ruleProblem(value, rules[name]);
    if (wrong !== undefined) errors[name] = wrong;
    return value;
  };

  const name = checked('name', 'Enter a name for this provider.', true);
  const asksTenant = preset.needsTenant && preset.name !== 'practice';
  const tenant = asksTenant
    ? checked('tenant', 'Enter the directory (tenant) ID from the overview page of the app registration.')
    : '';
  const clientId = checked('clientId', 'Enter the application (client) ID.');
  const credential = parseCredential(
    field,
    {
      now: options.now,
      rules,
      kinds: preset.credentialKinds,
      secret: secretNeed(options),
      questionsLateExpiry: preset.name !== 'practice',
    },
    errors,
  );
  if (credential.kind === 'keep' && leavesItsSecret(options.before, clientId))
    errors['secret'] = 'Another client ID has a secret of its own: enter it.';
  const isCustom = preset.name === 'custom';
  const scopes = isCustom
    ? checked('scopes', 'Enter the scopes that open the mailbox, with spaces between them.')
    : '';
  const endpoints = isCustom ? customEndpoints(field, options, errors) : undefined;
  const cloud = asksTenant ? cloudOf(field('cloud'), errors) : 'worldwide';

  if (Object.keys(errors).length > 0) return { kind: 'invalid', errors };
  const words = scopes.split(/\s+/).filter((scope) => scope !== '');
  return {
    kind: 'valid',
    input: {
      name,
      cloud,
      tenant: tenant === '' ? undefined : tenant.toLowerCase(),
      clientId,
      credential,
      endpoints,
      scopes: words,
    },
  };
}

const secretNeed = ({ before, draft }: ProviderFormOptions): 'needed' | 'keep' | 'optional' => {
  if (before?.credential !== undefined) return 'keep';
  return draft ? 'optional' : 'needed';
};

/** A certificate or the managed identity may serve another app as well; a secret belongs to one. */
const leavesItsSecret = (before: Provider | undefined, clientId: string): boolean =>
  before?.credential?.kind === 'secret' && before.clientId !== clientId;

function cloudOf(value: string, errors: Errors): CloudName {
  if (value === '') return 'worldwide';
  if (isCloudName(value)) return value;
  errors['cloud'] = 'Choose one of the clouds.';
  return 'worldwide';
}

function customEndpoints(
  field: Field,
  options: ProviderFormOptions,
  errors: Errors,
): CustomEndpoints | undefined {
  const check = (name: string, missing: string): string => {
    const value = field(name);
    const empty = options.draft ? undefined : missing;
    const wrong = value === '' ? empty : endpointProblem(value, options);
    if (wrong !== undefined) errors[name] = wrong;
    return value;
  };
  if (field('endpoints') === 'manual') {
    const authorization = check('authorizationEndpoint', 'Enter the authorization address.');
    const token = check('tokenEndpoint', 'Enter the token address.');
    return authorization === '' || token === '' ? undefined : { kind: 'manual', authorization, token };
  }
  const issuer = check('issuer', 'Enter the issuer, the address that discovery starts from.');
  return issuer === '' ? undefined : { kind: 'discovery', issuer };
}

/** What a sign-in depends on: with another one of these, those who signed in must do so again. Pure. */
export function isAnotherRegistration(before: Provider, input: ProviderInput): boolean {
  return (
    before.clientId !== input.clientId ||
    before.cloud !== input.cloud ||
    (before.preset !== 'practice' && before.tenant !== input.tenant) ||
    JSON.stringify(before.endpoints ?? {}) !== JSON.stringify(input.endpoints ?? {})
  );
}
