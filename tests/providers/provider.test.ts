/** Where a provider leads: endpoints, mail servers and scopes, by its preset and its cloud. */
import { describe, expect, test } from 'vitest';
import type { DemoWorld } from '../../shared/platform/config.ts';
import { cloudNames, inCloud, isCloudName } from '../../shared/providers/clouds.ts';
import { isPresetName, presetNamed, presetsFor } from '../../shared/providers/presets.ts';
import {
  endpointsOf,
  exchangeAudienceOf,
  isOfDemo,
  mailServersOf,
  presetOf,
  scopesOf,
} from '../../shared/providers/provider.ts';
import { registrationOf } from '../../shared/providers/registration.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const azure = { demo: undefined };
const world: DemoWorld = {
  authority: 'http://localhost:9/own/v2.0',
  tenant: 'own',
  clientId: '',
  clientSecret: '',
  imap: { host: 'localhost', port: 1 },
  pop3: { host: 'localhost', port: 2 },
  smtp: { host: 'localhost', port: 3 },
};
const demo = { demo: world };
const microsoft = sampleProvider({ preset: 'microsoft', tenant: 'contoso.example' });
const google = sampleProvider({ preset: 'google' });
const custom = sampleProvider({
  preset: 'custom',
  endpoints: { kind: 'discovery', issuer: 'https://id.example' },
  scopes: ['mail.read', 'mail.send'],
});

describe('the available presets', () => {
  test.each([
    'http://localhost:9',
    'http://localhost:9/',
    'http://localhost:9/own//',
    'http://localhost:9/own/v2.0/',
  ])('lead from %s to the given tenant', (authority) => {
    const standIn = { demo: { ...world, authority, asMicrosoft: true } };
    expect(presetNamed('microsoft', standIn)?.authority('typed')).toBe('http://localhost:9/typed/v2.0');
    expect(presetNamed('demo', standIn)?.authority('typed')).toBe('http://localhost:9/own/v2.0');
  });

  test('keep Microsoft’s endpoints beside a demo that does not stand for it', () => {
    const beside = { demo: { ...world, asMicrosoft: false } };
    expect(presetNamed('microsoft', beside)).toMatchObject({ endpointHosts: ['login.microsoftonline.com'] });
  });
});

describe('the preset of a provider', () => {
  test('is that of its cloud', () => {
    expect(presetOf({ ...microsoft, cloud: 'china' }, azure).endpointHosts).toEqual([
      'login.partner.microsoftonline.cn',
    ]);
  });

  test('is undefined if a demo provider is used without its demo', () => {
    expect(() => presetOf(sampleProvider(), azure)).toThrowError(
      expect.objectContaining({
        code: 'demo-gone',
        message: 'Contoso is a demo provider and works under npm start only.',
      }),
    );
    expect(presetOf(sampleProvider(), demo).name).toBe('demo');
  });
});

test.each([
  ['nothing, without a demo', azure, sampleProvider(), false],
  ['no world but that of npm start', demo, sampleProvider(), false],
  ['a demo provider', { demo: { ...world, isShownAsDemo: true } }, sampleProvider(), true],
  ['what belongs to no provider', { demo: { ...world, isShownAsDemo: true } }, undefined, true],
  ['no provider that leads elsewhere', { demo: { ...world, isShownAsDemo: true } }, google, false],
])('of the demo is %s', (_what, config, provider, expected) => {
  expect(isOfDemo(config, provider)).toBe(expected);
});

describe('endpoints', () => {
  test('of a preset are discovered at its issuer', () => {
    expect(endpointsOf(microsoft, azure)).toEqual({
      kind: 'discovery',
      issuer: 'https://login.microsoftonline.com/contoso.example/v2.0',
    });
    expect(endpointsOf(google, azure)).toEqual({ kind: 'discovery', issuer: 'https://accounts.google.com' });
    expect(endpointsOf(sampleProvider(), demo)).toEqual({
      kind: 'discovery',
      issuer: 'http://localhost:9/own/v2.0',
    });
  });

  test('of a custom provider are its own, and missing ones are an error with a fix', () => {
    expect(endpointsOf(custom, azure)).toEqual(custom.endpoints);
    expect(() => endpointsOf({ ...custom, endpoints: undefined }, azure)).toThrowError(
      expect.objectContaining({
        code: 'provider-without-endpoints',
        message: 'Contoso has no endpoints; edit the provider.',
      }),
    );
  });
});

describe('a token is sent to', () => {
  test('the mail servers of the preset, in the provider’s cloud', () => {
    expect(mailServersOf({ ...microsoft, cloud: 'dod' }, azure)).toEqual({
      imap: { host: 'outlook-dod.office365.us', port: 993 },
      pop3: { host: 'outlook-dod.office365.us', port: 995 },
      smtp: { host: 'outlook-dod.office365.us', port: 587 },
    });
  });

  test('the mail servers of a custom provider, on any usual port', () => {
    const mailHosts = { imap: 'imap.id.example', smtp: 'smtp.id.example' };
    expect(mailServersOf({ ...custom, mailHosts }, azure)).toEqual({
      imap: { host: 'imap.id.example' },
      smtp: { host: 'smtp.id.example' },
    });
    expect(mailServersOf(custom, azure)).toEqual({});
  });

  test('no server at all if a demo provider has lost its demo', () => {
    expect(mailServersOf(sampleProvider(), azure)).toEqual({});
  });
});

