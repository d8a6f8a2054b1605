/** Every preset, from its facts to its pages. A new preset is a new row here, which the compiler requires. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  isPresetName,
  type Preset,
  type PresetName,
  presetNamed,
  presetNames,
  presetsFor,
} from '../../shared/providers/presets.ts';
import { endpointsOf, mailServersOf, scopesOf } from '../../shared/providers/provider.ts';
import { parseProviderForm } from '../../shared/providers/provider-form.ts';
import { IN_A_YEAR } from '../harness/memory/in-a-year.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { AT_MAIL, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

type Facts = Omit<
  Preset,
  | 'name'
  | 'hint'
  | 'label'
  | 'authority'
  | 'mailScopes'
  | 'guide'
  | 'clientIdRules'
  | 'secretRules'
  | 'secretHint'
>;
interface Row {
  facts: Facts;
  /** A complete form, as a person fills it in. */
  typed: Readonly<Record<string, string>>;
  /** What the form shows beside its fields; undefined: nothing. */
  guide: string | undefined;
}

const GUID = '11111111-2222-4333-8444-555555555555';
const MAIL = { ...AT_MAIL, port: 1 };

const rows: Readonly<Record<PresetName, Row>> = {
  microsoft: {
    facts: {
      shape: 'entra',
      settingsFrom: 'preset',
      isDemo: false,
      needsTenant: true,
      hasClouds: true,
      clientIdLabel: 'Application (client) ID',
      credentialKinds: ['secret', 'certificate', 'federated'],
      secretsExpire: true,
      mail: {
        imap: { host: 'outlook.office365.com', port: 993 },
        pop3: { host: 'outlook.office365.com', port: 995 },
        smtp: { host: 'smtp.office365.com', port: 587 },
      },
      graph: { host: 'graph.microsoft.com', port: 443 },
      endpointHosts: ['login.microsoftonline.com'],
      authorizationExtras: {},
      offlineScope: true,
    },
    typed: { tenant: GUID, clientId: GUID, secret: 'a~secret', expiresOn: IN_A_YEAR },
    guide: 'API permissions',
  },
  google: {
    facts: {
      shape: 'oidc',
      settingsFrom: 'preset',
      isDemo: false,
      needsTenant: false,
      hasClouds: false,
      clientIdLabel: 'Client ID',
      credentialKinds: ['secret'],
      secretsExpire: false,
      mail: {
        imap: { host: 'imap.gmail.com', port: 993 },
        pop3: { host: 'pop.gmail.com', port: 995 },
        smtp: { host: 'smtp.gmail.com', port: 587 },
      },
      graph: undefined,
      endpointHosts: ['accounts.google.com', 'oauth2.googleapis.com', 'www.googleapis.com'],
      authorizationExtras: { access_type: 'offline', prompt: 'consent' },
      offlineScope: false,
    },
    typed: { clientId: 'x.apps.googleusercontent.com', secret: 'a-secret' },
    guide: 'console.cloud.google.com',
  },
  custom: {
    facts: {
      shape: 'oidc',
      settingsFrom: 'admin',
      isDemo: false,
      needsTenant: false,
      hasClouds: false,
      clientIdLabel: 'Application (client) ID',
      credentialKinds: ['secret', 'certificate'],
      secretsExpire: true,
      mail: undefined,
      graph: undefined,
      endpointHosts: undefined,
      authorizationExtras: {},
      offlineScope: true,
    },
    typed: {
      clientId: 'app',
      secret: 'a-secret',
      expiresOn: IN_A_YEAR,
      scopes: 'mail.read',
      issuer: 'https://id.example.org',
      imapHost: 'imap.example.org',
    },
    guide: 'Redirect URI',
  },
  demo: {
    facts: {
      shape: 'entra',
      settingsFrom: 'preset',
      isDemo: true,
      needsTenant: true,
      hasClouds: false,
      clientIdLabel: 'Application (client) ID',
      credentialKinds: ['secret', 'certificate', 'federated'],
      secretsExpire: true,
      mail: { imap: MAIL, pop3: MAIL, smtp: MAIL },
      graph: undefined,
      endpointHosts: ['localhost'],
      authorizationExtras: {},
      offlineScope: true,
    },
    typed: { clientId: 'demo', secret: 'demo-secret', expiresOn: IN_A_YEAR },
    guide: undefined,
  },
};

