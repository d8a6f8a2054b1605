/** The date of a secret as Entra has it. */
import { describe, expect, test } from 'vitest';
import { readEntraDates } from '../../shared/secrets/read-entra-dates.ts';
import { DAY_MS, NOW, useRotationEmulators, world } from './rotation-world.ts';

useRotationEmulators();

describe('the date of a secret', () => {
  test('is read from the directory if the identity may read it, and corrects an entered date', async () => {
    const postroom = await world({ daysLeft: 100 });
    const { credential } = await postroom.current();
    if (credential?.kind !== 'secret') throw new TypeError();
    const entra = credential.expiresOn;
    await postroom.vault.setExpiry(credential.vaultName, credential.version, '2040-01-01T00:00:00.000Z');
    await readEntraDates(postroom.deps);
    const [kept] = await postroom.vault.versionsOf(credential.vaultName);
    expect(kept?.expiresOn).toBe(entra);
    expect(await postroom.current()).toMatchObject({
      credential: { expiresOn: entra },
      changedAt: postroom.provider.changedAt,
    });
  });

  test('stays as entered if the identity may not read it, or several secrets could be ours', async () => {
    const denied = await world({ permissions: [] });
    const several = await world();
    several.graph.directory.applications[0]?.passwordCredentials.push({
      keyId: '72000000-0000-4000-8000-000000000001',
      displayName: 'of another program',
      hint: 'abc',
      startDateTime: new Date(NOW).toISOString(),
      endDateTime: new Date(NOW + DAY_MS).toISOString(),
      secretText: null,
      customKeyIdentifier: null,
    });
    for (const postroom of [denied, several]) {
      const typed = await postroom.current();
      await readEntraDates(postroom.deps);
      expect(await postroom.current()).toEqual(typed);
    }
  });
});
