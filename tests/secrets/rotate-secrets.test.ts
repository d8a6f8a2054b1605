/** Rotation of a client secret: Microsoft Graph, the identity provider and the managed identity as emulators. */
import { describe, expect, test } from 'vitest';
import { createAuditStore } from '../../shared/audit/audit-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { ProviderStore } from '../../shared/providers/provider-store.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import { checkSecrets } from '../../shared/secrets/review-secrets.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { DAY_MS, NOW, useRotationEmulators, versionOf, type Wish, world } from './rotation-world.ts';

useRotationEmulators();

describe('a secret with automatic rotation', () => {
  test('is replaced without a moment in which neither works, and earlier ones are removed', async () => {
    const postroom = await world();
    const typed = versionOf(await postroom.current());
    expect(await postroom.use()).toBe(typed);
    await rotateSecrets(postroom.deps);
    const between = await postroom.current();
    expect(between.credential).toMatchObject({ version: typed });
    expect(between.nextCredential).toMatchObject({ kind: 'secret' });
    expect(postroom.registered()).toEqual(['typed by a person', `Postroom ${postroom.provider.id}`]);
    // Until the new one has worked, nothing more happens.
    await rotateSecrets(postroom.deps);
    expect(postroom.registered()).toHaveLength(2);
    const made = await postroom.use();
    expect(made).not.toBe(typed);
    expect(versionOf(await postroom.current())).toBe(made);
    expect([...postroom.vault.disabled]).toEqual([`provider-${postroom.provider.id}/${typed}`]);
    // Half a year on, the one that Postroom made is due itself.
    const later = { ...postroom.deps, seam: { now: () => NOW + 160 * DAY_MS } };
    await rotateSecrets(postroom.deps);
    expect((await postroom.rotations.get(postroom.provider.id))?.leftover).toBe(false);
    await rotateSecrets(later);
    const second = await postroom.use();
    expect([typed, made]).not.toContain(second);
    await rotateSecrets(later);
    expect(postroom.registered()).toEqual(['typed by a person', `Postroom ${postroom.provider.id}`]);
    const [, kept] = postroom.graph.directory.applications[0]?.passwordCredentials ?? [];
    const inVault = (await postroom.vault.versionsOf(`provider-${postroom.provider.id}`)).find(
      ({ version }) => version === second,
    );
    expect(inVault?.tags).toEqual({ provider: postroom.provider.id, key: kept?.keyId });
    expect(await postroom.use()).toBe(second);
    // Nobody pressed a button: the audit says by whom all the same, and never a secret.
    const audited = [];
    for await (const entry of createAuditStore(postroom.tables).all({})) audited.unshift(entry);
    expect(audited.map(({ action }) => action).sort()).toEqual([
      'new credential in use',
      'new credential in use',
      'new secret made',
      'new secret made',
      'old secret removed at the app registration',
    ]);
    expect(new Set(audited.map(({ principal }) => principal.name))).toEqual(
      new Set(['Postroom (automatic)']),
    );
    const changes = audited.find(({ action }) => action === 'new secret made')?.changes;
    expect(changes).toMatchObject([
      { name: 'new credential', after: expect.stringMatching(/^client secret until /) },
    ]);
  });

  test('is not replaced while there is time, or if rotation is off', async () => {
    const early = await world({ daysLeft: 40 });
    await rotateSecrets(early.deps);
    const off = await world({ enabled: false });
    await rotateSecrets(off.deps);
    expect([early.graph.requests, off.graph.requests]).toEqual([[], []]);
  });

  test.each<[string, Wish, string]>([
    ['the identity has no permission', { permissions: [] }, 'it needs Application.ReadWrite.OwnedBy'],
    ['the identity is no owner', { owns: false }, 'it needs Application.ReadWrite.OwnedBy'],
    ['a policy forbids secrets', { policy: { secrets: 'forbidden' } }, 'A policy of the tenant forbids it.'],
    ['a policy wants shorter ones', { policy: { longestDays: 90 } }, 'A policy of the tenant forbids it.'],
  ])('is not replaced when %s; the warning says why', async (_case, connectRequest, words) => {
    const postroom = await world(connectRequest);
    const typed = versionOf(await postroom.current());
    await rotateSecrets(postroom.deps);
    await rotateSecrets(postroom.deps);
    expect(await postroom.problem()).toContain(words);
    expect(await postroom.current()).toMatchObject({
      nextCredential: undefined,
      credential: { version: typed },
    });
    expect(postroom.registered()).toEqual(['typed by a person']);
    const mailboxes = createMailboxStore(new MemoryTables(openSeam));
    const [seen] = await checkSecrets({ ...postroom.deps, mailboxes });
    expect(seen?.state).toMatchObject({ kind: 'due', stage: 30 });
    expect(seen?.rotationProblem).toContain(words);
    expect(await postroom.use()).toBe(typed);
  });

  test.each([
    [429, 'is throttling requests'],
    [404, 'no app registration with this client ID'],
    [503, 'Microsoft Graph refused.'],
  ])('is not replaced when Graph responds with %i, and is retried the next day', async (status, words) => {
    const postroom = await world();
    postroom.graph.faults.push({ match: { path: 'addPassword' }, status });
    await rotateSecrets(postroom.deps);
    expect(await postroom.problem()).toContain(words);
    expect((await postroom.current()).nextCredential).toBeUndefined();
    await rotateSecrets(postroom.deps);
    expect(await postroom.problem()).toBeUndefined();
    expect((await postroom.current()).nextCredential).toBeDefined();
  });

  test('is not replaced without a response or without an identity', async () => {
    const postroom = await world();
    postroom.graph.faults.push({ match: { path: 'applications' }, destroy: true });
    await rotateSecrets(postroom.deps);
    expect(await postroom.problem()).toContain('Microsoft Graph does not respond.');
    postroom.identity.fail(500);
    const graph = createGraphApplications({
      seam: openSeam,
      local: true,
      identityAssertion: () => Promise.reject(new Error('no endpoint')),
      origin: postroom.graph.url,
    });
    await rotateSecrets({ ...postroom.deps, graph });
    postroom.identity.fail(undefined);
    expect(await postroom.problem()).toContain('returns no token for Microsoft Graph');
  });

  test('after a crash before the value was stored, the next run removes the unknown secret and creates another', async () => {
    const postroom = await world();
    postroom.away.add('vault.set');
    await expect(rotateSecrets(postroom.deps)).rejects.toThrow('died here');
    postroom.away.clear();
    expect(postroom.registered()).toHaveLength(2);
    await rotateSecrets(postroom.deps);
    expect(postroom.registered()).toHaveLength(2);
    expect(await postroom.use()).not.toBe('failed');
    expect((await postroom.current()).nextCredential).toBeUndefined();
  });

  test('after a crash before the provider was changed, the next run uses the stored value', async () => {
    const postroom = await world();
    const providers = Object.assign(Object.create(postroom.providers) as ProviderStore, postroom.providers, {
      change: () => Promise.reject(new PostroomError('table-storage', 'died here')),
    });
    await expect(rotateSecrets({ ...postroom.deps, providers })).rejects.toThrow('died here');
    await rotateSecrets(postroom.deps);
    expect(postroom.registered()).toHaveLength(2);
    expect(await postroom.vault.versionsOf(`provider-${postroom.provider.id}`)).toHaveLength(2);
    const next = (await postroom.current()).nextCredential;
    expect(await postroom.use()).toBe(next?.kind === 'secret' ? next.version : 'none');
  });
});
