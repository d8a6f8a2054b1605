import { describe, expect, test } from 'vitest';
import { tokenClaims, tokenFault } from '../../shared/connection-test/token-claims.ts';
import { Secret } from '../../shared/platform/secret.ts';

const part = (claims: unknown): string => Buffer.from(JSON.stringify(claims)).toString('base64url');
const jwt = (claims: unknown): Secret => new Secret(`${part({ alg: 'RS256' })}.${part(claims)}.signature`);
const outlook = 'https://outlook.office.com';
const graph = 'https://graph.microsoft.com';

describe('the claims of a token', () => {
  test('include its audience and its permissions, delegated or of an app', () => {
    expect(tokenClaims(jwt({ aud: outlook, scp: 'IMAP.AccessAsUser.All SMTP.Send' }))).toEqual({
      audience: outlook,
      permissions: ['IMAP.AccessAsUser.All', 'SMTP.Send'],
      isApp: false,
    });
    expect(tokenClaims(jwt({ aud: outlook, roles: ['IMAP.AccessAsApp'] }))).toEqual({
      audience: outlook,
      permissions: ['IMAP.AccessAsApp'],
      isApp: true,
    });
  });

  test.each([
    ['no JWT', new Secret('EwBgA8l6BAAU')],
    ['three parts that are no JSON', new Secret('a.b.c')],
    ['a list', jwt([1, 2])],
    ['claims of other kinds', jwt({ aud: 7, scp: ['x'], roles: 'y' })],
    ['permissions that are none', jwt({ aud: outlook, scp: '<script> =cmd' })],
  ])('are unknown for %s', (_what, token) => {
    expect(tokenClaims(token)).toBeUndefined();
  });

  test.each([
    ['imap', { scp: 'IMAP.AccessAsUser.All' }, undefined],
    ['imap', { roles: ['IMAP.AccessAsApp'] }, undefined],
    ['imap', { aud: 'https://idp.custom.example', scp: 'mail' }, undefined],
    ['pop3', { scp: 'IMAP.AccessAsUser.All' }, 'does not contain POP.AccessAsUser.All'],
    ['smtp', { scp: 'IMAP.AccessAsUser.All' }, 'does not contain SMTP.Send'],
    ['smtp', { aud: graph, scp: 'SMTP.Send' }, 'for Microsoft Graph'],
    ['graph', { aud: graph, scp: 'Mail.ReadWrite' }, undefined],
    ['graph', { aud: graph, scp: 'Mail.ReadBasic' }, 'does not contain Mail.ReadWrite.'],
    ['graph', { scp: 'IMAP.AccessAsUser.All' }, 'not for Microsoft Graph'],
  ] as const)('may explain a refusal over %s: %j', (protocol, claims, fault) => {
    const said = tokenFault(tokenClaims(jwt({ aud: outlook, ...claims })), protocol);
    if (fault === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(fault);
  });

  test.each([
    [{ scp: 'Mail.ReadWrite' }, 'does not contain Mail.ReadWrite.Shared'],
    [{ scp: 'Mail.ReadWrite.Shared' }, undefined],
    [{ roles: ['Mail.ReadWrite'] }, undefined],
  ])('say for a shared mailbox over Graph: %j', (claims, fault) => {
    const said = tokenFault(tokenClaims(jwt({ aud: graph, ...claims })), 'graph', true);
    if (fault === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(fault);
  });
});
