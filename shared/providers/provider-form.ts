import { registrableDomainsOf } from '../platform/registrable-domains.ts';
import { type CloudName, isCloudName } from './clouds.ts';
import { credentialsOf } from './credential.ts';
import { type CredentialInput, parseCredential } from './credential-form.ts';
import { type EndpointRules, endpointProblem, hostProblem } from './endpoint-safety.ts';
import { providerRules, ruleProblem } from './field-rules.ts';
import type { MailHosts, Preset, Protocol, ServerProtocol } from './presets.ts';
import type { CustomEndpoints, Provider } from './provider.ts';
import { registrationOf } from './registration.ts';
import { waysIn, waysProblem } from './ways.ts';

/** Submitted fields: name → text. */
export type Typed = Readonly<Record<string, string>>;

/** The values of a submitted provider. */
export interface ProviderInput {
  name: string;
  cloud: CloudName;
  tenant: string | undefined;
  /** Empty in a draft when it is not known yet. */
  clientId: string;
  credential: CredentialInput;
  endpoints: CustomEndpoints | undefined;
  mailHosts: MailHosts | undefined;
  scopes: readonly string[];
  /** Absent: the form does not ask, so they do not change. */
  ways: readonly Protocol[] | undefined;
}

export type ProviderFormResult =
  | { kind: 'valid'; input: ProviderInput }
  /** Field name → sentence. */
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

export interface ProviderFormOptions extends EndpointRules {
  now: number;
  /** Absent: a new provider. */
  before?: Provider | undefined;
  /** A draft only needs a name; other fields must be valid if filled in. */
  draft: boolean;
}

type Field = (name: string) => string;
type Errors = Record<string, string>;

/** Validates the provider form. Pure. */
export function parseProviderForm(
  typed: Typed,
  preset: Preset,
  options: ProviderFormOptions,
): ProviderFormResult {
  const errors: Errors = {};
  const field: Field = (name) => (typed[name] ?? '').trim();
  const rules = providerRules(preset, options);
  /** An empty field is an error unless the provider is a draft. */
  const checked = (name: string, missing: string, always = false): string => {
    const value = field(name);
    const needed = always || !options.draft;
    const wrong = value === '' ? (needed ? missing : undefined) : ruleProblem(value, rules[name]);
    if (wrong !== undefined) errors[name] = wrong;
    return value;
  };

  const name = checked('name', 'Enter a name for this provider.', true);
  const asksTenant = preset.needsTenant && !preset.isDemo;
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
      secretsExpire: preset.secretsExpire,
      secret: secretNeed(options),
      questionsLateExpiry: !preset.isDemo,
    },
    errors,
  );
  const isCustom = preset.settingsFrom === 'admin';
  const scopes = isCustom
    ? checked('scopes', 'Enter the scopes that open the mailbox, with spaces between them.')
    : '';
  const endpoints = isCustom ? customEndpoints(field, options, errors) : undefined;
  const mailHosts = isCustom ? customMailHosts(field, options, errors) : undefined;
  const ways = field('ways') === 'yes' ? waysIn(typed) : undefined;
  const unread = ways === undefined ? undefined : waysProblem(ways);
  if (unread !== undefined) errors['imap'] = unread;
  const cloud = asksTenant ? cloudOf(field('cloud'), errors) : 'worldwide';

  const input: ProviderInput = {
    name,
    cloud,
    tenant: tenant === '' ? undefined : tenant.toLowerCase(),
    clientId,
    credential,
    endpoints,
    mailHosts,
    scopes: scopes.split(/\s+/).filter((scope) => scope !== ''),
    ways,
  };
  // While one of these fields is invalid, the intended registration is unknown.
  const unclear = registrationFields.some((one) => one in errors);
  if (!unclear && leavesItsSecret(options.before, input)) errors['secret'] ??= ENTER_AGAIN;
  if (!unclear && field('severalDomains') !== 'on') {
    const sentence = severalDomains(options.before, input);
    if (sentence !== undefined) errors['severalDomains'] = sentence;
  }
  return Object.keys(errors).length > 0 ? { kind: 'invalid', errors } : { kind: 'valid', input };
}

