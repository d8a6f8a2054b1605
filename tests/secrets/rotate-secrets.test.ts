/** Rotation of a client secret: Microsoft Graph, the identity provider and the managed identity as emulators. */
import { describe, expect, test } from 'vitest';
import { createAuditStore } from '../../shared/audit/audit-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { ProviderStore } from '../../shared/providers/provider-store.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import { lookAtSecrets } from '../../shared/secrets/review-secrets.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { DAY_MS, NOW, useRotationEmulators, versionOf, type Wish, world } from './rotation-world.ts';

useRotationEmulators();

describe('a secret that an admin lets Postroom rotate', () => {
  test('is replaced without a moment in which neither works, and what was made before is removed', async () => {
    const desk = await world();
    const typed = versionOf(await desk.current());
    expect(await desk.use()).toBe(typed);
    await rotateSecrets(desk.deps);
    const between = await desk.current();
    expect(between.credential).toMatchObject({ version: typed });
    expect(between.nextCredential).toMatchObject({ kind: 'secret' });
    expect(desk.registered()).toEqual(['typed by a person', `Postroom ${desk.provider.id}`]);
    // Until the new one has worked, nothing more happens.
    await rotateSecrets(desk.deps);
    expect(desk.registered()).toHaveLength(2);
    const made = await desk.use();
    expect(made).not.toBe(typed);
    expect(versionOf(await desk.current())).toBe(made);
    expect([...desk.vault.disabled]).toEqual([`provider-${desk.provider.id}/${typed}`]);
    // Half a year on, the one that Postroom made is due itself.
    const later = { ...desk.deps, seam: { now: () => NOW + 160 * DAY_MS } };
    await rotateSecrets(desk.deps);
    expect((await desk.rotations.get(desk.provider.id))?.leftover).toBe(false);
    await rotateSecrets(later);
    const second = await desk.use();
    expect([typed, made]).not.toContain(second);
    await rotateSecrets(later);
    expect(desk.registered()).toEqual(['typed by a person', `Postroom ${desk.provider.id}`]);
    const [, kept] = desk.graph.directory.applications[0]?.passwordCredentials ?? [];
    const inVault = (await desk.vault.versionsOf(`provider-${desk.provider.id}`)).find(
      ({ version }) => version === second,
    );
    expect(inVault?.tags).toEqual({ provider: desk.provider.id, key: kept?.keyId });
    expect(await desk.use()).toBe(second);
    // Nobody pressed a button: the audit says by whom all the same, and never a secret.
    const audited = [];
    for await (const entry of createAuditStore(desk.tables).all({})) audited.unshift(entry);
    expect(audited.map(({ action }) => action).sort()).toEqual([
      'new credential in use',
      'new credential in use',
      'new secret made',
      'new secret made',
      'old secret removed at the app registration',
    ]);
    expect(new Set(audited.map(({ principal }) => principal.name))).toEqual(new Set(['Postroom, by itself']));
    const changes = audited.find(({ action }) => action === 'new secret made')?.changes;
    expect(changes).toMatchObject([
      { name: 'new credential', after: expect.stringMatching(/^client secret until /) },
    ]);
  });

  test('is left alone while there is time, and where nobody switched it on', async () => {
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
  ])('stays as it is when %s; the warning says why', async (_case, wish, words) => {
    const desk = await world(wish);
    const typed = versionOf(await desk.current());
    await rotateSecrets(desk.deps);
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toContain(words);
    expect(await desk.current()).toMatchObject({ nextCredential: undefined, credential: { version: typed } });
    expect(desk.registered()).toEqual(['typed by a person']);
    const mailboxes = createMailboxStore(new MemoryTables(openSeam));
    const [seen] = await lookAtSecrets({ ...desk.deps, mailboxes });
    expect(seen?.state).toMatchObject({ kind: 'due', stage: 30 });
    expect(seen?.rotationProblem).toContain(words);
    expect(await desk.use()).toBe(typed);
  });

  test.each([
    [429, 'takes no more requests'],
    [404, 'no app registration with this client ID'],
    [503, 'Microsoft Graph refused.'],
  ])('stays as it is when Graph answers %i, and the next day it is tried again', async (status, words) => {
    const desk = await world();
    desk.graph.faults.push({ match: { path: 'addPassword' }, status });
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toContain(words);
    expect((await desk.current()).nextCredential).toBeUndefined();
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toBeUndefined();
    expect((await desk.current()).nextCredential).toBeDefined();
  });

  test('stays as it is when there is no answer and when there is no identity', async () => {
    const desk = await world();
    desk.graph.faults.push({ match: { path: 'applications' }, destroy: true });
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toContain('Microsoft Graph does not answer.');
    desk.identity.fail(500);
    const graph = createGraphApplications({
      seam: openSeam,
      local: true,
      identityAssertion: () => Promise.reject(new Error('no endpoint')),
      origin: desk.graph.url,
    });
    await rotateSecrets({ ...desk.deps, graph });
    desk.identity.fail(undefined);
    expect(await desk.problem()).toContain('gives no token for Microsoft Graph');
  });

  test('a run that died before it had kept the value: the next one removes what nobody knows and makes another', async () => {
    const desk = await world();
    desk.away.add('vault.set');
    await expect(rotateSecrets(desk.deps)).rejects.toThrow('died here');
    desk.away.clear();
    expect(desk.registered()).toHaveLength(2);
    await rotateSecrets(desk.deps);
    expect(desk.registered()).toHaveLength(2);
    expect(await desk.use()).not.toBe('failed');
    expect((await desk.current()).nextCredential).toBeUndefined();
  });

  test('a run that died before the provider knew of it: the next one takes what was kept', async () => {
    const desk = await world();
    const providers = Object.assign(Object.create(desk.providers) as ProviderStore, desk.providers, {
      change: () => Promise.reject(new PostroomError('table-storage', 'died here')),
    });
    await expect(rotateSecrets({ ...desk.deps, providers })).rejects.toThrow('died here');
    await rotateSecrets(desk.deps);
    expect(desk.registered()).toHaveLength(2);
    expect(await desk.vault.versionsOf(`provider-${desk.provider.id}`)).toHaveLength(2);
    const next = (await desk.current()).nextCredential;
    expect(await desk.use()).toBe(next?.kind === 'secret' ? next.version : 'none');
  });
});
