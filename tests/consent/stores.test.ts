/** The rows of sign-ins, invitations and approvals: read back complete, written once, and deleted after they expire. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createApprovalStore } from '../../shared/consent/approval-store.ts';
import { createConsentStore } from '../../shared/consent/consent-store.ts';
import type { Invitation } from '../../shared/consent/invitation.ts';
import { createInvitationStore } from '../../shared/consent/invitation-store.ts';
import { purgeConsents } from '../../shared/consent/purge-consents.ts';
import { purgeExpired } from '../../shared/consent/purge-expired.ts';
import { createSetUpApprovalStore } from '../../shared/consent/set-up-approval-store.ts';
import { explainText } from '../../shared/explanations/explain.ts';
import { openSeam, type SeamPoint } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import {
  isoAt,
  keyOf,
  NOW,
  sampleApproval,
  sampleConsent,
  sampleInvitation,
  sampleWish,
} from './sample-attempt.ts';

const DAY_MS = 86_400_000;
const guest = { kind: 'invitation', key: keyOf('d') } as const;

let points: SeamPoint[];
let before: (point: SeamPoint) => Promise<void>;
let tables: MemoryTables;
beforeEach(() => {
  points = [];
  before = async () => {};
  tables = new MemoryTables({
    ...openSeam,
    call: async (point, effect) => {
      points.push(point);
      await before(point);
      return effect();
    },
  });
});

/** Sets columns of a row to values that Postroom never writes there. */
async function spoil(partition: string, rowKey: string, columns: Record<string, number | string>) {
  const table = tables.open('Consents');
  const row = await table.get(partition, rowKey);
  if (row === undefined) throw new Error('no row');
  const next = { ...row, ...columns, partitionKey: partition, rowKey };
  await table.commit(partition, [{ kind: 'put', row: next }]);
}
const badRow = (partition: string, rowKey: string, column: string) => ({
  code: 'bad-row',
  message: `Consents/${partition}/${rowKey}: the column ${column} does not contain what Postroom wrote there`,
});
const noKeys = ['', keyOf('c').slice(1), `${keyOf('c')}c`, keyOf('C'), `../${keyOf('c').slice(3)}`];

describe('a sign-in in progress', () => {
  const store = () => createConsentStore(tables);
  const key = keyOf('c');

  test.each([
    sampleConsent(),
    sampleConsent({ startedBy: guest, usedAt: isoAt(1), result: '{}' }),
    sampleConsent({ connectRequest: sampleWish({ reconnect: { mailboxId: 'm', accountId: 'a' } }) }),
  ])('is read back as it was added', async (consent) => {
    await store().add(consent);
    expect((await store().get(key))?.consent).toEqual(consent);
    expect(await store().get(keyOf('a'))).toBeUndefined();
  });

  test.each(noKeys)('is not looked up under %j, which is no key', async (text) => {
    expect(await store().get(text)).toBeUndefined();
    expect(points).toEqual([]);
  });

  test('never overwrites another one', async () => {
    await store().add(sampleConsent());
    await expect(store().add(sampleConsent({ browserHash: 'other' }))).rejects.toMatchObject({
      code: 'consent-exists',
    });
    expect((await store().get(key))?.consent).toEqual(sampleConsent());
  });

  test('is used once, which deletes its secrets', async () => {
    await store().add(sampleConsent());
    const stored = await store().get(key);
    if (stored === undefined) throw new Error('no row');
    expect(await Promise.all([store().use(stored, isoAt(1)), store().use(stored, isoAt(2))])).toEqual([
      true,
      false,
    ]);
    expect((await store().get(key))?.consent).toEqual(
      sampleConsent({ usedAt: isoAt(1), sealedState: '', sealedVerifier: '', sealedNonce: '' }),
    );
  });

  test('that was deleted meanwhile is not used any more', async () => {
    await store().add(sampleConsent());
    const stored = await store().get(key);
    if (stored === undefined) throw new Error('no row');
    await store().purge(NOW + 3 * DAY_MS);
    expect(await store().use(stored, isoAt(1))).toBe(false);
  });

  test('has a result once it is used, and not before', async () => {
    await store().add(sampleConsent());
    expect(await store().keepResult(key, 'r')).toBe(false);
    expect(await store().keepResult(keyOf('a'), 'r')).toBe(false);
    const stored = await store().get(key);
    if (stored !== undefined) await store().use(stored, isoAt(1));
    expect(await store().keepResult(key, 'r')).toBe(true);
    expect((await store().get(key))?.consent).toMatchObject({ usedAt: isoAt(1), result: 'r' });
  });

  test('has no result if its row changes at that moment', async () => {
    await store().add(sampleConsent({ usedAt: isoAt(1) }));
    before = async (point) => {
      if (point !== 'table.Consents.commit') return;
      before = async () => {};
      await spoil('consent', key, {});
    };
    expect(await store().keepResult(key, 'r')).toBe(false);
  });

  test.each(['connectRequest', 'startedBy', 'registration', 'browserHash', 'expiresAt', 'usedAt', 'result'])(
    'whose %s is not a text is rejected',
    async (column) => {
      await store().add(sampleConsent());
      await spoil('consent', key, { [column]: 7 });
      await expect(store().get(key)).rejects.toMatchObject(badRow('consent', key, column));
    },
  );

  test('is kept for a day after it expires', async () => {
    await store().add(sampleConsent());
    await store().purge(NOW + 600_000 + DAY_MS);
    expect(await store().get(key)).toBeDefined();
    await store().purge(NOW + 600_000 + DAY_MS + 1);
    expect(await store().get(key)).toBeUndefined();
  });
});

