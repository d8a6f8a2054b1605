/** The start of a consent: what is stored for the callback, and who may be redirected to the provider. */
import { describe, expect, test } from 'vitest';
import type { AuthorizationAsk } from '../../shared/accounts/oauth-client.ts';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { silence } from '../../shared/accounts/token-failure.ts';
import {
  browserHash,
  type ConnectRequest,
  consentContext,
  consentKey,
  type Initiator,
} from '../../shared/consent/consent.ts';
import {
  buildAuthorizationUrl,
  callbackPathOf,
  redirectUriOf,
  startConsent,
} from '../../shared/consent/start-consent.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { registrationOf } from '../../shared/providers/registration.ts';
import { memoryConsents } from './memory-consents.ts';
import { isoAt, keyOf, NOW, sampleInvitation, sampleWish } from './sample-attempt.ts';

const ada: Initiator = { kind: 'principal', id: 'ada' };
const guest = { kind: 'invitation', key: keyOf('d') } as const;

/** A provider that redirects the browser to one URL, and the requests it received. */
async function postroom(change?: Partial<Provider>) {
  const asked: AuthorizationAsk[] = [];
  const world = await memoryConsents(
    {
      authorizationAddress: async (_provider, ask) => {
        asked.push(ask);
        return { kind: 'address', url: 'https://login.example/authorize' };
      },
    },
    change,
  );
  const start = async (connectRequest: ConnectRequest = sampleWish(), startedBy = ada) => {
    const started = await startConsent(world.deps, connectRequest, startedBy);
    if (started.kind !== 'started') throw new Error(started.kind);
    return started;
  };
  return { ...world, asked, start };
}

describe('a redirect URI', () => {
  const config = { publicUrl: 'https://desk.example' };

  test('is the same for all presets, and separate for each custom provider', () => {
    for (const preset of ['microsoft', 'google', 'demo'] as const)
      expect(redirectUriOf(config, { id: 'x', preset })).toBe('https://desk.example/oauth/callback');
    expect(redirectUriOf(config, { id: 'x', preset: 'custom' })).toBe(
      'https://desk.example/oauth/callback/x',
    );
    expect(callbackPathOf(undefined)).toBe('/oauth/callback');
  });
});

describe('a start', () => {
  test('stores who may return, until when, for which registration, and its secrets encrypted', async () => {
    const { deps, provider, start } = await postroom();
    const { key, cookie } = await start();
    const consent = (await deps.consents.get(key))?.consent;
    expect(consent).toEqual({
      key,
      connectRequest: sampleWish(),
      startedBy: ada,
      registration: registrationOf(provider),
      browserHash: browserHash(cookie),
      sealedState: expect.stringMatching(/^1\./),
      sealedVerifier: expect.stringMatching(/^1\./),
      sealedNonce: expect.stringMatching(/^1\./),
      startedAt: isoAt(0),
      expiresAt: isoAt(600_000),
      usedAt: undefined,
      result: undefined,
    });
    const state = await deps.sealer.open(consent?.sealedState ?? '', consentContext(key, 'state'));
    expect(consentKey(state.expose())).toBe(key);
  });

  test('creates each secret anew', async () => {
    const { deps, start } = await postroom();
    const secrets: string[] = [];
    for (let time = 0; time < 2; time += 1) {
      const { key, cookie } = await start();
      secrets.push(cookie.expose());
      const consent = (await deps.consents.get(key))?.consent;
      for (const [purpose, sealed] of [
        ['state', consent?.sealedState],
        ['verifier', consent?.sealedVerifier],
        ['nonce', consent?.sealedNonce],
      ] as const)
        secrets.push((await deps.sealer.open(sealed ?? '', consentContext(key, purpose))).expose());
    }
    expect(new Set(secrets).size).toBe(8);
    for (const secret of secrets) expect(secret).toHaveLength(43);
  });

  test('for a deleted provider is for no registration', async () => {
    const { deps, provider, start } = await postroom();
    await deps.providers.remove(provider.id);
    const { key } = await start();
    expect((await deps.consents.get(key))?.consent.registration).toBe('');
  });

  test('while the vault is unavailable is a value, and stores nothing', async () => {
    const { deps, state, tables } = await postroom();
    state.isVaultAway = true;
    expect(await startConsent(deps, sampleWish(), ada)).toEqual({
      kind: 'vault-away',
      code: 'key-vault',
      message: 'Away.',
      connectRequest: sampleWish(),
      startedBy: ada,
    });
    expect(tables.dump('Consents')).toEqual([]);
  });

  test('by an invitation counts as one of its attempts until it expires', async () => {
    const { deps, start } = await postroom();
    await deps.invitations.add(sampleInvitation());
    const { key } = await start(sampleWish(), guest);
    expect((await deps.invitations.get(guest.key))?.invitation.attempts).toEqual([
      { key, expiresAt: isoAt(600_000) },
    ]);
    expect((await deps.consents.get(key))?.consent.startedBy).toEqual(guest);
  });

  test('by an invitation without a free attempt does not call the vault', async () => {
    const { deps, start, state } = await postroom();
    expect(await startConsent(deps, sampleWish(), guest)).toEqual({
      kind: 'invitation-over',
      connectRequest: sampleWish(),
      startedBy: guest,
    });
    await deps.invitations.add(sampleInvitation());
    for (let attempt = 0; attempt < 5; attempt += 1) await start(sampleWish(), guest);
    state.points = [];
    expect(await startConsent(deps, sampleWish(), guest)).toMatchObject({ kind: 'too-many' });
    expect(state.points.filter((point) => point.startsWith('vault.') || point.endsWith('commit'))).toEqual(
      [],
    );
  });
});

