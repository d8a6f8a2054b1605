/** What a refresh stores in the row, and which refresh token is the fallback for the newest one. */
import { expect, test } from 'vitest';
import { tokenContext } from '../../shared/accounts/account.ts';
import { encryptTokens } from '../../shared/accounts/encrypt-tokens.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');
const account = sampleAccount();
const provider = sampleProvider();
const sealer = { seal: async (secret: Secret, context: string) => `${secret.expose()} for ${context}` };
const seal = (granted: { access?: string; refresh?: string }) => {
  const secretOf = (text: string | undefined): Secret | undefined =>
    text === undefined ? undefined : new Secret(text);
  const grant = {
    accessToken: secretOf(granted.access),
    refreshToken: secretOf(granted.refresh),
    expiresInSeconds: 3600,
    scopes: undefined,
  };
  return encryptTokens(sealer, account, { provider, resource: 'outlook' }, grant, NOW).then(
    ({ tokens }) => tokens,
  );
};

test('encrypts both tokens, each for its purpose, and keeps the one just used until the new one has worked', async () => {
  expect(await seal({ access: 'a', refresh: 'r' })).toEqual({
    access: `a for ${tokenContext(account, 'access', provider)}`,
    accessExpiresAt: '2026-11-24T13:00:00.000Z',
    receivedAt: '2026-11-24T12:00:00.000Z',
    refreshAt: expect.stringMatching(/^2026-11-24T12:(?:49|50)/),
    refresh: `r for ${tokenContext(account, 'refresh', provider)}`,
    previousRefresh: 'sealed refresh',
  });
});

test('keeps both refresh tokens if the provider returns no new one', async () => {
  expect(await seal({ access: 'a' })).toMatchObject({
    access: `a for ${tokenContext(account, 'access', provider)}`,
    refresh: 'sealed refresh',
    previousRefresh: 'sealed refresh before',
  });
});

test('keeps no earlier access token if the response has none', async () => {
  expect(await seal({ refresh: 'r' })).toMatchObject({
    access: undefined,
    refresh: `r for ${tokenContext(account, 'refresh', provider)}`,
    previousRefresh: 'sealed refresh',
  });
});
