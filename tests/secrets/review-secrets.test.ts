import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Secret } from '../../shared/platform/secret.ts';
import { secretName } from '../../shared/providers/credential.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import {
  lookAtSecrets,
  recheckSecrets,
  reviewSecret,
  reviewSecrets,
} from '../../shared/secrets/review-secrets.ts';
import { CANARY, daily, deskWithSecret, PROVIDER, SecretDesk } from './secret-desk.ts';

beforeAll(() => {
  // Each notice is a line of the log, hundreds of them.
  vi.spyOn(console, 'log').mockImplementation(() => {});
});

describe('a review', () => {
  test('never asks for a value', async () => {
    const desk = await deskWithSecret();
    const get = vi.spyOn(desk.vault, 'get');
    await reviewSecrets(desk.process());
    expect(JSON.stringify(await lookAtSecrets(desk.process()))).not.toContain(CANARY);
    expect(get).not.toHaveBeenCalled();
  });

  test('says of each secret what is wrong with it, and the others go on', async () => {
    const desk = new SecretDesk();
    const healthy = 'b'.repeat(26);
    const disabled = await desk.provider('2028-01-01T00:00:00.000Z', 'c'.repeat(26), 'Switched off');
    const deleted = await desk.provider('2028-01-01T00:00:00.000Z', 'd'.repeat(26), 'Deleted');
    await desk.provider('2028-01-01T00:00:00.000Z', healthy, 'Healthy');
    if (disabled.credential?.kind !== 'secret' || deleted.credential?.kind !== 'secret')
      throw new TypeError();
    await desk.vault.disable(disabled.credential.vaultName, disabled.credential.version);
    await desk.vault.remove(deleted.credential.vaultName);
    const dateless = await desk.provider('2028-01-01T00:00:00.000Z', 'e'.repeat(26), 'Dateless');
    const version = desk.vault.versions.get(`provider-${dateless.id}`)?.at(-1);
    if (version !== undefined) version.expiresOn = undefined;
    await daily(desk);
    await daily(desk);
    const said = desk.told.map(({ condition }) => [condition.kind, condition.headline, condition.cause]);
    expect(said.sort()).toEqual([
      [
        'secret-due',
        'Nobody knows when the client secret of Dateless expires.',
        'Its entry in Key Vault carries no date, so nobody would be warned.',
      ],
      [
        'secret-refused',
        'The client secret of Deleted is not in Key Vault.',
        'It was deleted there, and can be recovered until 2027-02-22.',
      ],
      [
        'secret-refused',
        'The client secret of Switched off is switched off in Key Vault.',
        'Somebody disabled it there. Postroom cannot read it.',
      ],
    ]);
  });

  test('counts the present secret until the new one has worked, and says that there is a new one', async () => {
    const desk = await deskWithSecret();
    const providers = createProviderStore(desk.tables);
    const before = await providers.get(PROVIDER);
    const later = await desk.provider('2028-11-01T23:59:59.000Z');
    if (before === undefined) throw new TypeError();
    await providers.save({ ...before, nextCredential: later.credential });
    desk.days(60);
    await daily(desk);
    expect(desk.told.at(-1)?.condition.cause).toContain(
      'A new one was entered on 2026-11-24 and has still to be used once.',
    );
  });

  test('leaves drafts, managed identities and what is not ours alone', async () => {
    const desk = new SecretDesk();
    const provider = await desk.provider('2026-12-01T00:00:00.000Z');
    const providers = createProviderStore(desk.tables);
    await providers.save({ ...provider, credential: { kind: 'federated', setAt: provider.createdAt } });
    const foreign = { contentType: 'text/plain', expiresOn: '2026-12-01T00:00:00.000Z' };
    await desk.vault.set('certificate-of-another-app', new Secret(CANARY), foreign);
    await daily(desk);
    expect(desk.told).toEqual([]);
  });

  test('watches certificates as it watches client secrets', async () => {
    const desk = new SecretDesk();
    const provider = await desk.provider('2026-12-20T00:00:00.000Z');
    if (provider.credential?.kind !== 'secret') throw new TypeError();
    const expiresOn = provider.credential.expiresOn ?? '';
    const credential = {
      ...provider.credential,
      expiresOn,
      kind: 'certificate' as const,
      certificate: 'AAAA',
    };
    await createProviderStore(desk.tables).save({ ...provider, credential });
    await daily(desk);
    expect(desk.told.map(({ condition }) => [condition.headline, condition.fix.label])).toEqual([
      ['The certificate of Contoso expires in 25 days.', 'Replace the certificate'],
    ]);
  });

  test('has no alert of a secret that does not expire, as those of Google, and still of a missing date', async () => {
    const desk = new SecretDesk();
    const provider = await desk.provider('2028-01-01T00:00:00.000Z');
    if (provider.credential?.kind !== 'secret') throw new TypeError();
    const { vaultName } = provider.credential;
    const value = new Secret(CANARY);
    const { version } = await desk.vault.set(vaultName, value, { contentType: 'text/plain' });
    const dated = { ...provider.credential, version };
    const save = createProviderStore(desk.tables).save;
    await save({ ...provider, preset: 'google', credential: { ...dated, expiresOn: undefined } });
    await daily(desk);
    expect(desk.told).toEqual([]);
    await save({ ...provider, credential: dated });
    await daily(desk);
    expect(desk.told.map(({ condition }) => condition.headline)).toEqual([
      'Nobody knows when the client secret of Contoso expires.',
    ]);
  });

  test('watches the key of the webhook where it carries a date', async () => {
    const desk = new SecretDesk();
    const dated = { contentType: 'text/plain', expiresOn: '2026-12-01T00:00:00.000Z' };
    await desk.vault.set('alert-webhook-key', new Secret(CANARY), dated);
    await daily(desk);
    expect(desk.told.map(({ condition }) => [condition.headline, condition.severity])).toEqual([
      ['The webhook key of this desk expires in 6 days.', 'warning'],
    ]);
  });
});