let app: DemoApp;
let visitor: Visitor;
beforeAll(async () => {
  app = await startDemoApp();
  visitor = new Visitor(app);
});
afterAll(() => app.stop());

/** Available in the demo, which has all of them. */
function presetOnOffer(name: PresetName): Preset {
  const preset = presetNamed(name, app.services.config);
  if (preset === undefined) throw new Error(`${name} is not on offer`);
  return preset;
}

test('the available presets include Demo only if there is a demo', () => {
  const azure = { demo: undefined };
  expect(presetsFor(azure).map(({ name }) => name)).toEqual(presetNames.filter((name) => name !== 'demo'));
  expect(presetsFor(app.services.config).map(({ name }) => name)).toEqual(presetNames);
  expect(presetNames[0]).toBe('demo');
  expect(presetNames.toSorted()).toEqual(Object.keys(rows).toSorted());
  expect(presetNamed('demo', azure)).toBeUndefined();
  expect(presetNamed('nobody', app.services.config)).toBeUndefined();
  expect(['toString', 1, undefined].some(isPresetName)).toBe(false);
});

describe.each(presetNames)('the preset %s', (name) => {
  const { facts, typed, guide } = rows[name];

  test('has what its provider requires of an app', () => {
    const {
      name: _name,
      hint: _hint,
      label: _label,
      authority: _authority,
      mailScopes: _mailScopes,
      guide: _guide,
      clientIdRules: _clientIdRules,
      secretRules: _secretRules,
      secretHint: _secretHint,
      ...rest
    } = presetOnOffer(name);
    expect(rest).toEqual(facts);
  });

  test('accepts a complete form, which gives endpoints, scopes and mail servers', () => {
    const { config } = app.services;
    const now = Date.now();
    const options = { local: false, now, draft: false };
    const form = { name: 'One', severalDomains: 'on', ...typed };
    const parsed = parseProviderForm(form, presetOnOffer(name), options);
    if (parsed.kind !== 'valid') throw new Error(JSON.stringify(parsed.errors));
    const { credential: _credential, ...settings } = parsed.input;
    const provider = sampleProvider({ ...settings, preset: name });
    expect(endpointsOf(provider, config).kind).toBe('discovery');
    expect(mailServersOf(provider, config).imap?.host).toBeTruthy();
    expect(scopesOf(provider, config)).toEqual(expect.arrayContaining(['openid', 'profile', 'email']));
    expect(scopesOf(provider, config).length).toBeGreaterThan(3);
  });

  test('is chosen, saved, listed, shown and edited', async () => {
    const { label } = presetOnOffer(name);
    expect((await visitor.get('/providers/new')).html).toContain(label);
    const opened = await visitor.get(`/providers/new?preset=${name}`);
    const form = opened.location === undefined ? opened : await visitor.get(opened.location);
    expect(form.status).toBe(200);
    if (guide !== undefined) expect(form.html).toContain(guide);
    expect(form.html.includes('What to enter')).toBe(guide !== undefined);
    expect(form.html).toContain(`name="preset" value="${name}"`);

    const fields = { name: `One of ${name}`, preset: name, intent: 'draft', severalDomains: 'on', ...typed };
    const saved = await visitor.post('/providers/new', fields);
    expect(saved.status, saved.html).toBe(303);
    const provider = (await app.services.providers.list()).find((one) => one.name === fields.name);
    expect(provider?.preset).toBe(name);
    expect((await visitor.get('/providers')).html).toContain(fields.name);
    const path = `/providers/${provider?.id}`;
    const page = await visitor.get(path);
    expect([page.status, page.title]).toEqual([200, fields.name]);
    expect(page.html).toContain(label);
    const edit = await visitor.get(`${path}/edit`);
    expect([edit.status, edit.title]).toEqual([200, `Edit ${fields.name}`]);
  });
});
