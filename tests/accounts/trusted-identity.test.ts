/** The claims of the managed identity, for the form of an app registration. */
import { describe, expect, test } from 'vitest';
import { trustedIdentityFor } from '../../shared/accounts/trusted-identity.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const provider = sampleProvider({ preset: 'microsoft', cloud: 'worldwide' });
const ask = (identityAssertion: (audience: string) => Promise<Secret>) =>
  trustedIdentityFor({ seam: openSeam, identityAssertion }, provider);
const tokenOf = (payload: string): Secret => new Secret(`h.${Buffer.from(payload).toString('base64url')}.s`);

describe('a managed identity', () => {
  test('shows issuer and subject of its token for the provider’s cloud', async () => {
    const audiences: string[] = [];
    const known = await ask(async (audience) => {
      audiences.push(audience);
      return tokenOf(
        JSON.stringify({ iss: 'https://login.example/t/v2.0', sub: 'object-id', aud: audience }),
      );
    });
    expect(known).toEqual({ kind: 'known', issuer: 'https://login.example/t/v2.0', subject: 'object-id' });
    expect(audiences).toEqual(['api://AzureADTokenExchange']);
  });

  test.each([tokenOf('{}'), tokenOf('no JSON'), new Secret('opaque'), new Secret('')])(
    'whose token lacks the claims shows nothing',
    async (token) => {
      expect(await ask(async () => token)).toEqual({ kind: 'known', issuer: '', subject: '' });
    },
  );

  test('without a token shows nothing, with the reason', async () => {
    const refusal = new PostroomError('no-identity', 'There is no identity endpoint.');
    expect(await ask(() => Promise.reject(refusal))).toEqual({
      kind: 'silent',
      sentence: 'There is no identity endpoint.',
    });
    expect(await ask(() => Promise.reject(new Error('ECONNREFUSED')))).toEqual({
      kind: 'silent',
      sentence: 'The managed identity returned no token: it must be user-assigned to the Functions app.',
    });
  });

  test('does not hide an error of our own', async () => {
    const broken = new Secret('x');
    broken.expose = () => {
      throw new TypeError('a mistake');
    };
    await expect(ask(async () => broken)).rejects.toThrow('a mistake');
  });
});
