/** What a provider's form accepts, character by character, and which permissions allow which protocol. */
import { describe, expect, test } from 'vitest';
import { endpointProblem, hostProblem, isPublicAddress } from '../../shared/providers/endpoint-safety.ts';
import { providerRules, ruleProblem } from '../../shared/providers/field-rules.ts';
import { permissionsFor, protocolsIn } from '../../shared/providers/permissions.ts';
import { type Preset, type PresetName, presetNamed } from '../../shared/providers/presets.ts';
import { type ProviderFormResult, parseProviderForm } from '../../shared/providers/provider-form.ts';

const GUID = '11111111-2222-3333-4444-555555555555';
const azure = { local: false };
const preset = (name: PresetName): Preset => {
  const found = presetNamed(name, { demo: undefined });
  if (found === undefined) throw new Error('no preset');
  return found;
};
const problem = (name: PresetName, field: string, text: string, rules = azure): string | undefined =>
  ruleProblem(text, providerRules(preset(name), rules)[field]);

describe('a field', () => {
  test.each(['issuer', 'authorizationEndpoint', 'tokenEndpoint'])('%s begins with https://', (field) => {
    expect(problem('custom', field, 'https://a.example')).toBeUndefined();
    expect(problem('custom', field, 'http://a.example')).toBe('The address must begin with https://.');
    expect(problem('custom', field, 'http://a.example', { local: true })).toBeUndefined();
    expect(problem('custom', field, 'ftp://a.example', { local: true })).toBeDefined();
  });

  test('clientId has the format of each provider', () => {
    expect(problem('microsoft', 'clientId', GUID)).toBeUndefined();
    expect(problem('microsoft', 'clientId', 'my-app')).toMatch(/^A client ID looks like/);
    const google = '1-a.apps.googleusercontent.com';
    expect(problem('google', 'clientId', google)).toBeUndefined();
    expect(problem('google', 'clientId', 'my-app')).toMatch(/ends in \.apps\.googleusercontent\.com/);
    expect(problem('custom', 'clientId', 'my-app')).toBeUndefined();
    expect(problem('custom', 'clientId', 'my app')).toBe('The client ID must be one word.');
  });

  test('secret is the value and not its ID, which Microsoft also has', () => {
    expect(problem('microsoft', 'secret', GUID)).toMatch(/^This is the “Secret ID”/);
    expect(problem('custom', 'secret', GUID)).toBeUndefined();
    expect(problem('custom', 'secret', 'two words')).toBe('The secret must be one word without spaces.');
  });

  test('scopes contain only the characters of RFC 6749', () => {
    expect(problem('custom', 'scopes', 'imap  https://a.example/mail')).toBeUndefined();
    expect(problem('custom', 'scopes', 'im"ap')).toBeDefined();
  });

  test('without rules accepts anything', () => {
    expect(ruleProblem('anything', undefined)).toBeUndefined();
  });
});

describe('a host', () => {
  const word = 'Enter a full host name, for example imap.example.org.';
  const ip = 'Use the name of the server, not its IP address.';
  const hidden = 'This name belongs to a private network; Postroom only reaches public servers.';

  test.each([
    ['10.0.0.1', ip],
    ['::1', ip],
    ['[::1]', ip],
    ['8.8.8.8', ip],
    ['imap', word],
    ['', word],
    ['imap_x.example.org', word],
    ['!imap.example.org', word],
    ['imap.example.org!', word],
    ['imap.example.org.', word],
    [`${'a.'.repeat(126)}example`, word],
    ['[imap.example.org', word],
    ['8.8.8[.8', word],
    ['8.8.8].8', word],
    ['server.home', hidden],
    ['server.home.arpa', hidden],
    ['metadata.goog', hidden],
  ])('%s is rejected', (host, sentence) => {
    expect(hostProblem(host, azure)).toBe(sentence);
  });

  test.each([
    'imap.example.org',
    'local.example.org',
    'mylocal.example',
    'IMAP.home.example',
    `${'a.'.repeat(123)}example`,
  ])('%s is a name on the internet', (host) => {
    expect(hostProblem(host, azure)).toBeUndefined();
  });

  test('may be any on a developer’s machine, but not empty', () => {
    expect(hostProblem('127.0.0.1', { local: true })).toBeUndefined();
    expect(hostProblem('', { local: true })).toBe('Enter a host name.');
  });

  test('with an invalid address is not public', () => {
    for (const odd of ['', 'localhost', '8.8.8', '2603::1::1']) expect(isPublicAddress(odd)).toBe(false);
  });
});

