/** The signed-in user is compared with the expected user before anything is stored. */
import { describe, expect, test } from 'vitest';
import { accountIdOf, type Identity, tokenContext } from '../../shared/accounts/account.ts';
import type { Grant } from '../../shared/accounts/grant.ts';
import { acceptGrant } from '../../shared/consent/accept-grant.ts';
import type { ConnectRequest, Initiator } from '../../shared/consent/consent.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';
import { memoryConsents } from './memory-consents.ts';
import { isoAt, keyOf, sampleInvitation, sampleWish } from './sample-attempt.ts';

const SUPPORT = 'support@contoso.example';
const TENANT = '11111111-2222-4333-8444-555555555555';
const P = 'p'.repeat(26);
const IMAP = 'https://outlook.office.com/IMAP.AccessAsUser.All';
const SMTP = 'https://outlook.office.com/SMTP.Send';
const ada: Initiator = { kind: 'principal', id: 'ada' };
const guest = { kind: 'invitation', key: keyOf('d') } as const;

const person = (change: Partial<Identity> = {}): Identity => ({
  issuer: `https://login.example/${TENANT}/v2.0`,
  subject: 'subject-1',
  tenantId: TENANT,
  objectId: 'object-1',
  user: SUPPORT,
  name: 'Support',
  ...change,
});
const idOf = (identity: Identity): string => accountIdOf(P, identity);
/** As the table returns it. */
const accountOf = (identity: Identity, user = SUPPORT) =>
  sampleAccount({ providerId: P, accountId: idOf(identity), identity, user });

const granted = (change: Partial<Grant> = {}): Grant => ({
  accessToken: new Secret('the access token'),
  refreshToken: new Secret('the refresh token'),
  expiresInSeconds: 3600,
  scopes: [IMAP, SMTP],
  ...change,
});

interface Case {
  provider?: Partial<Provider>;
  connectRequest?: Partial<ConnectRequest>;
  startedBy?: Initiator;
  identity?: Identity | undefined;
  grant?: Partial<Grant>;
  known?: readonly ReturnType<typeof accountOf>[];
}

async function accept(given: Case = {}) {
  const world = await memoryConsents({}, { preset: 'microsoft', tenant: TENANT, ...given.provider });
  for (const account of given.known ?? []) await world.deps.accounts.save(account);
  const identity = 'identity' in given ? given.identity : person();
  const again = (startedBy = given.startedBy ?? ada) =>
    acceptGrant(
      world.deps,
      world.provider,
      { connectRequest: sampleWish(given.connectRequest), startedBy },
      { grant: granted(given.grant), identity },
    );
  const before = world.tables.dump('Accounts');
  const outcome = await again();
  const isSaved = JSON.stringify(world.tables.dump('Accounts')) !== JSON.stringify(before);
  return { ...world, outcome, isSaved, again };
}

/** A refusal saves nothing. */
async function refusal(given: Case) {
  const { outcome, isSaved } = await accept(given);
  expect(isSaved).toBe(false);
  return outcome;
}

describe('the expected user', () => {
  test('is stored with encrypted tokens, the granted scopes and who connected it', async () => {
    const { deps, provider, outcome } = await accept();
    if (outcome.kind !== 'connected') throw new Error(outcome.kind);
    const ref = { providerId: P, accountId: idOf(person()) };
    expect(outcome).toEqual({
      kind: 'connected',
      account: {
        ...ref,
        identity: person(),
        user: SUPPORT,
        address: SUPPORT,
        scopes: [IMAP, SMTP],
        tokens: {
          access: expect.stringMatching(/^1\./),
          accessExpiresAt: isoAt(3_600_000),
          receivedAt: isoAt(0),
          refreshAt: expect.stringMatching(/^2026-11-24T12:(?:49|50)/),
          refresh: expect.stringMatching(/^1\./),
          previousRefresh: undefined,
        },
        state: 'ok',
        stateSince: isoAt(0),
        problem: undefined,
        retryAt: undefined,
        refusedAsOf: undefined,
        refreshBegunAt: undefined,
        consentedAt: isoAt(0),
        consentedBy: 'ada',
      },
      missing: [],
      replaced: undefined,
    });
    const stored = (await deps.accounts.get(ref))?.account;
    expect(stored).toEqual({ ...outcome.account, kind: undefined });
    const open = async (purpose: 'access' | 'refresh') =>
      (await deps.sealer.open(stored?.tokens[purpose] ?? '', tokenContext(ref, purpose, provider))).expose();
    expect(await open('access')).toBe('the access token');
    expect(await open('refresh')).toBe('the refresh token');
  });

  test('may have a different case, and sign in for a mailbox with a different name', async () => {
    const { outcome } = await accept({
      connectRequest: { signIn: ' SUPPORT@Contoso.example ', address: 'a@b.example' },
    });
    expect(outcome).toMatchObject({ kind: 'connected', account: { user: SUPPORT, address: 'a@b.example' } });
    const padded = await accept({ identity: person({ user: ` ${SUPPORT} ` }) });
    expect(padded.outcome.kind).toBe('connected');
  });

  test('may sign in again, and replaces no other account by that', async () => {
    const { outcome } = await accept({ known: [accountOf(person())] });
    expect(outcome).toMatchObject({ kind: 'connected', replaced: undefined });
  });

  test('is rejected if it is from a tenant other than the provider’s', async () => {
    const other = '99999999-2222-4333-8444-555555555555';
    expect(await refusal({ identity: person({ tenantId: other }) })).toMatchObject({ kind: 'untrusted' });
  });

  test.each([
    ['written in capitals', { tenant: TENANT.toUpperCase() }, TENANT],
    ['known by its domain', { tenant: 'contoso.example' }, TENANT],
    ['known by what begins as a GUID', { tenant: `${TENANT}x` }, TENANT],
    ['known by what ends as a GUID', { tenant: `x${TENANT}` }, TENANT],
    ['not known', { tenant: undefined }, TENANT],
    ['not named by the token', { tenant: TENANT }, undefined],
  ])('is accepted from the tenant that is %s', async (_what, provider, tenantId) => {
    const { outcome } = await accept({ provider, identity: person({ tenantId }) });
    expect(outcome.kind).toBe('connected');
  });
});

