import { describe, expect, it } from 'vitest';
import { proposedExpiry } from '../../shared/providers/credential-form.ts';
import { type PresetName, presetNamed } from '../../shared/providers/presets.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import {
  isAnotherRegistration,
  type ProviderFormResult,
  parseProviderForm,
} from '../../shared/providers/provider-form.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const now = Date.parse('2026-11-24T10:00:00Z');
const GUID = '11111111-2222-3333-4444-555555555555';
const OTHER = '99999999-2222-3333-4444-555555555555';
const good = { name: 'Contoso', tenant: GUID, clientId: GUID, secret: 'abc~def', expiresOn: '2028-11-24' };

function parse(
  typed: Record<string, string>,
  name: PresetName = 'microsoft',
  more: { before?: Provider; draft?: boolean } = {},
): ProviderFormResult {
  const preset = presetNamed(name, { demo: undefined });
  if (preset === undefined) throw new Error('no preset');
  return parseProviderForm(typed, preset, { local: false, now, draft: false, ...more });
}
const errorsOf = (result: ProviderFormResult): string[] =>
  result.kind === 'invalid' ? Object.keys(result.errors) : [];
const registered = (change: Partial<Provider> = {}): Provider =>
  sampleProvider({
    preset: 'microsoft',
    tenant: GUID,
    clientId: GUID,
    credential: {
      kind: 'secret',
      vaultName: 'x',
      version: '1',
      setAt: '2026-01-01',
      expiresOn: '2028-01-01',
    },
    ...change,
  });

