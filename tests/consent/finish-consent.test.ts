/** The callback: the order of its checks, and the effects of each outcome. */
import { describe, expect, test } from 'vitest';
import type { Redeemed } from '../../shared/accounts/oauth-client.ts';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { silence } from '../../shared/accounts/token-failure.ts';
import { consentKey, type Initiator } from '../../shared/consent/consent.ts';
import {
  type AuthorizationCallback,
  finishConsent,
  verifyInitiator,
} from '../../shared/consent/finish-consent.ts';
import { buildAuthorizationUrl, startConsent } from '../../shared/consent/start-consent.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { ClientSecret } from '../../shared/providers/credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { memoryConsents } from './memory-consents.ts';
import { isoAt, keyOf, NOW, sampleInvitation, sampleWish } from './sample-attempt.ts';

const SUPPORT = 'support@contoso.example';
const ada: Initiator = { kind: 'principal', id: 'ada' };
const guest = { kind: 'invitation', key: keyOf('d') } as const;
const credential: ClientSecret = {
  kind: 'secret',
  vaultName: 'client-secret',
  version: 'v1',
  setAt: isoAt(0),
  expiresOn: undefined,
};
const redeemed: Redeemed = {
  kind: 'redeemed',
  grant: {
    accessToken: new Secret('a'),
    refreshToken: new Secret('r'),
    expiresInSeconds: 3600,
    scopes: undefined,
  },
  identity: {
    issuer: 'https://login.example',
    subject: 's',
    tenantId: 't',
    objectId: 'o',
    user: SUPPORT,
    name: undefined,
  },
  credential,
};
const PRESET = { preset: 'microsoft', tenant: 'contoso.example', credential } as const;

/** A browser that was redirected to the provider and returns from there. */
async function away(
  options: { answer?: Redeemed; startedBy?: Initiator; provider?: Partial<Provider> } = {},
) {
  const { answer = redeemed, startedBy = ada, provider = PRESET } = options;
  const calls: Parameters<typeof world.deps.oauth.redeem>[1][] = [];
  let sent: { state: string; nonce: string; verifier: string } | undefined;
  const world = await memoryConsents(
    {
      authorizationAddress: async (_provider, { state, nonce, verifier }) => {
        sent = { state: state.expose(), nonce: nonce.expose(), verifier: verifier.expose() };
        return { kind: 'address', url: 'https://login.example' };
      },
      redeem: async (_provider, callback) => {
        calls.push(callback);
        return answer;
      },
    },
    provider,
  );
  const { deps } = world;
  if (startedBy.kind === 'invitation') await deps.invitations.add(sampleInvitation());
  const started = await startConsent(deps, sampleWish(), startedBy);
  if (started.kind !== 'started') throw new Error(started.kind);
  const { key, cookie } = started;
  await buildAuthorizationUrl(deps, key, { cookie, initiator: startedBy });
  if (sent === undefined) throw new Error('not sent');
  const back: AuthorizationCallback = {
    path: world.provider.preset === 'custom' ? `/oauth/callback/${world.provider.id}` : '/oauth/callback',
    parameters: new URLSearchParams({ code: 'c', state: sent.state }),
    cookieOf: (of) => (of === key ? cookie : undefined),
    principal: { id: 'ada', isAdmin: true },
    holdsInvitation: (of) => of === guest.key,
  };
  return {
    ...world,
    sent,
    calls,
    key,
    back,
    attempt: { connectRequest: sampleWish(), startedBy },
    come: (change: Partial<AuthorizationCallback> = {}) => finishConsent(deps, { ...back, ...change }),
    usedAt: async () => (await deps.consents.get(key))?.consent.usedAt,
  };
}