describe('an endpoint', () => {
  test('contains no username and no password', () => {
    const sentence = 'The address must not contain a user name or a password.';
    expect(endpointProblem('https://ada@login.example.org/', azure)).toBe(sentence);
    expect(endpointProblem('https://:pw@login.example.org/', azure)).toBe(sentence);
    expect(endpointProblem('https://ada:pw@login.example.org/', azure)).toBe(sentence);
  });

  test('uses https, or on a developer’s machine http', () => {
    expect(endpointProblem('ftp://localhost/', { local: true })).toBe(
      'The address must begin with https://.',
    );
    expect(endpointProblem('http://localhost/', { local: true })).toBeUndefined();
    expect(endpointProblem('https://localhost/', { local: true })).toBeUndefined();
    expect(endpointProblem('http://login.example.org/', azure)).toBe('The address must begin with https://.');
  });

  test('has no fragment', () => {
    expect(endpointProblem('https://login.example.org/#x', azure)).toBe(
      'The address must not have a part after #.',
    );
  });
});

describe('permissions', () => {
  test('allow the protocol that they name, however long their name is written', () => {
    expect(protocolsIn(['https://outlook.office.com/IMAP.AccessAsUser.All'])).toEqual(['imap']);
    expect(protocolsIn(['pop.accessasuser.all', 'smtp.send', 'openid'])).toEqual(['pop3', 'smtp']);
    expect(protocolsIn(['openid', 'offline_access', 'IMAP'])).toEqual([]);
    expect(protocolsIn([])).toEqual([]);
  });

  test('of Google are one for all protocols', () => {
    expect(protocolsIn(['https://mail.google.com/'])).toEqual(['imap', 'pop3', 'smtp']);
  });

  // https://learn.microsoft.com/graph/permissions-reference
  test('have Microsoft’s IDs', () => {
    expect(
      permissionsFor(['imap', 'pop3', 'smtp']).map(({ name, id, protocol }) => [name, id, protocol]),
    ).toEqual([
      ['IMAP.AccessAsUser.All', '652390e4-393a-48de-9484-05f9b1212954', 'imap'],
      ['POP.AccessAsUser.All', 'd7b7f2d9-0f45-4ea1-9d42-e50810c06991', 'pop3'],
      ['SMTP.Send', '258f6531-6087-4cc4-bb90-092c5fb3ed3f', 'smtp'],
      ['offline_access', '7427e0e9-2fba-42fe-b0c0-848c9e6a8182', undefined],
      ['openid', '37f7f235-527c-4136-accd-4a02d197296e', undefined],
      ['profile', '14dad69e-099b-42c9-810b-d002981feec1', undefined],
      ['email', '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0', undefined],
    ]);
  });
});

describe('a form', () => {
  const custom = {
    name: ' Own ',
    clientId: 'app',
    secret: 'abc',
    scopes: ' imap   smtp ',
    endpoints: 'manual',
    authorizationEndpoint: 'https://login.example.org/authorize',
    tokenEndpoint: 'https://login.example.org/token',
    imapHost: 'IMAP.example.org',
    expiresOn: '2027-11-24',
  };
  const parse = (
    typed: Record<string, string>,
    name: PresetName = 'custom',
    draft = false,
  ): ProviderFormResult =>
    parseProviderForm(typed, preset(name), { ...azure, now: Date.parse('2026-11-24T10:00:00Z'), draft });

  test('is read without spaces around and between the values', () => {
    expect(parse(custom)).toMatchObject({
      kind: 'valid',
      input: {
        name: 'Own',
        scopes: ['imap', 'smtp'],
        tenant: undefined,
        mailHosts: { imap: 'imap.example.org' },
        endpoints: {
          kind: 'manual',
          authorization: 'https://login.example.org/authorize',
          token: 'https://login.example.org/token',
        },
      },
    });
  });

  test('of a draft has no endpoints until both are entered, and no mail hosts until one is', () => {
    for (const missing of ['authorizationEndpoint', 'tokenEndpoint']) {
      const result = parse({ ...custom, [missing]: '', imapHost: '' }, 'custom', true);
      expect(result).toMatchObject({ kind: 'valid', input: { endpoints: undefined, mailHosts: undefined } });
    }
  });

  test('stores the name of a tenant in lower case', () => {
    const typed = { name: 'Contoso', tenant: 'Contoso.OnMicrosoft.com', clientId: GUID, secret: 'abc~def' };
    expect(parse({ ...typed, expiresOn: '2028-11-24' }, 'microsoft')).toMatchObject({
      input: { tenant: 'contoso.onmicrosoft.com' },
    });
  });
});