describe('the provider form', () => {
  it('accepts a Microsoft registration', () => {
    const result = parse(good);
    expect(result).toMatchObject({ kind: 'valid', input: { name: 'Contoso', tenant: GUID, clientId: GUID } });
    expect(JSON.stringify(result)).not.toContain('abc~def');
  });

  it('reports what is missing, field by field', () => {
    expect(errorsOf(parse({}))).toEqual(['name', 'tenant', 'clientId', 'secret', 'expiresOn']);
  });

  it('recognizes the ID of a secret in place of its value', () => {
    const result = parse({ ...good, secret: GUID });
    expect(result.kind === 'invalid' && result.errors['secret']).toContain('not the “Value”');
  });

  it.each([
    ['tenant', 'not a tenant'],
    ['tenant', 'common'],
    ['clientId', 'my app'],
    ['secret', 'two words'],
    ['expiresOn', '2026-11-23'],
    ['expiresOn', '2027-02-30'],
    ['expiresOn', 'soon'],
    ['expiresOn', '9999-01-01'],
    ['name', 'x'.repeat(81)],
  ])('rejects %s %j', (field, value) => {
    expect(errorsOf(parse({ ...good, [field]: value }))).toEqual([field]);
  });

  it('accepts a tenant by its domain, and a multi-tenant app', () => {
    expect(parse({ ...good, tenant: 'contoso.onmicrosoft.com' }).kind).toBe('valid');
    expect(parse({ ...good, tenant: 'organizations' }).kind).toBe('valid');
  });

  it('keeps the secret when an edit leaves the field empty', () => {
    const kept = parse({ ...good, secret: '', expiresOn: '' }, 'microsoft', { before: registered() });
    expect(kept).toMatchObject({ kind: 'valid', input: { credential: { kind: 'keep' } } });
    const replaced = parse({ ...good, credential: 'keep' }, 'microsoft', { before: registered() });
    expect(replaced).toMatchObject({ kind: 'valid', input: { credential: { kind: 'secret' } } });
    const chosen = parse({ ...good, secret: '', credential: 'secret' }, 'microsoft', {
      before: registered(),
    });
    expect(errorsOf(chosen)).toEqual(['secret']);
  });

  it('requires a new secret when the client ID changes', () => {
    const typed = { ...good, clientId: OTHER, secret: '', credential: 'keep' };
    expect(errorsOf(parse(typed, 'microsoft', { before: registered() }))).toEqual(['secret']);
    const federated = registered({ credential: { kind: 'federated', setAt: '2026-01-01' } });
    expect(parse(typed, 'microsoft', { before: federated }).kind).toBe('valid');
  });

  it('accepts a certificate or the managed identity in place of a secret if the provider supports them', () => {
    const certificate = { ...good, secret: '', credential: 'certificate' };
    expect(parse(certificate)).toMatchObject({
      input: { credential: { kind: 'certificate', expiresOn: '2028-11-24T23:59:59.000Z' } },
    });
    const federated = { ...good, secret: '', expiresOn: '', credential: 'federated' };
    expect(parse(federated)).toMatchObject({ input: { credential: { kind: 'federated' } } });
    const google = { ...federated, clientId: 'x.apps.googleusercontent.com' };
    // Secrets of Google have no expiry date.
    expect(errorsOf(parse(google, 'google'))).toEqual(['secret']);
  });

  it('questions an expiry beyond 24 months, and accepts it once confirmed', () => {
    expect(parse({ ...good, expiresOn: '2028-11-25' }).kind).toBe('valid');
    const late = { ...good, expiresOn: '2028-11-26' };
    expect(errorsOf(parse(late))).toEqual(['expiryConfirmed']);
    expect(parse({ ...late, expiryConfirmed: 'on' }).kind).toBe('valid');
    expect(errorsOf(parse({ ...late, secret: '', credential: 'certificate' }))).toEqual(['expiryConfirmed']);
  });

  it('saves a draft with only a name, and still rejects invalid values', () => {
    const draft = { draft: true };
    expect(parse({ name: 'Later' }, 'microsoft', draft)).toMatchObject({
      kind: 'valid',
      input: { name: 'Later', tenant: undefined, clientId: '', credential: { kind: 'keep' } },
    });
    expect(errorsOf(parse({}, 'microsoft', draft))).toEqual(['name']);
    expect(errorsOf(parse({ name: 'x', clientId: 'no', secret: GUID }, 'microsoft', draft))).toEqual([
      'clientId',
      'secret',
      'expiresOn',
    ]);
    expect(parse({ name: 'x' }, 'custom', draft)).toMatchObject({ kind: 'valid', input: { scopes: [] } });
  });

  it('accepts four clouds and no fifth', () => {
    for (const cloud of ['worldwide', 'gcc-high', 'dod', 'china'])
      expect(parse({ ...good, cloud })).toMatchObject({ input: { cloud } });
    expect(errorsOf(parse({ ...good, cloud: 'moon' }))).toEqual(['cloud']);
  });

  it('distinguishes another registration, which needs new sign-ins, from a new name or secret', () => {
    const inputOf = (change: Record<string, string>): Parameters<typeof isAnotherRegistration>[1] => {
      const result = parse({ ...good, ...change });
      if (result.kind === 'invalid') throw new Error('not valid');
      return result.input;
    };
    expect(isAnotherRegistration(registered(), inputOf({ name: 'Renamed', secret: 'new' }))).toBe(false);
    expect(isAnotherRegistration(registered(), inputOf({ clientId: OTHER }))).toBe(true);
    expect(isAnotherRegistration(registered(), inputOf({ tenant: OTHER }))).toBe(true);
    expect(isAnotherRegistration(registered(), inputOf({ cloud: 'china' }))).toBe(true);
  });

  it('validates the endpoints of a custom provider', () => {
    const custom = {
      name: 'Own',
      clientId: 'app',
      secret: 's3cret',
      expiresOn: '2027-01-01',
      scopes: 'mail',
      imapHost: 'imap.example.org',
    };
    expect(errorsOf(parse({ ...custom, issuer: 'https://10.0.0.1/' }, 'custom'))).toEqual(['issuer']);
    expect(
      errorsOf(parse({ ...custom, endpoints: 'manual', tokenEndpoint: 'http://x.example/' }, 'custom')),
    ).toEqual(['authorizationEndpoint', 'tokenEndpoint']);
    expect(errorsOf(parse({ ...custom, issuer: 'https://id.example.org', scopes: 'a"b' }, 'custom'))).toEqual(
      ['scopes'],
    );
    expect(parse({ ...custom, issuer: 'https://id.example.org' }, 'custom')).toMatchObject({
      kind: 'valid',
      input: {
        endpoints: { kind: 'discovery', issuer: 'https://id.example.org' },
        mailHosts: { imap: 'imap.example.org' },
        scopes: ['mail'],
      },
    });
    for (const imapHost of ['', '10.0.0.1', 'mail.internal', 'metadata.goog'])
      expect(errorsOf(parse({ ...custom, issuer: 'https://id.example.org', imapHost }, 'custom'))).toEqual([
        'imapHost',
      ]);
    expect(
      errorsOf(parse({ ...custom, issuer: 'https://metadata.goog', smtpHost: 'smtp.lan' }, 'custom')),
    ).toEqual(['issuer', 'smtpHost']);
  });

  it('requires the secret again with each change that it was not entered for, current and next', () => {
    const secret: Provider['credential'] = registered().credential;
    const certificate: Provider['credential'] = {
      kind: 'certificate',
      vaultName: 'x',
      version: '1',
      setAt: '',
      expiresOn: '',
      certificate: '',
    };
    const kept = { ...good, secret: '' };
    const refused = (change: Record<string, string>, before: Partial<Provider> = {}): string[] =>
      errorsOf(parse({ ...kept, ...change }, 'microsoft', { before: registered(before) }));
    expect(refused({})).toEqual([]);
    expect(refused({ name: 'Renamed' })).toEqual([]);
    for (const change of [{ tenant: OTHER }, { clientId: OTHER }, { cloud: 'china' }]) {
      expect(refused(change)).toEqual(['secret']);
      expect(refused({ ...change, credential: 'keep' })).toEqual(['secret']);
      expect(refused({ ...change, credential: 'keep' }, { credential: certificate })).toEqual([]);
      expect(
        refused({ ...change, credential: 'keep' }, { credential: certificate, nextCredential: secret }),
      ).toEqual(['secret']);
      expect(refused({ ...change, secret: 'new' })).toEqual([]);
    }
  });

  it('asks for confirmation of endpoints with different owners, once, and not for hosts of one owner', () => {
    const manual = {
      name: 'Own',
      clientId: 'app',
      secret: 's3cret',
      expiresOn: '2027-01-01',
      scopes: 'mail',
      endpoints: 'manual',
      authorizationEndpoint: 'https://login.example.co.uk/authorize',
      tokenEndpoint: 'https://api.example.co.uk/token',
      imapHost: 'imap.example.co.uk',
    };
    const asked = (change: Record<string, string>, before?: Provider): string[] =>
      errorsOf(parse({ ...manual, ...change }, 'custom', before === undefined ? {} : { before }));
    expect(asked({})).toEqual([]);
    // `co.uk` and `github.io` are public suffixes: the label before them is what an owner has registered.
    for (const change of [
      { tokenEndpoint: 'https://other.co.uk/token' },
      { tokenEndpoint: 'https://api.example.co.uk.evil.example/token' },
      {
        authorizationEndpoint: 'https://a.github.io/',
        tokenEndpoint: 'https://b.github.io/',
        imapHost: 'a.github.io',
      },
      { imapHost: 'imap.other.example' },
      { endpoints: 'discovery', issuer: 'https://id.other.example' },
    ]) {
      expect(asked(change), JSON.stringify(change)).toEqual(['severalDomains']);
      expect(asked({ ...change, severalDomains: 'on' })).toEqual([]);
    }
    const said = parse({ ...manual, tokenEndpoint: 'https://evil.example/token' }, 'custom');
    expect(said.kind === 'invalid' && said.errors['severalDomains']).toContain('example.co.uk, evil.example');
    const known = registered({
      preset: 'custom',
      tenant: undefined,
      clientId: 'app',
      endpoints: {
        kind: 'manual',
        authorization: manual.authorizationEndpoint,
        token: 'https://evil.example/token',
      },
      mailHosts: { imap: 'imap.example.co.uk' },
    });
    expect(
      asked({ tokenEndpoint: 'https://evil.example/token', name: 'Renamed', secret: '' }, known),
    ).toEqual([]);
  });

  it('proposes 24 months for a new secret, also from the last day of a month', () => {
    expect(proposedExpiry(now)).toBe('2028-11-24');
    expect(proposedExpiry(Date.parse('2026-08-31T23:00:00Z'))).toBe('2028-08-31');
    expect(proposedExpiry(Date.parse('2024-02-29T00:00:00Z'))).toBe('2026-02-28');
  });

  it('offers Demo only while a demo runs', () => {
    expect(presetNamed('demo', { demo: undefined })).toBeUndefined();
  });
});
