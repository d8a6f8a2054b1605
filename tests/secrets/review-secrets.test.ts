import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Secret } from '../../shared/platform/secret.ts';
import { secretName } from '../../shared/providers/credential.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import {
  checkSecrets,
  recheckSecrets,
  reviewSecret,
  reviewSecrets,
} from '../../shared/secrets/review-secrets.ts';
import { CANARY, daily, PROVIDER, postroomWithSecret, SecretPostroom } from './secret-postroom.ts';

beforeAll(() => {
  // Each alert is a line of the log, hundreds of them.
  vi.spyOn(console, 'log').mockImplementation(() => {});
});

describe('a review', () => {
  test('never reads a value', async () => {
    const postroom = await postroomWithSecret();
    const get = vi.spyOn(postroom.vault, 'get');
    await reviewSecrets(postroom.process());
    expect(JSON.stringify(await checkSecrets(postroom.process()))).not.toContain(CANARY);
    expect(get).not.toHaveBeenCalled();
  });

  test('reports the problem of each secret, and continues with the others', async () => {
    const postroom = new SecretPostroom();
    const healthy = 'b'.repeat(26);
    const disabled = await postroom.provider('2028-01-01T00:00:00.000Z', 'c'.repeat(26), 'Switched off');
    const deleted = await postroom.provider('2028-01-01T00:00:00.000Z', 'd'.repeat(26), 'Deleted');
    await postroom.provider('2028-01-01T00:00:00.000Z', healthy, 'Healthy');
    if (disabled.credential?.kind !== 'secret' || deleted.credential?.kind !== 'secret')
      throw new TypeError();
    await postroom.vault.disable(disabled.credential.vaultName, disabled.credential.version);
    await postroom.vault.remove(deleted.credential.vaultName);
    const dateless = await postroom.provider('2028-01-01T00:00:00.000Z', 'e'.repeat(26), 'Dateless');
    const version = postroom.vault.versions.get(`provider-${dateless.id}`)?.at(-1);
    if (version !== undefined) version.expiresOn = undefined;
    await daily(postroom);
    await daily(postroom);
    const said = postroom.told.map(({ finding }) => [finding.kind, finding.headline, finding.cause]);
    expect(said.sort()).toEqual([
      [
        'secret-due',
        'The client secret of Dateless has no expiry date.',
        'Its entry in Key Vault has no expiry date, so there would be no reminder.',
      ],
      [
        'secret-refused',
        'The client secret of Deleted is not in Key Vault.',
        'It was deleted there, and can be recovered until 2027-02-22.',
      ],
      [
        'secret-refused',
        'The client secret of Switched off is disabled in Key Vault.',
        'It was disabled there, so Postroom cannot read it.',
      ],
    ]);
  });

  test('reviews the current secret until the new one has worked, and mentions the new one', async () => {
    const postroom = await postroomWithSecret();
    const providers = createProviderStore(postroom.tables);
    const before = await providers.get(PROVIDER);
    const later = await postroom.provider('2028-11-01T23:59:59.000Z');
    if (before === undefined) throw new TypeError();
    await providers.save({ ...before, nextCredential: later.credential });
    postroom.days(60);
    await daily(postroom);
    expect(postroom.told.at(-1)?.finding.cause).toContain(
      'A new one was entered on 2026-11-24 and has not been used yet.',
    );
  });

  test('ignores drafts, managed identities and foreign entries', async () => {
    const postroom = new SecretPostroom();
    const provider = await postroom.provider('2026-12-01T00:00:00.000Z');
    const providers = createProviderStore(postroom.tables);
    await providers.save({ ...provider, credential: { kind: 'federated', setAt: provider.createdAt } });
    const foreign = { contentType: 'text/plain', expiresOn: '2026-12-01T00:00:00.000Z' };
    await postroom.vault.set('certificate-of-another-app', new Secret(CANARY), foreign);
    await daily(postroom);
    expect(postroom.told).toEqual([]);
  });

  test('reviews certificates like client secrets', async () => {
    const postroom = new SecretPostroom();
    const provider = await postroom.provider('2026-12-20T00:00:00.000Z');
    if (provider.credential?.kind !== 'secret') throw new TypeError();
    const expiresOn = provider.credential.expiresOn ?? '';
    const credential = {
      ...provider.credential,
      expiresOn,
      kind: 'certificate' as const,
      certificate: 'AAAA',
    };
    await createProviderStore(postroom.tables).save({ ...provider, credential });
    await daily(postroom);
    expect(postroom.told.map(({ finding }) => [finding.headline, finding.fix.label])).toEqual([
      ['The certificate of Contoso expires in 25 days.', 'Replace the certificate'],
    ]);
  });

  test('has no alert for a secret that does not expire, such as Google’s, but one for a missing date', async () => {
    const postroom = new SecretPostroom();
    const provider = await postroom.provider('2028-01-01T00:00:00.000Z');
    if (provider.credential?.kind !== 'secret') throw new TypeError();
    const { vaultName } = provider.credential;
    const value = new Secret(CANARY);
    const { version } = await postroom.vault.set(vaultName, value, { contentType: 'text/plain' });
    const dated = { ...provider.credential, version };
    const save = createProviderStore(postroom.tables).save;
    await save({ ...provider, preset: 'google', credential: { ...dated, expiresOn: undefined } });
    await daily(postroom);
    expect(postroom.told).toEqual([]);
    await save({ ...provider, credential: dated });
    await daily(postroom);
    expect(postroom.told.map(({ finding }) => finding.headline)).toEqual([
      'The client secret of Contoso has no expiry date.',
    ]);
  });

  test('reviews the key of the webhook if it has an expiry date', async () => {
    const postroom = new SecretPostroom();
    const dated = { contentType: 'text/plain', expiresOn: '2026-12-01T00:00:00.000Z' };
    await postroom.vault.set('alert-webhook-key', new Secret(CANARY), dated);
    await daily(postroom);
    expect(postroom.told.map(({ finding }) => [finding.headline, finding.severity])).toEqual([
      ['The webhook key of this installation expires in 6 days.', 'warning'],
    ]);
  });
});