const registrationFields = [
  'cloud',
  'tenant',
  'clientId',
  'issuer',
  'authorizationEndpoint',
  'tokenEndpoint',
  'imapHost',
  'smtpHost',
  'pop3Host',
];
const ENTER_AGAIN =
  'Enter the client secret. The one before was given for another client ID, tenant or address, and is sent nowhere else.';

const secretNeed = ({ before, draft }: ProviderFormOptions): 'needed' | 'keep' | 'optional' => {
  if (before?.credential !== undefined) return 'keep';
  return draft ? 'optional' : 'needed';
};

/**
 * A secret belongs to one app and to the servers it was issued for. If it were kept for others, it would be
 * sent to them (RFC 9700 section 4.4). A certificate and the managed identity authenticate the app without
 * being sent.
 */
const leavesItsSecret = (before: Provider | undefined, input: ProviderInput): boolean =>
  before !== undefined &&
  input.credential.kind === 'keep' &&
  credentialsOf(before).some(({ kind }) => kind === 'secret') &&
  isAnotherRegistration(before, input);

/**
 * Asks for confirmation when the endpoints of a custom provider are new: several owners are unusual, and
 * one may be an attacker.
 */
function severalDomains(before: Provider | undefined, input: ProviderInput): string | undefined {
  if (before !== undefined && !isAnotherRegistration(before, input)) return undefined;
  const { endpoints, mailHosts } = input;
  const addresses =
    endpoints?.kind === 'manual'
      ? [endpoints.authorization, endpoints.token]
      : endpoints === undefined
        ? []
        : [endpoints.issuer];
  const domains = registrableDomainsOf([
    ...addresses.map((address) => new URL(address).hostname),
    ...Object.values(mailHosts ?? {}),
  ]);
  if (domains.length < 2) return undefined;
  return `These addresses belong to different domains: ${domains.join(', ')}. Sign-ins, secrets and tokens go there. Confirm that all of them are the provider’s, or correct them.`;
}

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
    const authorization = check('authorizationEndpoint', 'Enter the authorization endpoint.');
    const token = check('tokenEndpoint', 'Enter the token endpoint.');
    return authorization === '' || token === '' ? undefined : { kind: 'manual', authorization, token };
  }
  const issuer = check('issuer', 'Enter the issuer, the address that discovery starts from.');
  return issuer === '' ? undefined : { kind: 'discovery', issuer };
}

/** Form fields for the mail servers of a custom provider, in form order. */
export const mailHostFields: Readonly<Record<ServerProtocol, string>> = {
  imap: 'imapHost',
  smtp: 'smtpHost',
  pop3: 'pop3Host',
};

/** POP3 and SMTP are optional; without IMAP nothing could be fetched. */
function customMailHosts(field: Field, options: ProviderFormOptions, errors: Errors): MailHosts | undefined {
  const hosts: MailHosts = {};
  for (const protocol of ['imap', 'smtp', 'pop3'] as const) {
    const name = mailHostFields[protocol];
    const host = field(name).toLowerCase();
    const missing =
      protocol === 'imap' && !options.draft ? 'Enter the IMAP server of the provider.' : undefined;
    const wrong = host === '' ? missing : hostProblem(host, options);
    if (wrong !== undefined) errors[name] = wrong;
    if (host !== '') hosts[protocol] = host;
  }
  return Object.keys(hosts).length === 0 ? undefined : hosts;
}

/**
 * True when a change makes it a different registration: everyone who signed in must sign in again. Pure.
 */
export const isAnotherRegistration = (before: Provider, input: ProviderInput): boolean =>
  registrationOf(before) !== registrationOf({ ...input, preset: before.preset });