describe('another user', () => {
  const sam = person({ user: 'sam@contoso.example', objectId: 'object-2' });

  test('than the expected one is named, and not stored', async () => {
    expect(await refusal({ identity: sam })).toEqual({
      kind: 'other-account',
      signedIn: 'sam@contoso.example',
      accountId: idOf(sam),
    });
  });

  test('is accepted if a person has chosen that very account', async () => {
    const chosen = { replacement: { kind: 'this' as const, accountId: idOf(sam) } };
    expect((await accept({ identity: sam, connectRequest: chosen })).outcome.kind).toBe('connected');
    const different = { replacement: { kind: 'this' as const, accountId: idOf(person()) } };
    expect(await refusal({ identity: sam, connectRequest: different })).toMatchObject({
      kind: 'other-account',
    });
    expect(await refusal({ identity: sam, connectRequest: { replacement: { kind: 'any' } } })).toMatchObject({
      kind: 'other-account',
    });
  });

  test('is the same user under a new name if its account is reconnected', async () => {
    const renamed = person({ user: 'new@contoso.example' });
    const reconnect = { mailboxId: 'm', accountId: idOf(person()) };
    const { outcome } = await accept({
      identity: renamed,
      connectRequest: { reconnect },
      known: [accountOf(person())],
    });
    expect(outcome).toMatchObject({
      kind: 'connected',
      account: { user: 'new@contoso.example' },
      replaced: undefined,
    });
  });

  test('who now has the expected name replaces the previous one only after confirmation', async () => {
    const before = person({ objectId: 'object-0' });
    const known = [
      accountOf(person({ objectId: 'object-7' }), 'other@contoso.example'),
      accountOf(before, 'Support@Contoso.example'),
    ];
    expect(await refusal({ known })).toEqual({
      kind: 'other-identity',
      signedIn: SUPPORT,
      accountId: idOf(person()),
      before,
      now: person(),
    });
    const { deps, outcome } = await accept({ known, connectRequest: { replacement: { kind: 'any' } } });
    expect(outcome).toMatchObject({
      kind: 'connected',
      replaced: { account: { accountId: idOf(before) }, mailboxes: [] },
    });
    expect(await deps.accounts.get({ providerId: P, accountId: idOf(before) })).toBeUndefined();
  });

  test('takes over the reconnected mailbox, and no other', async () => {
    const before = person({ objectId: 'object-0', user: 'old@contoso.example' });
    const known = [accountOf(before, 'old@contoso.example'), accountOf(person({ objectId: 'object-8' }))];
    const reconnect = { mailboxId: '1'.repeat(26), accountId: idOf(before) };
    expect(await refusal({ known, connectRequest: { reconnect } })).toMatchObject({
      kind: 'other-identity',
      before,
    });

    const world = await memoryConsents({}, { preset: 'microsoft', tenant: TENANT });
    for (const account of known) await world.deps.accounts.save(account);
    const [first] = known;
    if (first === undefined) throw new Error('no account');
    const boxes = ['1', '2'].map((id) =>
      mailboxOf(first, { id: id.repeat(26), address: `box${id}@x.example` }),
    );
    for (const box of boxes) await world.deps.mailboxes.save(box);
    const attempt = {
      connectRequest: sampleWish({ reconnect, replacement: { kind: 'any' } }),
      startedBy: ada,
    };
    const outcome = await acceptGrant(world.deps, world.provider, attempt, {
      grant: granted(),
      identity: person(),
    });
    expect(outcome).toMatchObject({
      kind: 'connected',
      replaced: { account: { accountId: idOf(before) }, mailboxes: ['box1@x.example'] },
    });
    const owners = (await world.deps.mailboxes.list()).map(({ address, accountId }) => [address, accountId]);
    expect(Object.fromEntries(owners)).toEqual({
      'box1@x.example': idOf(person()),
      'box2@x.example': idOf(before),
    });
  });

  test('replaces no account if the one to reconnect was removed', async () => {
    const reconnect = { mailboxId: 'm', accountId: 'z'.repeat(26) };
    const { outcome } = await accept({
      connectRequest: { reconnect },
      known: [accountOf(person({ objectId: 'object-0' }))],
    });
    expect(outcome).toMatchObject({ kind: 'connected', replaced: undefined });
  });
});