describe('a returning browser', () => {
  test('is verified against the started attempt, and the account is stored', async () => {
    const { deps, calls, sent, back, come, usedAt, attempt, provider } = await away();
    expect(await come()).toMatchObject({ kind: 'connected', ...attempt, account: { user: SUPPORT } });
    expect(await deps.accounts.listOf(provider.id)).toHaveLength(1);
    expect(await usedAt()).toBe(isoAt(0));
    const [call] = calls;
    expect(call).toMatchObject({
      parameters: back.parameters,
      redirectUri: 'https://desk.example/oauth/callback',
      scopes: expect.arrayContaining(['https://outlook.office.com/SMTP.Send', 'openid']),
    });
    expect(call?.scopes).not.toContain('https://outlook.office.com/POP.AccessAsUser.All');
    expect(call?.verifier.expose()).toBe(sent.verifier);
    expect(call?.nonce.expose()).toBe(sent.nonce);
  });

  test('is told at the second callback that the first was accepted, and the provider is called once', async () => {
    const { come, calls, attempt } = await away();
    const kinds = (await Promise.all([come(), come()])).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['connected', 'used']);
    expect(await come()).toEqual({ kind: 'used', ...attempt });
    expect(calls).toHaveLength(1);
  });

  test('without a state, or with an unknown one, changes nothing', async () => {
    const { come, usedAt, tables } = await away();
    const rows = tables.dump('Consents');
    for (const parameters of [
      new URLSearchParams(),
      new URLSearchParams({ state: '' }),
      new URLSearchParams({ state: 'x'.repeat(43), code: 'c' }),
    ])
      expect(await come({ parameters })).toEqual({ kind: 'unknown' });
    expect(await usedAt()).toBeUndefined();
    expect(tables.dump('Consents')).toEqual(rows);
  });

  test('without a state causes no table read', async () => {
    const { come, state } = await away();
    state.points = [];
    await come({ parameters: new URLSearchParams() });
    expect(state.points).toEqual([]);
  });

  test.each([
    ['has no cookie of it', undefined],
    ['has another cookie', new Secret('x'.repeat(43))],
  ])('and %s neither uses it up nor learns anything about it', async (_what, cookie) => {
    const { come, usedAt, calls } = await away();
    expect(await come({ cookieOf: () => cookie })).toEqual({ kind: 'other-browser' });
    expect(await usedAt()).toBeUndefined();
    await come();
    expect(await come({ cookieOf: () => cookie })).toEqual({ kind: 'used-elsewhere' });
    expect(calls).toHaveLength(1);
  });

  test('needs the cookie of its own state', async () => {
    const { come, sent } = await away();
    const keys: string[] = [];
    await come({
      cookieOf: (key) => {
        keys.push(key);
        return undefined;
      },
    });
    expect(keys).toEqual([consentKey(sent.state)]);
  });

  test('of another user neither uses it up nor learns anything about it', async () => {
    const { come, usedAt, attempt } = await away();
    expect(await come({ principal: { id: 'eve', isAdmin: true } })).toEqual({ kind: 'other-person' });
    expect(await come({ principal: { id: 'ada', isAdmin: false } })).toEqual({ kind: 'role-lost' });
    // The cookie proves that it is the same browser: it may continue after a new sign-in.
    expect(await come({ principal: undefined })).toEqual({ kind: 'signed-out', ...attempt });
    expect(await usedAt()).toBeUndefined();
  });

  test('is too late after its ten minutes, and not a moment earlier', async () => {
    const late = await away();
    late.state.now = NOW + 600_000;
    expect(await late.come()).toEqual({ kind: 'expired', ...late.attempt });
    expect(await late.usedAt()).toBeUndefined();
    const early = await away();
    early.state.now = NOW + 599_999;
    expect(await early.come()).toMatchObject({ kind: 'connected' });
  });

  test('may return again if the vault is unavailable', async () => {
    const { deps, back, state, usedAt, attempt, come } = await away();
    state.isVaultAway = true;
    const anew = { ...deps, sealer: createTokenCipher(deps.vault, deps.seam) };
    expect(await finishConsent(anew, back)).toEqual({
      kind: 'vault-away',
      code: 'key-vault',
      message: 'Away.',
      ...attempt,
    });
    expect(await usedAt()).toBeUndefined();
    state.isVaultAway = false;
    expect(await come()).toMatchObject({ kind: 'connected' });
  });

  test('is not accepted while tokens could not be encrypted, although the attempt’s secrets can be decrypted', async () => {
    const { deps, back, attempt, usedAt } = await away();
    const failing = {
      ...deps,
      sealer: {
        ...deps.sealer,
        ready: () => Promise.reject(new PostroomError('key-vault', 'Away.')),
      },
    };
    expect(await finishConsent(failing, back)).toMatchObject({ kind: 'vault-away', ...attempt });
    expect(await usedAt()).toBeUndefined();
  });
});