test('a second review of one secret does not affect the alert of another one that was opened meanwhile', async () => {
  const postroom = new SecretPostroom();
  await postroom.provider('2026-12-01T00:00:00.000Z');
  await daily(postroom);
  await postroom.provider('2026-12-02T00:00:00.000Z', 'b'.repeat(26), 'Fabrikam');
  // The look has asked which alerts are open, and waits for the vault.
  const vaultAnswers = Promise.withResolvers<void>();
  const first = postroom.process();
  const list = async () => {
    await vaultAnswers.promise;
    return postroom.vault.list();
  };
  const slow = {
    list,
    versionsOf: (name: string) => postroom.vault.versionsOf(name),
    listDeleted: () => postroom.vault.listDeleted(),
  };
  const look = recheckSecrets({ ...first, vault: slow });
  await daily(postroom);
  vaultAnswers.resolve();
  await look;
  await daily(postroom);
  expect(postroom.told.map(({ what, finding }) => `${what} ${finding.subject.name}`)).toEqual([
    'opened Contoso',
    'opened Fabrikam',
  ]);
});

describe('a replacement that has not been used yet', () => {
  /** A second version in the provider's entry, of this end. */
  async function postroomWithNext(expiresOn: string): Promise<SecretPostroom> {
    const postroom = new SecretPostroom();
    const provider = await postroom.provider('2028-01-01T00:00:00.000Z');
    await postroom.mailbox('support');
    const vaultName = secretName(PROVIDER);
    const kept = { contentType: 'text/plain', expiresOn };
    const { version } = await postroom.vault.set(vaultName, new Secret(CANARY), kept);
    const setAt = new Date(postroom.now).toISOString();
    const nextCredential = { kind: 'secret', vaultName, version, setAt, expiresOn } as const;
    await createProviderStore(postroom.tables).save({ ...provider, nextCredential });
    return postroom;
  }

  test('is reviewed for its own expiry, as a warning beside a valid current one', async () => {
    const postroom = await postroomWithNext('2026-12-01T00:00:00.000Z');
    await daily(postroom);
    expect(postroom.told.map(({ finding }) => finding)).toMatchObject([
      {
        headline: 'The new client secret of Contoso expires in 6 days.',
        severity: 'warning',
        affected:
          'Mail is flowing with the current one. The new one has not been used yet and cannot take over.',
        fix: { href: `/providers/${PROVIDER}/edit` },
      },
    ]);
  });

  test('is resolved within a minute once it was promoted or discarded', async () => {
    const postroom = await postroomWithNext('2026-12-01T00:00:00.000Z');
    await daily(postroom);
    await createProviderStore(postroom.tables).change(PROVIDER, (provider) => ({
      ...provider,
      nextCredential: undefined,
    }));
    await recheckSecrets(postroom.process());
    await postroom.process().deliver();
    expect(postroom.told.map(({ what }) => what)).toEqual(['opened', 'closed']);
  });

  test('that was deleted with its whole entry causes no second alert', async () => {
    const postroom = await postroomWithNext('2028-06-01T00:00:00.000Z');
    await postroom.vault.remove(secretName(PROVIDER));
    await daily(postroom);
    expect(postroom.told.map(({ finding }) => finding.headline)).toEqual([
      'The client secret of Contoso is not in Key Vault.',
    ]);
  });

  test('causes no alert while it is valid', async () => {
    const postroom = await postroomWithNext('2028-06-01T00:00:00.000Z');
    await daily(postroom);
    expect(postroom.told).toEqual([]);
    expect((await checkSecrets(postroom.process())).map(({ what }) => what)).toEqual([
      'client secret',
      'new client secret',
    ]);
  });
});

describe('a review of one secret', () => {
  test('run ten times alerts once, does not report the others, and closes none of their alerts', async () => {
    const postroom = await postroomWithSecret();
    const other = 'b'.repeat(26);
    await postroom.provider('2026-12-20T00:00:00.000Z', other, 'Fabrikam');
    postroom.days(10);
    const process = postroom.process();
    for (let time = 0; time < 10; time += 1)
      expect(await reviewSecret(process, `PROVIDER-${other}`)).toBe(true);
    await process.deliver();
    expect(postroom.told.map(({ finding }) => finding.subject.name)).toEqual(['Fabrikam']);
    expect(await reviewSecret(process, `provider-${PROVIDER}`)).toBe(true);
    await daily(postroom);
    expect(postroom.told.map(({ what, finding }) => [what, finding.subject.name])).toEqual([
      ['opened', 'Fabrikam'],
      ['opened', 'Contoso'],
    ]);
  });

  test('with a foreign name does nothing', async () => {
    const postroom = await postroomWithSecret();
    expect(await reviewSecret(postroom.process(), 'somebody-elses')).toBe(false);
    expect(postroom.tables.dump('Alerts')).toEqual([]);
  });
});