describe('a user with an unverified name', () => {
  const nameless = person({ user: undefined, claimed: undefined });

  test('must be confirmed as the right account by a person', async () => {
    expect(await refusal({ identity: nameless })).toEqual({
      kind: 'unnamed-account',
      subject: 'subject-1',
      claimed: undefined,
      accountId: idOf(nameless),
    });
    const claimed = person({ user: undefined, claimed: SUPPORT });
    expect(await refusal({ identity: claimed })).toMatchObject({ kind: 'unnamed-account', claimed: SUPPORT });
    expect(
      await refusal({ identity: nameless, connectRequest: { confirmed: 'z'.repeat(26) } }),
    ).toMatchObject({
      kind: 'unnamed-account',
    });
  });

  test('is another user if it claims a different name', async () => {
    const claimed = person({ user: undefined, claimed: 'sam@contoso.example' });
    expect(await refusal({ identity: claimed })).toMatchObject({
      kind: 'other-account',
      signedIn: 'sam@contoso.example',
    });
  });

  test('is stored under the expected name once it is confirmed', async () => {
    const { outcome } = await accept({ identity: nameless, connectRequest: { confirmed: idOf(nameless) } });
    expect(outcome).toMatchObject({ kind: 'connected', account: { user: SUPPORT } });
  });

  test('needs no confirmation if it was connected under the expected name before', async () => {
    const { outcome } = await accept({ identity: nameless, known: [accountOf(nameless)] });
    expect(outcome.kind).toBe('connected');
    expect(
      await refusal({ identity: nameless, known: [accountOf(nameless, 'other@contoso.example')] }),
    ).toMatchObject({ kind: 'unnamed-account' });
    const other = person({ objectId: 'object-9' });
    expect(await refusal({ identity: nameless, known: [accountOf(other)] })).toMatchObject({
      kind: 'unnamed-account',
    });
  });
});

describe('a provider that does not identify the user', () => {
  const custom = {
    preset: 'custom',
    tenant: undefined,
    endpoints: { kind: 'manual', authorization: 'https://id.example/a', token: 'https://id.example/t' },
    scopes: ['mail'],
  } as const;

  test('is trusted with the expected name, unless its preset must identify the user', async () => {
    const { outcome } = await accept({
      provider: custom,
      identity: undefined,
      connectRequest: { signIn: 'Support@Contoso.example' },
      grant: { scopes: undefined },
    });
    expect(outcome).toMatchObject({
      kind: 'connected',
      account: {
        user: 'Support@Contoso.example',
        scopes: ['mail'],
        identity: {
          issuer: P,
          subject: SUPPORT,
          tenantId: undefined,
          objectId: undefined,
          user: 'Support@Contoso.example',
          name: undefined,
        },
      },
    });
  });

  test('is an error if its preset must identify the user', async () => {
    await expect(accept({ identity: undefined })).rejects.toMatchObject({ code: 'no-identity' });
  });
});

