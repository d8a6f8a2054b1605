import { describe, expect, it } from 'vitest';
import {
  checklistOf,
  type ProviderFacts,
  progressOf,
  type StepState,
} from '../../shared/providers/checklist.ts';
import { cloudNames, clouds, inCloud } from '../../shared/providers/clouds.ts';
import { presetNamed } from '../../shared/providers/presets.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const MAIL = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'];
const federated = { kind: 'federated', setAt: '' } as const;
const nothing: ProviderFacts = { accounts: [], mailboxes: [] };
const signedIn = (scopes: string[], more = {}): ProviderFacts => ({
  accounts: [{ user: 'support@contoso.example', works: true, asApp: false, scopes, ...more }],
  mailboxes: [],
});
const states = (provider: Provider, facts: ProviderFacts): Record<string, StepState> =>
  Object.fromEntries(checklistOf(provider, facts).map(({ name, state }) => [name, state]));

describe('the checklist of a provider', () => {
  it('shows nothing as done for a draft', () => {
    expect(states(sampleProvider({ state: 'draft' }), nothing)).toEqual({
      tenant: 'unseen',
      client: 'unseen',
      redirect: 'unseen',
      permissions: 'unseen',
      credential: 'waiting',
      'sign-in': 'waiting',
      mailbox: 'unseen',
    });
  });

  it('includes what a check proved and what it found wrong', () => {
    const preflight = { at: '', tenant: 'proven', client: 'proven', credential: 'wrong' } as const;
    expect(states(sampleProvider({ credential: federated, preflight }), nothing)).toMatchObject({
      tenant: 'proven',
      client: 'proven',
      credential: 'wrong',
    });
  });

  it('waits for the upload of a new certificate; one that has worked and was removed there is an error', () => {
    const certificate = {
      kind: 'certificate',
      vaultName: 'v',
      version: '1',
      setAt: '',
      expiresOn: '',
      certificate: '',
    } as const;
    const evidence =
      'AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.';
    const refused = { at: '', tenant: 'proven', client: 'proven', credential: 'wrong' } as const;
    const fresh = sampleProvider({ credential: certificate, preflight: { ...refused, evidence } });
    expect(states(fresh, nothing)['credential']).toBe('waiting');
    expect(states(fresh, signedIn(MAIL))['credential']).toBe('wrong');
    const other = 'AADSTS7000215: Invalid client secret provided.';
    const wrong = sampleProvider({ credential: certificate, preflight: { ...refused, evidence: other } });
    expect(states(wrong, nothing)['credential']).toBe('wrong');
    const next = sampleProvider({
      credential: federated,
      nextCredential: certificate,
      preflight: { ...refused, credential: 'proven', next: 'wrong', nextEvidence: evidence },
    });
    expect(states(next, signedIn(MAIL))).toMatchObject({
      credential: 'proven',
      'next-credential': 'waiting',
    });
    const works = { ...refused, credential: 'proven', next: 'proven', nextEvidence: evidence } as const;
    expect(states({ ...next, preflight: works }, nothing)['next-credential']).toBe('proven');
  });

  it('marks permissions as proven only once a token had all of them, however they are written', () => {
    const provider = sampleProvider({ credential: federated, preset: 'microsoft' });
    const long = MAIL.map((name) => `https://outlook.office.com/${name}`);
    expect(states(provider, signedIn(long))['permissions']).toBe('proven');
    expect(states(provider, signedIn(MAIL))['permissions']).toBe('proven');
    expect(states(provider, signedIn(MAIL.slice(0, 2)))['permissions']).toBe('unseen');
    const google = sampleProvider({ credential: federated, preset: 'google' });
    expect(states(google, signedIn(['https://mail.google.com/']))['permissions']).toBe('proven');
  });

  it('marks an admin’s consent as reported, not proven, until a token shows the permissions', () => {
    const provider = sampleProvider({ credential: federated, preset: 'microsoft', approvedAt: '2026-11-01' });
    expect(states(provider, nothing)['permissions']).toBe('reported');
    expect(states(provider, signedIn(MAIL.slice(0, 2)))['permissions']).toBe('unseen');
  });

  it('counts a working sign-in as proof of all earlier steps, but not one of the app itself', () => {
    const provider = sampleProvider({ credential: federated });
    expect(states(provider, signedIn(MAIL))).toMatchObject({
      tenant: 'proven',
      client: 'proven',
      redirect: 'proven',
      credential: 'proven',
      'sign-in': 'proven',
      mailbox: 'waiting',
    });
    expect(states(provider, signedIn([], { asApp: true }))).toMatchObject({
      redirect: 'unseen',
      permissions: 'unseen',
      'sign-in': 'proven',
    });
    expect(states(provider, signedIn(MAIL, { works: false }))['sign-in']).toBe('wrong');
  });

  it('shows a new credential as a separate step until it has worked', () => {
    const preflight = {
      at: '',
      tenant: 'proven',
      client: 'proven',
      credential: 'proven',
      next: 'wrong',
    } as const;
    const provider = sampleProvider({ credential: federated, nextCredential: federated, preflight });
    expect(states(provider, nothing)).toMatchObject({ credential: 'proven', 'next-credential': 'wrong' });
    const proven = { ...provider, preflight: { ...preflight, next: 'proven' } as const };
    expect(states(proven, nothing)['next-credential']).toBe('proven');
    expect(states({ ...provider, preflight: undefined }, nothing)['next-credential']).toBe('unseen');
    expect(states({ ...provider, preflight: undefined }, signedIn(MAIL))['next-credential']).toBe('unseen');
  });

  it('names who does each step and its evidence, and counts the proven ones', () => {
    const facts: ProviderFacts = {
      accounts: [
        { user: 'support@contoso.example', works: true, asApp: false, scopes: MAIL.slice(0, 1) },
        { user: 'sales@contoso.example', works: false, asApp: false, scopes: MAIL.slice(1) },
        { user: 'the app', works: true, asApp: true, scopes: ['full_access_as_app'] },
      ],
      mailboxes: [
        { address: 'support@contoso.example', opened: true },
        { address: 'sales@contoso.example', opened: false },
      ],
    };
    const steps = checklistOf(sampleProvider({ credential: federated, preset: 'microsoft' }), facts);
    expect(steps).toEqual([
      { name: 'tenant', who: 'you', state: 'proven', seen: [] },
      { name: 'client', who: 'you', state: 'proven', seen: [] },
      { name: 'redirect', who: 'you', state: 'proven', seen: [] },
      { name: 'permissions', who: 'tenant-admin', state: 'proven', seen: ['imap', 'pop3', 'smtp'] },
      { name: 'credential', who: 'you', state: 'proven', seen: [] },
      {
        name: 'sign-in',
        who: 'mailbox-owner',
        state: 'wrong',
        seen: ['support@contoso.example', 'sales@contoso.example', 'the app'],
      },
      { name: 'mailbox', who: 'you', state: 'proven', seen: ['support@contoso.example'] },
    ]);
    expect(progressOf(steps)).toEqual({ done: 6, all: 7 });
  });

  it('counts a sign-in that no longer works as proof of the redirect URI, and of nothing else', () => {
    expect(states(sampleProvider({ credential: federated }), signedIn(MAIL, { works: false }))).toEqual({
      tenant: 'unseen',
      client: 'unseen',
      redirect: 'proven',
      permissions: 'proven',
      credential: 'unseen',
      'sign-in': 'wrong',
      mailbox: 'waiting',
    });
  });

  it('counts the redirect URI as proven once a browser returned by it without an account', () => {
    const provider = sampleProvider({ redirectSeenAt: '2026-11-01T00:00:00.000Z' });
    expect(states(provider, nothing)['redirect']).toBe('proven');
  });

  it('requires only a sign-in of a custom provider', () => {
    const provider = sampleProvider({ credential: federated, preset: 'custom' });
    expect(states(provider, signedIn(['mail']))['permissions']).toBe('proven');
    expect(states(provider, nothing)['permissions']).toBe('unseen');
  });

  it('never waits for a secret, which is created at the provider first', () => {
    const secret = { kind: 'secret', vaultName: 'v', version: '1', setAt: '', expiresOn: '' } as const;
    const evidence = 'AADSTS700027: it is not registered.';
    const preflight = { at: '', tenant: 'proven', client: 'proven', evidence } as const;
    const wrong = sampleProvider({ credential: secret, preflight: { ...preflight, credential: 'wrong' } });
    expect(states(wrong, nothing)['credential']).toBe('wrong');
    const next = sampleProvider({
      credential: federated,
      nextCredential: secret,
      preflight: { ...preflight, credential: 'proven', next: 'wrong', nextEvidence: evidence },
    });
    expect(states(next, nothing)['next-credential']).toBe('wrong');
  });

  it.each([700027, 70021, 700211, 700212, 700213])(
    'waits for the managed identity that Entra refuses with AADSTS%i',
    (number) => {
      const refused = { at: '', tenant: 'proven', client: 'proven', credential: 'wrong' } as const;
      const of = (evidence: string | undefined, credential: 'wrong' | 'proven' = 'wrong') =>
        states(
          sampleProvider({ credential: federated, preflight: { ...refused, credential, evidence } }),
          nothing,
        )['credential'];
      expect(of(`invalid_client: AADSTS${number}: no such credential.`)).toBe('waiting');
      expect(of(`AADSTS${number}`, 'proven')).toBe('proven');
      expect(of(`AADSTS${number}9`)).toBe('wrong');
      expect(of(undefined)).toBe('wrong');
    },
  );
});

