import { describe, expect, it } from 'vitest';
import { type PresetName, presetNamed } from '../../shared/providers/presets.ts';
import { parseProviderForm, proposedExpiry } from '../../shared/providers/provider-form.ts';

const now = Date.parse('2026-11-24T10:00:00Z');
const GUID = '11111111-2222-3333-4444-555555555555';
const good = { name: 'Contoso', tenant: GUID, clientId: GUID, secret: 'abc~def', expiresOn: '2028-11-24' };

function parse(
  typed: Record<string, string>,
  name: PresetName = 'microsoft',
  secret: 'needed' | 'keep' = 'needed',
) {
  const preset = presetNamed(name, { practice: undefined });
  if (preset === undefined) throw new Error('no preset');
  return parseProviderForm(typed, preset, { local: false, now, secret });
}
const errorsOf = (result: ReturnType<typeof parse>): string[] =>
  result.kind === 'invalid' ? Object.keys(result.errors) : [];

describe('the provider form', () => {
  it('takes a Microsoft registration', () => {
    const result = parse(good);
    expect(result).toMatchObject({ kind: 'valid', draft: { name: 'Contoso', tenant: GUID, clientId: GUID } });
    expect(JSON.stringify(result)).not.toContain('abc~def');
  });

  it('says what is missing, field by field', () => {
    expect(errorsOf(parse({}))).toEqual(['name', 'tenant', 'clientId', 'secret', 'expiresOn']);
  });

  it('recognises the ID of a secret in place of its value', () => {
    const result = parse({ ...good, secret: GUID });
    expect(result.kind === 'invalid' && result.errors['secret']).toContain('not its value');
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
  ])('refuses %s %j', (field, value) => {
    expect(errorsOf(parse({ ...good, [field]: value }))).toEqual([field]);
  });

  it('takes a tenant by its domain, and an app of several tenants', () => {
    expect(parse({ ...good, tenant: 'contoso.onmicrosoft.com' }).kind).toBe('valid');
    expect(parse({ ...good, tenant: 'organizations' }).kind).toBe('valid');
  });

  it('keeps the secret of an edit that leaves the field empty', () => {
    const result = parse({ ...good, secret: '', expiresOn: '' }, 'microsoft', 'keep');
    expect(result).toMatchObject({ kind: 'valid', draft: { secret: undefined } });
  });

  it('vets the addresses of a custom provider', () => {
    const custom = {
      name: 'Own',
      clientId: 'app',
      secret: 's3cret',
      expiresOn: '2027-01-01',
      scopes: 'mail',
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
      draft: { endpoints: { kind: 'discovery', issuer: 'https://id.example.org' }, scopes: ['mail'] },
    });
  });

  it('proposes 24 months for a new secret, also from the last day of a month', () => {
    expect(proposedExpiry(now)).toBe('2028-11-24');
    expect(proposedExpiry(Date.parse('2026-08-31T23:00:00Z'))).toBe('2028-08-31');
    expect(proposedExpiry(Date.parse('2024-02-29T00:00:00Z'))).toBe('2026-02-28');
  });

  it('offers Practice only where a practice world runs', () => {
    expect(presetNamed('practice', { practice: undefined })).toBeUndefined();
  });
});