describe('a grant', () => {
  test.each([
    { refreshToken: undefined },
    { accessToken: undefined },
    { accessToken: undefined, refreshToken: undefined },
  ])('without a token is rejected', async (grant) => {
    expect(await refusal({ grant })).toEqual({ kind: 'no-refresh-token' });
  });

  test('without any mail scope is rejected', async () => {
    expect(await refusal({ grant: { scopes: ['openid', 'https://graph.microsoft.com/User.Read'] } })).toEqual(
      {
        kind: 'no-mail-scope',
      },
    );
  });

  test('with some of the scopes is accepted, and lists the missing ones', async () => {
    const { outcome } = await accept({ grant: { scopes: [IMAP, 'openid'] } });
    expect(outcome).toMatchObject({
      kind: 'connected',
      missing: [SMTP],
      account: { scopes: [IMAP, 'openid'] },
    });
  });

  test('without a scope field has the requested scopes', async () => {
    const { outcome } = await accept({ grant: { scopes: undefined } });
    expect(outcome).toMatchObject({ kind: 'connected', missing: [], account: { scopes: [IMAP, SMTP] } });
  });

  test('may return scopes shorter, longer or in a different case than requested', async () => {
    for (const scopes of [
      ['IMAP.AccessAsUser.All', 'smtp.send'],
      [IMAP.toUpperCase(), 'https://outlook.office365.com/SMTP.Send'],
    ])
      expect((await accept({ grant: { scopes } })).outcome).toMatchObject({ missing: [] });
  });

  test('of a scope that is a URL requires that exact URL', async () => {
    const google = { preset: 'google', tenant: undefined } as const;
    const identity = person({ tenantId: undefined, objectId: undefined });
    const of = (scopes: string[]) => accept({ provider: google, identity, grant: { scopes } });
    expect((await of(['https://mail.google.com/'])).outcome).toMatchObject({ kind: 'connected' });
    expect((await of(['https://other.example/'])).outcome).toEqual({ kind: 'no-mail-scope' });
  });
});

describe('an invitation', () => {
  async function invited(change = {}) {
    const world = await memoryConsents({}, { preset: 'microsoft', tenant: TENANT });
    await world.deps.invitations.add(sampleInvitation(change));
    const run = () =>
      acceptGrant(
        world.deps,
        world.provider,
        { connectRequest: sampleWish(), startedBy: guest },
        { grant: granted(), identity: person() },
      );
    return { ...world, run };
  }

  test('is used by the first of two concurrent callbacks', async () => {
    const { deps, run } = await invited();
    const kinds = (await Promise.all([run(), run()])).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['connected', 'invitation-over']);
    expect((await deps.invitations.get(guest.key))?.invitation.done).toEqual({
      at: isoAt(0),
      accountId: idOf(person()),
      user: SUPPORT,
    });
    expect((await deps.accounts.listOf(P)).map(({ consentedBy }) => consentedBy)).toEqual(['invitation']);
  });

  test.each([{ revokedAt: isoAt(0) }, { expiresAt: isoAt(0) }])(
    'with %j no longer connects a mailbox',
    async (change) => {
      const { deps, run } = await invited(change);
      expect(await run()).toEqual({ kind: 'invitation-over' });
      expect(await deps.accounts.listOf(P)).toEqual([]);
    },
  );

  test('that does not exist connects no mailbox', async () => {
    expect(await refusal({ startedBy: guest })).toEqual({ kind: 'invitation-over' });
  });
});

describe('a consent for mail servers and Microsoft Graph', () => {
  const GRAPH = 'https://graph.microsoft.com/Mail.ReadWrite';
  const SEND = 'https://graph.microsoft.com/Mail.Send';

  test('records the scopes of both, and the token of the one that the code was redeemed for', async () => {
    const { outcome } = await accept({ connectRequest: { protocols: ['imap', 'graph-send'] } });
    expect(outcome).toMatchObject({
      kind: 'connected',
      missing: [],
      account: { scopes: [IMAP, SMTP, SEND] },
    });
    expect(outcome).not.toHaveProperty('account.graph');
  });

  test('of Microsoft Graph only stores its token as such, and none for mail servers', async () => {
    const { outcome, deps, provider } = await accept({
      connectRequest: { protocols: ['graph'] },
      grant: { scopes: [GRAPH, 'IMAP.AccessAsUser.All'] },
    });
    if (outcome.kind !== 'connected') throw new Error(outcome.kind);
    const { account } = outcome;
    expect(account).toMatchObject({ scopes: [GRAPH], tokens: { access: undefined } });
    const token = await deps.sealer.open(
      account.graph?.access ?? '',
      tokenContext(account, 'graph', provider),
    );
    expect(token.expose()).toBe('the access token');
  });

  test('adds a way to an account, which keeps what it has', async () => {
    const graph = {
      access: 'sealed graph',
      receivedAt: isoAt(0),
      accessExpiresAt: isoAt(1),
      refreshAt: isoAt(1),
    };
    const known = { ...accountOf(person()), scopes: [GRAPH], graph };
    const { outcome } = await accept({ known: [known], connectRequest: { protocols: ['imap', 'smtp'] } });
    expect(outcome).toMatchObject({ kind: 'connected', account: { scopes: [IMAP, SMTP, GRAPH], graph } });
  });
});