describe('each cloud of Microsoft', () => {
  it.each(cloudNames)('%s has sign-in, mail hosts and scopes of its own', (name) => {
    const preset = presetNamed('microsoft', { demo: undefined }, name);
    const cloud = clouds[name];
    expect(preset?.authority('t')).toBe(`https://${cloud.loginHost}/t/v2.0`);
    expect(preset?.endpointHosts).toEqual([cloud.loginHost]);
    expect(preset?.mail?.imap).toEqual({ host: cloud.imapHost, port: 993 });
    expect(preset?.mailScopes(['smtp'])).toEqual([`${cloud.outlookScope}/SMTP.Send`]);
  });

  it('keeps Microsoft’s endpoints beside a demo, unless the demo stands for Microsoft', () => {
    const mail = { host: 'localhost', port: 1 };
    const demo = {
      authority: 'http://localhost:9/own/v2.0',
      tenant: 'own',
      clientId: '',
      clientSecret: '',
      imap: mail,
      pop3: mail,
      smtp: mail,
    };
    const beside = presetNamed('microsoft', { demo });
    expect(beside?.authority('typed')).toBe('https://login.microsoftonline.com/typed/v2.0');
    const standIn = presetNamed('microsoft', { demo: { ...demo, asMicrosoft: true } });
    expect(standIn?.authority('typed')).toBe('http://localhost:9/typed/v2.0');
    expect(standIn?.mail?.imap).toEqual(mail);
    for (const authority of ['http://localhost:9', 'http://localhost:9/own/', 'http://localhost:9/own/v2.0'])
      expect(presetNamed('demo', { demo: { ...demo, authority } })?.authority('typed')).toBe(
        'http://localhost:9/own/v2.0',
      );
  });

  it('never shares a sign-in host with another country', () => {
    expect(new Set(cloudNames.map((name) => clouds[name].loginHost)).size).toBe(3);
    expect(clouds['gcc-high'].imapHost).not.toBe(clouds.dod.imapHost);
  });

  it('has its own portal: only links to Microsoft’s worldwide portal are changed', () => {
    expect(inCloud('https://entra.microsoft.com/#view/x', 'china')).toBe('https://portal.azure.cn/#view/x');
    expect(inCloud('https://login.microsoftonline.com/t/adminconsent', 'dod')).toBe(
      'https://login.microsoftonline.us/t/adminconsent',
    );
    for (const href of [
      'https://entra.microsoft.com.evil.example/',
      'https://example.org/https://entra.microsoft.com/',
    ])
      expect(inCloud(href, 'china')).toBe(href);
    expect(inCloud('https://entra.microsoft.com/#view/x', 'worldwide')).toBe(
      'https://entra.microsoft.com/#view/x',
    );
  });
});
