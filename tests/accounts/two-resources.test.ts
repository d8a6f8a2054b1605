/**
 * One account with one refresh token, and an access token for the mail servers and one for Microsoft Graph: each
 * is refreshed with its own scopes, goes to its own hosts, and fails alone where the cause is its resource.
 */
import { describe, expect, test } from 'vitest';
import type { AccessToken } from '../../shared/accounts/access-token.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { accountKind } from '../../shared/accounts/account-records.ts';
import { grantedWays, resourcesOfAccount } from '../../shared/accounts/account-resources.ts';
import { createAccessTokens } from '../../shared/accounts/get-access-token.ts';
import { invalidateAccounts } from '../../shared/accounts/invalidate-accounts.ts';
import { blamesResource, silence } from '../../shared/accounts/token-failure.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { type Asked, granted, HOUR, isoAt, MINUTE, memorySignIn, NOW, refused } from './memory-sign-in.ts';

const OUTLOOK = 'https://outlook.office.com/IMAP.AccessAsUser.All';
const GRAPH = 'https://graph.microsoft.com/Mail.ReadWrite';
const IMAP_HOST = 'outlook.office365.com';
const GRAPH_HOST = 'graph.microsoft.com';
const CONSENT_MISSING = { codes: [65001], suberror: 'consent_required' };

const shown = (answer: AccessToken) => (answer.kind === 'token' ? answer.token.expose() : answer);

/** An account that may use both resources, unless said otherwise. */
async function postroom(change: Partial<Account> = {}) {
  const world = await memorySignIn({ scopes: [OUTLOOK, GRAPH], ...change });
  // Each resource has tokens of its own; a refresh token works once and is then replaced.
  const counts = { access: 1, refresh: 1 };
  world.hooks.answer = async (asked: Asked) => {
    if (!asked.startsWith(`r${counts.refresh} `)) return refused('invalid_grant', { codes: [70000] });
    counts.access += 1;
    counts.refresh += 1;
    const resource = asked.includes('graph.microsoft.com') ? 'graph' : 'outlook';
    return granted(`${resource}-a${counts.access}`, `r${counts.refresh}`);
  };
  const process = () => createAccessTokens(world.deps);
  const tokens = process();
  const get = (host: string, by = tokens) => by.get(world.account, { host }).then(shown);
  return { ...world, tokens, get, process, counts };
}

describe('an account with two resources', () => {
  test('asks for the scopes of one resource only, with the one refresh token', async () => {
    const { get, asked, row } = await postroom();
    expect(await get(IMAP_HOST)).toBe('outlook-a2');
    expect(await get(GRAPH_HOST)).toBe('graph-a3');
    expect(asked).toEqual([`r1 ${OUTLOOK} offline_access`, `r2 ${GRAPH} offline_access`]);
    expect((await row()).graph?.accessExpiresAt).toBe(isoAt(HOUR));
  });

  test('sends each token to the hosts of its resource only', async () => {
    const { get } = await postroom();
    await get(GRAPH_HOST);
    await get(IMAP_HOST);
    expect(await get(GRAPH_HOST)).toMatch(/^graph-/);
    expect(await get('smtp.office365.com')).toMatch(/^outlook-/);
    expect(await get('evil.example')).toMatchObject({ code: 'mail-host-refused' });
    expect(await get('graph.microsoft.us')).toMatchObject({ code: 'mail-host-refused' });
  });

  test('does not decrypt the token of one resource as that of the other', async () => {
    const { get, deps, row, process } = await postroom();
    await get(GRAPH_HOST);
    await get(IMAP_HOST);
    const account = await row();
    const swapped = { ...account, tokens: { ...account.tokens, access: account.graph?.access } };
    await deps.accounts.save(swapped);
    expect(await get(IMAP_HOST, process())).toBe('outlook-a4');
  });

  test('keeps the token of one resource while the other is refreshed', async () => {
    const { get, state, asked, row } = await postroom();
    await get(IMAP_HOST);
    state.now = NOW + 30 * MINUTE;
    await get(GRAPH_HOST);
    state.now = NOW + 65 * MINUTE;
    const graph = (await row()).graph;
    expect(await get(IMAP_HOST)).toBe('outlook-a4');
    expect(await get(GRAPH_HOST)).toBe('graph-a3');
    expect((await row()).graph).toEqual(graph);
    expect(asked).toHaveLength(3);
  });

  test('refreshed by many processes at once asks once for each resource, and loses no refresh token', async () => {
    const { process, get, asked, opened, state } = await postroom();
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 24 }, (_, index) => get(index % 2 === 0 ? IMAP_HOST : GRAPH_HOST, process())),
      );
      expect(new Set(answers).size).toBe(2);
      state.now += 2 * HOUR;
    }
    expect(asked).toHaveLength(10);
    expect((await opened())[1]).toBe('r11');
  });

  test.each([1, 2])('survives a process that ends at write %i of a refresh', async (nth) => {
    const { process, get, hooks, counts, opened, state } = await postroom();
    await get(GRAPH_HOST);
    // Entra keeps the refresh token before the newest one valid.
    const { answer } = hooks;
    hooks.answer = (asked) => answer(asked.replace(/^r\d+/, `r${counts.refresh}`));
    let writes = 0;
    hooks.before = async (point) => {
      if (point === 'table.Accounts.commit') writes += 1;
      if (writes >= nth) throw new PostroomError('table-storage', 'The process ended.');
    };
    await expect(get(IMAP_HOST)).rejects.toThrow('The process ended.');
    hooks.before = async () => {};
    state.now += 61_000;
    expect(await get(GRAPH_HOST, process())).toBe('graph-a2');
    expect(await get(IMAP_HOST, process())).toBe(`outlook-a${counts.access}`);
    expect(counts.access).toBe(nth + 2);
    expect((await opened())[1]).toBe(`r${counts.refresh}`);
  });
});