describe('an invitation', () => {
  const store = () => createInvitationStore(tables);
  const key = keyOf('d');
  const revoke = (invitation: Invitation): Invitation => ({ ...invitation, revokedAt: isoAt(5) });

  test.each([
    sampleInvitation(),
    sampleInvitation({
      done: { at: isoAt(1), accountId: 'a', user: 'u' },
      attempts: [{ key: 'k', expiresAt: isoAt(1) }],
    }),
    sampleInvitation({ revokedAt: isoAt(1), approvalKey: 'k' }),
  ])('is read back as it was added', async (invitation) => {
    await store().add(invitation);
    expect((await store().get(key))?.invitation).toEqual(invitation);
    expect(await store().list()).toEqual([invitation]);
    expect(await store().get(keyOf('a'))).toBeUndefined();
  });

  test.each(noKeys)('is not looked up under %j, which is no key', async (text) => {
    expect(await store().get(text)).toBeUndefined();
    expect(points).toEqual([]);
  });

  test('never overwrites another one', async () => {
    await store().add(sampleInvitation());
    await expect(store().add(sampleInvitation({ approvalKey: 'k' }))).rejects.toMatchObject({
      code: 'invitation-exists',
    });
    expect((await store().get(key))?.invitation).toEqual(sampleInvitation());
  });

  test('is listed after those that were created later', async () => {
    for (const [letter, at] of [
      ['a', 1],
      ['b', 3],
      ['c', 2],
    ] as const)
      await store().add(sampleInvitation({ key: keyOf(letter), createdAt: isoAt(at) }));
    expect((await store().list()).map((one) => one.key[0])).toEqual(['b', 'c', 'a']);
  });

  test('is replaced if it is unchanged since it was read', async () => {
    await store().add(sampleInvitation());
    const etag = (await store().get(key))?.etag ?? '';
    expect(await store().replace(sampleInvitation({ approvalKey: '1' }), etag)).toBe(true);
    expect(await store().replace(sampleInvitation({ approvalKey: '2' }), etag)).toBe(false);
    expect((await store().get(key))?.invitation.approvalKey).toBe('1');
  });

  test('is changed in its newest state, despite concurrent writes', async () => {
    await store().add(sampleInvitation());
    let others = 0;
    before = async (point) => {
      if (point !== 'table.Consents.commit' || others === 2) return;
      others += 1;
      const attempts = [{ key: `attempt ${others}`, expiresAt: isoAt(1) }];
      const { etag = '' } = (await store().get(key)) ?? {};
      const own = before;
      before = async () => {};
      await store().replace(sampleInvitation({ attempts }), etag);
      before = own;
    };
    const changed = await store().change(key, revoke);
    const expected = sampleInvitation({
      revokedAt: isoAt(5),
      attempts: [{ key: 'attempt 2', expiresAt: isoAt(1) }],
    });
    expect(changed).toEqual(expected);
    expect((await store().get(key))?.invitation).toEqual(expected);
  });

  test('is unchanged if no change is wanted, and is not created by a change', async () => {
    await store().add(sampleInvitation());
    const rows = tables.dump('Consents');
    expect(await store().change(key, () => undefined)).toBeUndefined();
    expect(await store().change(keyOf('a'), revoke)).toBeUndefined();
    expect(tables.dump('Consents')).toEqual(rows);
  });

  test.each([
    ['connectRequest', {}],
    ['invitedBy', {}],
    ['createdAt', {}],
    ['attempts', {}],
    ['done', { done: { at: isoAt(1), accountId: 'a', user: 'u' } }],
  ])('whose %s is not a text is rejected', async (column, change) => {
    await store().add(sampleInvitation(change));
    await spoil('invitation', key, { [column]: 7 });
    await expect(store().get(key)).rejects.toMatchObject(badRow('invitation', key, column));
  });

  test('whose attempts are invalid is rejected', async () => {
    const broken = [{ key: 'k' }] as unknown as Invitation['attempts'];
    await store().add(sampleInvitation({ attempts: broken }));
    await expect(store().get(key)).rejects.toThrow();
  });

  test('is kept for thirty days after it expires', async () => {
    await store().add(sampleInvitation({ expiresAt: isoAt(0) }));
    await store().purge(NOW + 30 * DAY_MS);
    expect(await store().list()).toHaveLength(1);
    await store().purge(NOW + 30 * DAY_MS + 1);
    expect(await store().list()).toEqual([]);
  });
});