test('a second look at one secret leaves the notice of another one alone that was opened meanwhile', async () => {
  const desk = new SecretDesk();
  await desk.provider('2026-12-01T00:00:00.000Z');
  await daily(desk);
  await desk.provider('2026-12-02T00:00:00.000Z', 'b'.repeat(26), 'Fabrikam');
  // The look has asked which notices are open, and waits for the vault.
  const vaultAnswers = Promise.withResolvers<void>();
  const first = desk.process();
  const list = async () => {
    await vaultAnswers.promise;
    return desk.vault.list();
  };
  const slow = {
    list,
    versionsOf: (name: string) => desk.vault.versionsOf(name),
    listDeleted: () => desk.vault.listDeleted(),
  };
  const look = recheckSecrets({ ...first, vault: slow });
  await daily(desk);
  vaultAnswers.resolve();
  await look;
  await daily(desk);
  expect(desk.told.map(({ what, condition }) => `${what} ${condition.subject.name}`)).toEqual([
    'opened Contoso',
    'opened Fabrikam',
  ]);
});

describe('a replacement that has still to be used', () => {
  /** A second version in the provider's entry, of this end. */
  async function deskWithNext(expiresOn: string): Promise<SecretDesk> {
    const desk = new SecretDesk();
    const provider = await desk.provider('2028-01-01T00:00:00.000Z');
    await desk.mailbox('support');
    const vaultName = secretName(PROVIDER);
    const kept = { contentType: 'text/plain', expiresOn };
    const { version } = await desk.vault.set(vaultName, new Secret(CANARY), kept);
    const setAt = new Date(desk.now).toISOString();
    const nextCredential = { kind: 'secret', vaultName, version, setAt, expiresOn } as const;
    await createProviderStore(desk.tables).save({ ...provider, nextCredential });
    return desk;
  }

  test('is watched for its own end, as a warning beside a present one that is good', async () => {
    const desk = await deskWithNext('2026-12-01T00:00:00.000Z');
    await daily(desk);
    expect(desk.told.map(({ condition }) => condition)).toMatchObject([
      {
        headline: 'The new client secret of Contoso expires in 6 days.',
        severity: 'warning',
        affected: 'Mail flows with the present one. The new one has not been used yet and cannot take over.',
        fix: { href: `/providers/${PROVIDER}/edit` },
      },
    ]);
  });

  test('is over within a minute once it took over or was given up', async () => {
    const desk = await deskWithNext('2026-12-01T00:00:00.000Z');
    await daily(desk);
    await createProviderStore(desk.tables).change(PROVIDER, (provider) => ({
      ...provider,
      nextCredential: undefined,
    }));
    await recheckSecrets(desk.process());
    await desk.process().deliver();
    expect(desk.told.map(({ what }) => what)).toEqual(['opened', 'closed']);
  });

  test('that went with its whole entry is no second notice', async () => {
    const desk = await deskWithNext('2028-06-01T00:00:00.000Z');
    await desk.vault.remove(secretName(PROVIDER));
    await daily(desk);
    expect(desk.told.map(({ condition }) => condition.headline)).toEqual([
      'The client secret of Contoso is not in Key Vault.',
    ]);
  });

  test('says nothing while it is good', async () => {
    const desk = await deskWithNext('2028-06-01T00:00:00.000Z');
    await daily(desk);
    expect(desk.told).toEqual([]);
    expect((await lookAtSecrets(desk.process())).map(({ what }) => what)).toEqual([
      'client secret',
      'new client secret',
    ]);
  });
});

describe('a look at one secret', () => {
  test('ten times says it once, says nothing of the others, and closes nothing of theirs', async () => {
    const desk = await deskWithSecret();
    const other = 'b'.repeat(26);
    await desk.provider('2026-12-20T00:00:00.000Z', other, 'Fabrikam');
    desk.days(10);
    const process = desk.process();
    for (let time = 0; time < 10; time += 1)
      expect(await reviewSecret(process, `PROVIDER-${other}`)).toBe(true);
    await process.deliver();
    expect(desk.told.map(({ condition }) => condition.subject.name)).toEqual(['Fabrikam']);
    expect(await reviewSecret(process, `provider-${PROVIDER}`)).toBe(true);
    await daily(desk);
    expect(desk.told.map(({ what, condition }) => [what, condition.subject.name])).toEqual([
      ['opened', 'Fabrikam'],
      ['opened', 'Contoso'],
    ]);
  });

  test('of a name that is none of ours does nothing', async () => {
    const desk = await deskWithSecret();
    expect(await reviewSecret(desk.process(), 'somebody-elses')).toBe(false);
    expect(desk.tables.dump('Notices')).toEqual([]);
  });
});