describe('a refusal', () => {
  test('for missing consent (AADSTS65001) stops that resource only, and is retried later', async () => {
    const { get, hooks, state, row, asked } = await postroom();
    await get(IMAP_HOST);
    const { answer } = hooks;
    hooks.answer = async () => refused('invalid_grant', CONSENT_MISSING);
    expect(await get(GRAPH_HOST)).toMatchObject({ kind: 'action-required', code: 'AADSTS65001' });
    expect(await row()).toMatchObject({
      state: 'ok',
      problem: undefined,
      refreshBegunAt: undefined,
      refused: { graph: { since: isoAt(0), retryAt: isoAt(15 * MINUTE) } },
    });
    hooks.answer = answer;
    expect(await get(IMAP_HOST)).toBe('outlook-a2');
    const calls = asked.length;
    expect(await get(GRAPH_HOST)).toMatchObject({ code: 'AADSTS65001' });
    expect(asked).toHaveLength(calls);
    state.now = NOW + 16 * MINUTE;
    expect(await get(GRAPH_HOST)).toBe('graph-a3');
    expect((await row()).refused).toBeUndefined();
  });

  test('says which resource it is about, in words', async () => {
    const { get, hooks } = await postroom();
    hooks.answer = async () => refused('invalid_grant', CONSENT_MISSING);
    expect(await get(GRAPH_HOST)).toMatchObject({
      message: expect.stringContaining('no token for Microsoft Graph for support@contoso.example'),
    });
  });

  test.each([50173, 700082, 70000])('of the grant (AADSTS%i) stops both resources', async (code) => {
    const { get, hooks, row } = await postroom();
    hooks.answer = async () => refused('invalid_grant', { codes: [code] });
    expect(await get(GRAPH_HOST)).toMatchObject({ code: `AADSTS${code}` });
    expect(await get(IMAP_HOST)).toMatchObject({ code: `AADSTS${code}` });
    expect(await row()).toMatchObject({ state: 'action-required', refused: undefined });
  });

  test('of its only resource stops the account', async () => {
    const { get, hooks, row } = await postroom({ scopes: [GRAPH] });
    hooks.answer = async () => refused('invalid_grant', CONSENT_MISSING);
    expect(await get(GRAPH_HOST)).toMatchObject({ code: 'AADSTS65001' });
    expect((await row()).state).toBe('action-required');
  });

  test.each([
    [{ codes: [65001] }, true],
    [{ codes: [53003] }, true],
    [{ codes: [50173] }, false],
    [{ codes: [50173], suberror: 'consent_required' }, false],
    [{ error: 'invalid_scope' }, true],
    [{ error: 'invalid_grant' }, false],
  ])('as %j is of one resource: %j', (failure, expected) => {
    expect(blamesResource({ ...silence('x'), ...failure })).toBe(expected);
  });
});

describe('a resource of which nothing was granted', () => {
  test.each([
    [[OUTLOOK], GRAPH_HOST],
    [[GRAPH], IMAP_HOST],
  ])('is never asked for: %j at %s', async (scopes, host) => {
    const { get, asked } = await postroom({ scopes });
    expect(await get(host)).toMatchObject({ kind: 'action-required', code: 'permission-not-granted' });
    expect(asked).toEqual([]);
  });

  test('may be asked for by an app, whose rights Exchange may hold', async () => {
    const { get, asked, hooks } = await postroom({ kind: 'app', scopes: [] });
    hooks.answer = async () => granted('app token');
    expect(await get(GRAPH_HOST)).toBe('app token');
    expect(asked).toEqual(['app: https://graph.microsoft.com/.default']);
  });
});

describe('the granted ways', () => {
  test.each([
    [[OUTLOOK], ['imap'], ['outlook']],
    [[GRAPH], ['graph', 'graph-push'], ['graph']],
    [['Mail.ReadWrite.Shared', 'Mail.Send'], ['graph', 'graph-send'], ['graph']],
    [
      ['SMTP.Send', 'Mail.ReadBasic'],
      ['smtp', 'graph-push'],
      ['outlook', 'graph'],
    ],
    [['https://mail.google.com/'], ['imap', 'pop3', 'smtp'], ['outlook']],
    [['mail'], [], ['outlook']],
  ])('of %j are %j', (scopes, ways, resources) => {
    expect(grantedWays({ scopes })).toEqual(ways);
    expect(resourcesOfAccount({ kind: undefined, scopes })).toEqual(resources);
  });
});

test('a row from before there were two resources is read, and signs in at mail servers only', () => {
  const { graph: _graph, refused: _refused, ...row } = accountKind.toRow(sampleAccount());
  const account = accountKind.fromRow(row);
  expect([account.graph, account.refused]).toEqual([undefined, undefined]);
  expect(resourcesOfAccount(account)).toEqual(['outlook']);
});

test('an account that is invalidated loses the tokens of both resources', async () => {
  const { get, deps, row } = await postroom();
  await get(GRAPH_HOST);
  await invalidateAccounts(
    deps.accounts,
    [await row()],
    { code: 'provider-changed', message: 'x' },
    isoAt(0),
  );
  expect(await row()).toMatchObject({ graph: undefined, tokens: { access: undefined, refresh: undefined } });
});