describe('a pending approval', () => {
  const store = () => createApprovalStore(tables);
  const key = keyOf('e');

  test.each([
    sampleApproval(),
    sampleApproval({
      startedBy: guest,
      explanation: explainText({ text: 'AADSTS90094: x' }),
      grantedAt: isoAt(1),
    }),
  ])('is read back as it was added', async (approval) => {
    await store().add(approval);
    const expected = JSON.parse(JSON.stringify(approval)) as typeof approval;
    expect((await store().get(key))?.approval).toEqual(expected);
    expect(await store().list()).toEqual([expected]);
    expect(await store().get(keyOf('a'))).toBeUndefined();
  });

  test.each(noKeys)('is not looked up under %j, which is no key', async (text) => {
    expect(await store().get(text)).toBeUndefined();
    expect(points).toEqual([]);
  });

  test('never overwrites another one', async () => {
    await store().add(sampleApproval());
    await expect(store().add(sampleApproval({ grantedAt: isoAt(1) }))).rejects.toMatchObject({
      code: 'approval-exists',
    });
    expect(await store().list()).toEqual([sampleApproval()]);
  });

  test('is granted once, if it is unchanged since it was read', async () => {
    await store().add(sampleApproval());
    const etag = (await store().get(key))?.etag ?? '';
    expect(await store().replace(sampleApproval({ grantedAt: isoAt(1) }), etag)).toBe(true);
    expect(await store().replace(sampleApproval({ grantedAt: isoAt(2) }), etag)).toBe(false);
    expect(await store().list()).toEqual([sampleApproval({ grantedAt: isoAt(1) })]);
  });

  test.each(['connectRequest', 'startedBy', 'sealedState', 'createdAt', 'expiresAt'])(
    'whose %s is not a text is rejected',
    async (column) => {
      await store().add(sampleApproval());
      await spoil('approval', key, { [column]: 7 });
      await expect(store().get(key)).rejects.toMatchObject(badRow('approval', key, column));
    },
  );

  test.each(['7', 'null', '{"code":"c"}', '{"steps":[]}'])(
    'whose explanation is %s is rejected, because a page could not show it',
    async (explanation) => {
      await store().add(sampleApproval());
      await spoil('approval', key, { explanation });
      await expect(store().get(key)).rejects.toMatchObject(badRow('approval', key, 'explanation'));
    },
  );

  test('is kept for thirty days after it expires', async () => {
    await store().add(sampleApproval({ expiresAt: isoAt(0) }));
    await store().purge(NOW + 30 * DAY_MS);
    expect(await store().list()).toHaveLength(1);
    await store().purge(NOW + 30 * DAY_MS + 1);
    expect(await store().list()).toEqual([]);
  });
});

