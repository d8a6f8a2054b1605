import { Secret } from '../platform/secret.ts';
import { type EndpointRules, endpointProblem } from './endpoint-safety.ts';
import type { Preset } from './presets.ts';
import type { CustomEndpoints } from './provider.ts';

/** What a page sent: field name → text. */
export type Typed = Readonly<Record<string, string>>;

export interface ProviderDraft {
  name: string;
  tenant: string | undefined;
  clientId: string;
  /** Absent on an edit that keeps the secret. */
  secret: { value: Secret; expiresOn: string } | undefined;
  endpoints: CustomEndpoints | undefined;
  scopes: readonly string[];
}

export type ProviderFormResult =
  | { kind: 'valid'; draft: ProviderDraft }
  /** Field name → sentence. */
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MONTHS_OF_A_SECRET = 24;

/** The expiry date proposed for a new secret: 24 months on, the longest Microsoft's portal offers. */
export function proposedExpiry(now: number): string {
  const date = new Date(now);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + MONTHS_OF_A_SECRET);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.toISOString().slice(0, 10);
}

/**
 * Checks what was typed for a provider. Pure. `secret: 'keep'` is an edit, where an empty secret field leaves the
 * one there is.
 */
export function parseProviderForm(
  typed: Typed,
  preset: Preset,
  options: EndpointRules & { now: number; secret: 'needed' | 'keep' },
): ProviderFormResult {
  const errors: Record<string, string> = {};
  const field = (name: string): string => (typed[name] ?? '').trim();

  const name = field('name');
  if (name === '') errors['name'] = 'Enter a name for this provider.';
  else if (name.length > 80) errors['name'] = 'The name must be 80 characters or fewer.';

  const tenant = preset.needsTenant && preset.name !== 'practice' ? field('tenant') : undefined;
  const tenantWrong = tenant === undefined ? undefined : tenantProblem(tenant);
  if (tenantWrong !== undefined) errors['tenant'] = tenantWrong;

  const clientId = field('clientId');
  const clientWrong = clientIdProblem(clientId, preset);
  if (clientWrong !== undefined) errors['clientId'] = clientWrong;

  const value = field('secret');
  const secretWrong = secretProblem(value, preset, options.secret);
  if (secretWrong !== undefined) errors['secret'] = secretWrong;
  const expiresOn = field('expiresOn');
  const replaces = value !== '' || options.secret === 'needed';
  const expiryWrong = replaces ? expiryProblem(expiresOn, options.now) : undefined;
  if (expiryWrong !== undefined) errors['expiresOn'] = expiryWrong;

  const { endpoints, scopes } =
    preset.name === 'custom' ? customPart(field, options, errors) : { endpoints: undefined, scopes: [] };

  if (Object.keys(errors).length > 0) return { kind: 'invalid', errors };
  return {
    kind: 'valid',
    draft: {
      name,
      tenant: tenant?.toLowerCase(),
      clientId,
      secret:
        value === '' ? undefined : { value: new Secret(value), expiresOn: `${expiresOn}T23:59:59.000Z` },
      endpoints,
      scopes,
    },
  };
}

function tenantProblem(tenant: string): string | undefined {
  if (tenant === '') return 'Enter the directory (tenant) ID from the overview page of the app registration.';
  if (GUID.test(tenant) || DOMAIN.test(tenant) || tenant === 'organizations') return undefined;
  if (tenant === 'common' || tenant === 'consumers')
    return 'Postroom reads work mailboxes: enter the tenant ID, or organizations for an app of several tenants.';
  return 'A tenant ID looks like 11111111-2222-3333-4444-555555555555. Copy it from the overview page of the app registration.';
}

function clientIdProblem(clientId: string, preset: Preset): string | undefined {
  if (clientId === '') return 'Enter the application (client) ID.';
  if (preset.name === 'microsoft' && !GUID.test(clientId))
    return 'A client ID looks like 11111111-2222-3333-4444-555555555555. Copy it from the overview page of the app registration.';
  if (preset.name === 'google' && !clientId.endsWith('.apps.googleusercontent.com'))
    return 'A client ID of Google ends in .apps.googleusercontent.com.';
  return clientId.length > 512 || /\s/.test(clientId) ? 'The client ID must be one word.' : undefined;
}

function secretProblem(value: string, preset: Preset, wanted: 'needed' | 'keep'): string | undefined {
  if (value === '') return wanted === 'needed' ? 'Enter the client secret.' : undefined;
  if (preset.name === 'microsoft' && GUID.test(value))
    return 'This is the ID of the secret, not its value. In “Certificates & secrets” copy the column “Value”; it is shown only right after the secret is made, so make a new one if it is hidden.';
  if (value.length > 4096 || /\s/.test(value)) return 'The secret must be one word without spaces.';
  return undefined;
}

function expiryProblem(expiresOn: string, now: number): string | undefined {
  const time = Date.parse(`${expiresOn}T23:59:59.000Z`);
  if (!DATE.test(expiresOn) || Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== expiresOn)
    return 'Enter the date on which the secret expires, for example 2028-11-24.';
  if (time < now)
    return 'This date has passed: the secret would not work. Make a new secret and enter its date.';
  if (time > now + 100 * 366 * 86_400_000) return 'Enter a date within the next hundred years.';
  return undefined;
}

function customPart(
  field: (name: string) => string,
  rules: EndpointRules,
  errors: Record<string, string>,
): { endpoints: CustomEndpoints | undefined; scopes: readonly string[] } {
  const scopes = field('scopes')
    .split(/\s+/)
    .filter((scope) => scope !== '');
  // The characters of a scope: RFC 6749 section 3.3.
  if (scopes.length === 0)
    errors['scopes'] = 'Enter the scopes that open the mailbox, with spaces between them.';
  else if (
    !scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) ||
    scopes.join(' ').length > 2000
  )
    errors['scopes'] = 'Scopes are plain words or addresses with spaces between them.';

  const check = (name: string, missing: string): string => {
    const value = field(name);
    const wrong = value === '' ? missing : endpointProblem(value, rules);
    if (wrong !== undefined) errors[name] = wrong;
    return value;
  };
  if (field('endpoints') === 'manual') {
    const authorization = check('authorizationEndpoint', 'Enter the authorization address.');
    const token = check('tokenEndpoint', 'Enter the token address.');
    return { endpoints: { kind: 'manual', authorization, token }, scopes };
  }
  const issuer = check('issuer', 'Enter the issuer, the address that discovery starts from.');
  return { endpoints: { kind: 'discovery', issuer }, scopes };
}