describe('an invitation', () => {
  test('connects the holder of its token', async () => {
    const { come, deps } = await away({ startedBy: guest });
    expect(await come({ principal: undefined })).toMatchObject({ kind: 'connected', startedBy: guest });
    expect((await deps.invitations.get(guest.key))?.invitation.done?.user).toBe(SUPPORT);
  });

  test('is useless in a browser without its token', async () => {
    const { come, usedAt } = await away({ startedBy: guest });
    expect(await come({ holdsInvitation: () => false })).toEqual({ kind: 'other-browser' });
    expect(await usedAt()).toBeUndefined();
  });

  test('that was revoked or has expired meanwhile connects no mailbox, and the provider is not called', async () => {
    const revoked = await away({ startedBy: guest });
    await revoked.deps.invitations.change(guest.key, (one) => ({ ...one, revokedAt: isoAt(0) }));
    expect(await revoked.come()).toEqual({ kind: 'invitation-over', ...revoked.attempt });
    const ended = await away({ startedBy: guest });
    await ended.deps.invitations.purge(NOW + 90 * 86_400_000);
    expect(await ended.come()).toEqual({ kind: 'invitation-over', ...ended.attempt });
    expect([...revoked.calls, ...ended.calls]).toEqual([]);
  });
});

describe('the provider', () => {
  test('is not called if it was deleted meanwhile', async () => {
    const { come, deps, provider, calls } = await away();
    await deps.providers.remove(provider.id);
    expect(await come()).toEqual({ kind: 'provider-missing' });
    expect(calls).toEqual([]);
  });

  test('receives neither code nor verifier if it became another registration meanwhile', async () => {
    const { come, deps, provider, calls, attempt } = await away();
    await deps.providers.save({ ...provider, clientId: 'another app', name: 'New name' });
    expect(await come()).toEqual({ kind: 'provider-changed', ...attempt, providerName: 'New name' });
    expect(calls).toEqual([]);
  });

  test('receives no code that came to the redirect URI of another one', async () => {
    const custom = {
      preset: 'custom',
      tenant: undefined,
      endpoints: { kind: 'manual', authorization: 'https://id.example/a', token: 'https://id.example/t' },
    } as const;
    for (const [provider, path] of [
      [PRESET, '/oauth/callback/x'],
      [custom, '/oauth/callback'],
      [custom, '/oauth/callback/x'],
    ] as const) {
      const { come, calls, attempt } = await away({ provider });
      expect(await come({ path })).toMatchObject({ kind: 'untrusted', ...attempt });
      expect(calls).toEqual([]);
    }
  });

  test('has a proven redirect URI once a browser has returned, with the time', async () => {
    const { come, deps, provider } = await away({ answer: { kind: 'unproven', reason: 'missing' } });
    await come();
    expect((await deps.providers.get(provider.id))?.redirectSeenAt).toBe(isoAt(0));
    const seen = await away({ provider: { ...PRESET, redirectSeenAt: isoAt(-5) } });
    seen.state.points = [];
    await seen.come();
    expect((await seen.deps.providers.get(provider.id))?.redirectSeenAt).toBe(isoAt(-5));
    expect(seen.state.points).not.toContain('table.Providers.commit');
  });

  const declined = {
    kind: 'declined',
    error: 'server_error',
    subcode: undefined,
    codes: [90094],
    sentence: 'Ask your admin.',
  } as const;

  test.each([
    [declined, false],
    [{ ...declined, error: 'access_denied' }, true],
    [{ ...declined, subcode: 'cancel' }, true],
    [{ ...declined, subcode: 'other' }, false],
  ])('that declines with %j is distinguished from a person who cancels: %s', async (answer, cancelled) => {
    const { come, attempt } = await away({ answer });
    expect(await come()).toEqual({ ...answer, ...attempt, cancelled });
  });

  test('that fails, or whose response is not trusted, is a value with its attempt', async () => {
    const failed = await away({ answer: { kind: 'failed', failure: silence('No answer.') } });
    expect(await failed.come()).toEqual({
      kind: 'failed',
      failure: silence('No answer.'),
      ...failed.attempt,
      providerName: failed.provider.name,
    });
    const untrusted = await away({ answer: { kind: 'untrusted', reason: 'why' } });
    expect(await untrusted.come()).toEqual({ kind: 'untrusted', reason: 'why', ...untrusted.attempt });
    const unproven = await away({ answer: { kind: 'unproven', reason: 'missing' } });
    expect(await unproven.come()).toEqual({
      kind: 'secret-missing',
      ...unproven.attempt,
      providerName: unproven.provider.name,
    });
    for (const { usedAt } of [failed, untrusted, unproven]) expect(await usedAt()).toBe(isoAt(0));
  });

  test('whose secret cannot be read is a value, and the sign-in is over', async () => {
    const { deps, back, attempt, usedAt } = await away();
    const oauth = {
      ...deps.oauth,
      redeem: () => Promise.reject(new PostroomError('key-vault-denied', 'No.')),
    };
    expect(await finishConsent({ ...deps, oauth }, back)).toEqual({
      kind: 'vault-away',
      code: 'key-vault-denied',
      message: 'No.',
      ...attempt,
    });
    expect(await usedAt()).toBe(isoAt(0));
  });

  test('that accepted the next secret has it as the current one', async () => {
    const next = { ...credential, version: 'v2' };
    const { come, deps, provider } = await away({
      answer: { ...redeemed, credential: next },
      provider: { ...PRESET, nextCredential: next },
    });
    expect(await come()).toMatchObject({ kind: 'connected' });
    expect(await deps.providers.get(provider.id)).toMatchObject({
      credential: next,
      nextCredential: undefined,
    });
  });

  test('that signed in another user is a refusal, with the attempt', async () => {
    if (redeemed.kind !== 'redeemed' || redeemed.identity === undefined) throw new Error();
    const identity = { ...redeemed.identity, user: 'eve@contoso.example' };
    const { come, attempt } = await away({ answer: { ...redeemed, identity } });
    expect(await come()).toMatchObject({
      kind: 'other-account',
      signedIn: 'eve@contoso.example',
      ...attempt,
    });
  });
});

test('an attempt belongs to the person who started it, or to the holder of the invitation', () => {
  const browser = (principal: AuthorizationCallback['principal'], holds = false) => ({
    principal,
    holdsInvitation: (key: string) => holds && key === guest.key,
  });
  expect(verifyInitiator(ada, browser({ id: 'ada', isAdmin: true }))).toBeUndefined();
  expect(verifyInitiator(ada, browser({ id: 'ada', isAdmin: false }))).toBe('role-lost');
  expect(verifyInitiator(ada, browser({ id: 'eve', isAdmin: true }, true))).toBe('other-person');
  expect(verifyInitiator(ada, browser(undefined, true))).toBe('signed-out');
  expect(verifyInitiator(guest, browser(undefined, true))).toBeUndefined();
  expect(verifyInitiator(guest, browser({ id: 'ada', isAdmin: true }))).toBe('other-browser');
});