describe('an approval of set-up', () => {
  const store = () => createSetUpApprovalStore(tables);
  const approval = {
    providerId: 'p'.repeat(26),
    registration: 'worldwide|t|c',
    stateHash: 'hash',
    sealedState: 'sealed',
    expiresAt: isoAt(1),
  };
  const { providerId } = approval;

  test('exists once per provider: the first of two is kept, until it is replaced as it was read', async () => {
    expect(await store().get(providerId)).toBeUndefined();
    expect(await store().save(approval, undefined)).toBe(true);
    expect(await store().save({ ...approval, stateHash: 'other' }, undefined)).toBe(false);
    const stored = await store().get(providerId);
    expect(stored?.approval).toEqual(approval);
    expect(await store().save({ ...approval, stateHash: 'next' }, stored)).toBe(true);
    expect(await store().save({ ...approval, stateHash: 'late' }, stored)).toBe(false);
    expect((await store().get(providerId))?.approval).toEqual({ ...approval, stateHash: 'next' });
  });

  test('is removed with its provider', async () => {
    await store().save(approval, undefined);
    await store().remove('q'.repeat(26));
    expect(await store().get(providerId)).toBeDefined();
    await store().remove(providerId);
    expect(await store().get(providerId)).toBeUndefined();
  });

  test.each(['registration', 'stateHash', 'sealedState', 'expiresAt'])(
    'whose %s is not a text is rejected',
    async (column) => {
      await store().save(approval, undefined);
      await spoil('set-up', providerId, { [column]: 7 });
      await expect(store().get(providerId)).rejects.toMatchObject(badRow('set-up', providerId, column));
    },
  );
});

describe('the monitor', () => {
  const row = (rowKey: string, expiresAt: string) => ({ partitionKey: 'part', rowKey, expiresAt });
  const add = async (rows: readonly ReturnType<typeof row>[]) => {
    for (const one of rows) await tables.open('Consents').commit('part', [{ kind: 'insert', row: one }]);
  };

  test('removes more rows than one transaction allows, and no others', async () => {
    const number = (index: number) => String(index).padStart(3, '0');
    await add(Array.from({ length: 201 }, (_, index) => row(number(index), isoAt(-1))));
    await add([row('kept', isoAt(0)), row('without a time', '')]);
    points = [];
    await purgeExpired(tables.open('Consents'), 'part', { keptMs: 0, now: NOW });
    expect(points.filter((point) => point === 'table.Consents.commit')).toHaveLength(3);
    expect(tables.dump('Consents').map(({ rowKey }) => rowKey)).toEqual(['kept', 'without a time']);
  });

  test('writes nothing if nothing has expired', async () => {
    await add([row('kept', isoAt(0))]);
    points = [];
    await purgeExpired(tables.open('Consents'), 'part', { keptMs: 0, now: NOW });
    expect(points).toEqual(['table.Consents.list']);
  });

  test('runs in one minute of an hour, over sign-ins, invitations and approvals', async () => {
    const consents = createConsentStore(tables);
    const invitations = createInvitationStore(tables);
    const approvals = createApprovalStore(tables);
    await consents.add(sampleConsent({ expiresAt: isoAt(-40 * DAY_MS) }));
    await invitations.add(sampleInvitation({ expiresAt: isoAt(-40 * DAY_MS) }));
    await approvals.add(sampleApproval({ expiresAt: isoAt(-40 * DAY_MS) }));
    const purgeAt = (time: string): Promise<void> => {
      const now = Date.parse(`2026-11-24T${time}Z`);
      return purgeConsents({ seam: { now: () => now }, consents, approvals, invitations });
    };
    points = [];
    await purgeAt('12:16:59.999');
    await purgeAt('12:18:00.000');
    expect(points).toEqual([]);
    await purgeAt('12:17:00.000');
    expect(tables.dump('Consents')).toEqual([]);
    await consents.add(sampleConsent({ expiresAt: isoAt(-40 * DAY_MS) }));
    await purgeAt('23:17:59.999');
    expect(tables.dump('Consents')).toEqual([]);
  });
});