describe('the browser that started', () => {
  test('is redirected to the provider with what the callback is verified against', async () => {
    const { deps, provider, asked, start } = await postroom();
    const { key, cookie } = await start();
    const handover = await buildAuthorizationUrl(deps, key, { cookie, initiator: ada });
    expect(handover).toEqual({
      kind: 'address',
      url: 'https://login.example/authorize',
      connectRequest: sampleWish(),
      startedBy: ada,
      providerName: provider.name,
    });
    const [ask] = asked;
    expect(ask).toMatchObject({
      redirectUri: 'https://desk.example/oauth/callback',
      scopes: [
        'https://outlook.office.com/IMAP.AccessAsUser.All',
        'https://outlook.office.com/SMTP.Send',
        'openid',
        'profile',
        'email',
        'offline_access',
      ],
      account: { kind: 'hint', user: 'support@contoso.example' },
    });
    const secrets = [ask?.state, ask?.nonce, ask?.verifier].map((secret) => secret?.expose() ?? '');
    expect(consentKey(secrets[0] ?? '')).toBe(key);
    expect(new Set(secrets).size).toBe(3);
    expect(await buildAuthorizationUrl(deps, key, { cookie, initiator: ada })).toEqual(handover);
  });

  test('is shown the provider’s account picker if it requested that', async () => {
    const { deps, asked, start } = await postroom();
    const { key, cookie } = await start(sampleWish({ chooseAccount: true }));
    await buildAuthorizationUrl(deps, key, { cookie, initiator: ada });
    expect(asked[0]?.account).toEqual({ kind: 'choose' });
  });

  test('is told why the provider cannot be reached', async () => {
    const failure = silence('No answer came.');
    const { deps } = await memoryConsents({
      authorizationAddress: async () => ({ kind: 'failed', failure }),
    });
    const started = await startConsent(deps, sampleWish(), ada);
    if (started.kind !== 'started') throw new Error(started.kind);
    const { key, cookie } = started;
    expect(await buildAuthorizationUrl(deps, key, { cookie, initiator: ada })).toMatchObject({
      kind: 'failed',
      failure,
    });
  });

  test('is told that the vault is unavailable', async () => {
    const { deps, state, start } = await postroom();
    const { key, cookie } = await start();
    state.isVaultAway = true;
    const anew = { ...deps, sealer: createTokenCipher(deps.vault, deps.seam) };
    expect(await buildAuthorizationUrl(anew, key, { cookie, initiator: ada })).toEqual({
      kind: 'vault-away',
      code: 'key-vault',
      message: 'Away.',
      connectRequest: sampleWish(),
      startedBy: ada,
    });
  });

  test.each([
    ['ten minutes later', { after: 600_000 }],
    ['without its cookie', { cookie: undefined }],
    ['with the cookie of another sign-in', { cookie: new Secret('x'.repeat(43)) }],
    ['as another person', { initiator: { kind: 'principal', id: 'eve' } as const }],
    ['as the bearer of an invitation', { initiator: guest }],
  ])('%s is not redirected', async (_what, change) => {
    const { deps, asked, start, state } = await postroom();
    const { key, cookie } = await start();
    state.now = NOW + ('after' in change ? change.after : 599_999);
    const browser = { cookie, initiator: ada, ...change };
    expect(await buildAuthorizationUrl(deps, key, browser)).toEqual({ kind: 'over' });
    expect(asked).toEqual([]);
  });

  test('is still redirected just before its ten minutes are over', async () => {
    const { deps, start, state } = await postroom();
    const { key, cookie } = await start();
    state.now = NOW + 599_999;
    expect(await buildAuthorizationUrl(deps, key, { cookie, initiator: ada })).toMatchObject({
      kind: 'address',
    });
  });

  test('is not redirected for a used or unknown sign-in, or if its provider has changed or was deleted', async () => {
    const { deps, provider, asked, start } = await postroom();
    const [used, changed] = [await start(), await start()];
    const stored = await deps.consents.get(used.key);
    if (stored !== undefined) await deps.consents.use(stored, isoAt(1));
    expect(await buildAuthorizationUrl(deps, used.key, { cookie: used.cookie, initiator: ada })).toEqual({
      kind: 'over',
    });
    expect(await buildAuthorizationUrl(deps, keyOf('a'), { cookie: used.cookie, initiator: ada })).toEqual({
      kind: 'over',
    });
    const browser = { cookie: changed.cookie, initiator: ada };
    await deps.providers.save({ ...provider, clientId: 'another app' });
    expect(await buildAuthorizationUrl(deps, changed.key, browser)).toEqual({ kind: 'over' });
    await deps.providers.remove(provider.id);
    expect(await buildAuthorizationUrl(deps, changed.key, browser)).toEqual({ kind: 'over' });
    expect(asked).toEqual([]);
  });
});