describe('the requested scopes', () => {
  const openid = ['openid', 'profile', 'email'];
  const outlook = (name: string): string => `https://outlook.office.com/${name}`;

  test('begin with the mail scopes, in the same order whatever is requested first', () => {
    const usual = [outlook('IMAP.AccessAsUser.All'), outlook('SMTP.Send')];
    expect(scopesOf(microsoft, azure)).toEqual([...usual, ...openid, 'offline_access']);
    expect(scopesOf(microsoft, azure, ['smtp', 'imap'])).toEqual([
      outlook('IMAP.AccessAsUser.All'),
      outlook('SMTP.Send'),
      ...openid,
      'offline_access',
    ]);
  });

  test('are one for Google, which refuses offline_access', () => {
    expect(scopesOf(google, azure, ['imap'])).toEqual(['https://mail.google.com/', ...openid]);
  });

  test('are those of the row for a custom provider', () => {
    expect(scopesOf(custom, azure, ['imap'])).toEqual([
      'mail.read',
      'mail.send',
      ...openid,
      'offline_access',
    ]);
    expect(presetNamed('custom', azure)?.mailScopes(['imap'])).toEqual([]);
  });
});

describe('a cloud of Microsoft', () => {
  test('has its own audience for the managed identity', () => {
    expect(cloudNames.map((cloud) => exchangeAudienceOf({ cloud }))).toEqual([
      'api://AzureADTokenExchange',
      'api://AzureADTokenExchangeUSGov',
      'api://AzureADTokenExchangeUSGov',
      'api://AzureADTokenExchangeChina',
    ]);
  });

  test('is one of four names, and no property that every object has', () => {
    expect(['worldwide', 'gcc-high', 'dod', 'china'].every(isCloudName)).toBe(true);
    for (const name of ['toString', '', 7, undefined, ['dod']]) expect(isCloudName(name)).toBe(false);
  });

  test.each([
    ['https://entra.microsoft.com/x', 'https://portal.azure.us/x'],
    ['https://entra.microsoft.com#x', 'https://portal.azure.us#x'],
    ['https://login.microsoftonline.com/t', 'https://login.microsoftonline.us/t'],
    ['https://admin.microsoft.com/#/x', 'https://portal.office365.us/adminportal/home#/x'],
    ['https://admin.exchange.microsoft.com/#/x', 'https://admin.exchange.office365.us/#/x'],
    ['https://security.microsoft.com/x', 'https://security.microsoft.us/x'],
  ])('has %s at its own host', (href, there) => {
    expect(inCloud(href, 'gcc-high')).toBe(there);
    const elsewhere = `https://example.org/?to=${href}`;
    expect(inCloud(elsewhere, 'gcc-high')).toBe(elsewhere);
  });

  test.each([
    'https://entra.microsoft.com.evil.example/',
    'https://login.microsoftonline.com.evil.example/',
    'https://login.microsoftonline.com#x',
    'https://entra-microsoft.com/',
    'https://learn.microsoft.com/',
  ])('leaves %s unchanged', (href) => {
    expect(inCloud(href, 'dod')).toBe(href);
  });
});

describe('the text of a registration', () => {
  const manual = { kind: 'manual', authorization: 'https://a.example', token: 'https://t.example' } as const;

  // Stored tokens are encrypted with it: a change of these texts ends every sign-in.
  test.each([
    ['of Microsoft', microsoft, 'jFzYgviBIJ47LwvgJCsVFELOW-czl0DmKa69fzH_C0w'],
    ['of Google', google, 'bo6RMFzZGGd35DvIOvIdtr9b8Jx5WU84pHVYrvmr5Sw'],
    ['with an issuer', custom, 'UYR-0kULBDTmNauAn43o8HX1yGXstHcn3bW9IvaWbOo'],
    ['with endpoints', { ...custom, endpoints: manual }, 'ATyAuD3HcY7ikvpdsua9GmfqbmqDLalj5UGyQszlS7M'],
    [
      'with mail hosts',
      { ...custom, mailHosts: { imap: 'i', pop3: 'p', smtp: 's' } },
      'GYvfNyLJ3HQQ65Q7Ybn0YV7_hN9ncCe-ZPrn0HTW2II',
    ],
  ])('%s is the same in every version of Postroom', (_what, provider, text) => {
    expect(registrationOf(provider)).toBe(text);
  });

  test('changes with each part that decides where secrets are sent', () => {
    const variants = [
      microsoft,
      { ...microsoft, cloud: 'dod' as const },
      { ...microsoft, tenant: 'fabrikam.example' },
      { ...microsoft, clientId: 'other' },
      google,
      custom,
      { ...custom, endpoints: undefined },
      { ...custom, endpoints: manual },
      { ...custom, endpoints: { ...manual, token: 'https://other.example' } },
      { ...custom, endpoints: { ...manual, authorization: 'https://other.example' } },
      { ...custom, mailHosts: { imap: 'a.example' } },
      { ...custom, mailHosts: { pop3: 'a.example' } },
      { ...custom, mailHosts: { smtp: 'a.example' } },
    ];
    expect(new Set(variants.map(registrationOf)).size).toBe(variants.length);
  });

  test('does not contain the demo tenant, which comes from the settings of the machine', () => {
    expect(registrationOf(sampleProvider({ tenant: 'a' }))).toBe(
      registrationOf(sampleProvider({ tenant: 'b' })),
    );
  });
});

test('presets are identified by their names only, and the demo is available while it runs', () => {
  for (const name of ['yahoo', 'toString', 7, undefined, ['google']]) expect(isPresetName(name)).toBe(false);
  expect(isPresetName('google')).toBe(true);
  expect(presetNamed('toString', demo)).toBeUndefined();
  const names = (config: Parameters<typeof presetsFor>[0]) => presetsFor(config).map(({ name }) => name);
  expect(names(demo)).toContain('demo');
  expect(names({ demo: undefined })).toEqual(names(demo).filter((name) => name !== 'demo'));
  expect(presetNamed('demo', demo)?.endpointHosts).toEqual([new URL(world.authority).hostname]);
});
