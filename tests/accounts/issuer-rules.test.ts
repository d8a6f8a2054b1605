/** Which issuer may speak for a provider: in discovery, on the way back and in an id_token. */
import { describe, expect, test } from 'vitest';
import {
  isIssuerOf,
  isMicrosoftShaped,
  issuerByHand,
  issuerOfCallback,
  issuerOfToken,
} from '../../shared/accounts/issuer-rules.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const TENANT = '11111111-2222-4333-8444-555555555555';
const HOST = 'https://login.microsoftonline.com';
const SEVERAL = `${HOST}/{tenantid}/v2.0`;
const at = (tenant: string): string => `${HOST}/${tenant}/v2.0`;

test('Microsoft and the demo tenant answer in the same shape, and nobody else does', () => {
  const shaped = (['microsoft', 'demo', 'google', 'custom'] as const).filter((preset) =>
    isMicrosoftShaped(sampleProvider({ preset })),
  );
  expect(shaped).toEqual(['microsoft', 'demo']);
});

describe('discovery', () => {
  const microsoft = (tenant: string | undefined) => sampleProvider({ preset: 'microsoft', tenant });
  const custom = sampleProvider({ preset: 'custom', tenant: undefined });

  test('may name the issuer that was asked, with or without its last slash', () => {
    expect(isIssuerOf(custom, 'https://id.example/', 'https://id.example/')).toBe(true);
    expect(isIssuerOf(custom, 'https://id.example/', 'https://id.example')).toBe(true);
    expect(isIssuerOf(custom, 'https://id.example/a/b', 'https://id.example/ab')).toBe(false);
    expect(isIssuerOf(custom, 'https://id.example', 'https://other.example')).toBe(false);
  });

  test('of a custom provider names no tenant of the same host', () => {
    expect(isIssuerOf(custom, at('contoso.example'), at(TENANT))).toBe(false);
  });

  test('of a tenant given by its id names that one alone', () => {
    const other = '99999999-2222-4333-8444-555555555555';
    expect(isIssuerOf(microsoft(TENANT), at(TENANT), at(TENANT))).toBe(true);
    expect(isIssuerOf(microsoft(TENANT), at(TENANT), at(other))).toBe(false);
    expect(isIssuerOf(microsoft(TENANT.toUpperCase()), at(TENANT.toUpperCase()), at(other))).toBe(false);
  });

  test('of a tenant given by its domain names its id, of a domain that only looks like one as well', () => {
    for (const domain of ['contoso.example', `x${TENANT}`, `${TENANT}x`])
      expect(isIssuerOf(microsoft(domain), at(domain), at(TENANT))).toBe(true);
    expect(isIssuerOf(microsoft(undefined), at('common'), at(TENANT))).toBe(true);
  });

  test.each([
    ['a place for the tenant', SEVERAL],
    ['no GUID', at('fabrikam.example')],
    ['more than a GUID', at(`${TENANT}0`)],
    ['more before a GUID', at(`0${TENANT}`)],
    ['another host', `https://evil.example/${TENANT}/v2.0`],
    ['another scheme', `http://login.microsoftonline.com/${TENANT}/v2.0`],
    ['something before it', `x${at(TENANT)}`],
    ['something behind it', `${at(TENANT)}/x`],
    ['a longer path', `${HOST}/a/${TENANT}/v2.0`],
    ['no tenant', `${HOST}/v2.0`],
    ['nothing', ''],
  ])('of a tenant given by its domain does not name %s', (_what, announced) => {
    expect(isIssuerOf(microsoft('contoso.example'), at('contoso.example'), announced)).toBe(false);
  });

  test('for several tenants names their place and no single one', () => {
    expect(isIssuerOf(microsoft('organizations'), at('organizations'), SEVERAL)).toBe(true);
    expect(isIssuerOf(microsoft('organizations'), at('organizations'), at(TENANT))).toBe(false);
  });

  test('on this machine may come over http', () => {
    const demo = sampleProvider({ preset: 'demo', tenant: 'demo.example' });
    const local = 'http://127.0.0.1:4000';
    expect(isIssuerOf(demo, `${local}/demo.example/v2.0`, `${local}/${TENANT}/v2.0`)).toBe(true);
  });
});

describe('the way back', () => {
  const said = (iss: string) => new URLSearchParams({ iss });

  test('of several tenants names the tenant of the person', () => {
    expect(issuerOfCallback(SEVERAL, said(at(TENANT)))).toBe(at(TENANT));
    expect(issuerOfCallback('{tenantid}', said(TENANT))).toBe(TENANT);
  });

  test('that names none, or none that can be, is held to the issuer as it is', () => {
    expect(issuerOfCallback(SEVERAL, new URLSearchParams())).toBe(SEVERAL);
    for (const iss of ['', at('contoso.example'), at(`${TENANT}0`), `${at(TENANT)}x`, TENANT])
      expect(issuerOfCallback(SEVERAL, said(iss))).toBe(SEVERAL);
  });

  test('to an issuer without a place for the tenant is held to that issuer', () => {
    expect(issuerOfCallback('https://id.example', said(`https://id.example${TENANT}`))).toBe(
      'https://id.example',
    );
  });
});

describe('the way back where the endpoints were typed', () => {
  const server = {
    issuer: 'https://unknown.example',
    authorization_endpoint: 'https://id.example/authorize',
    token_endpoint: 'https://tokens.example/token',
  };
  const byHand = (iss: string, endpoints: Partial<typeof server> = server): string | undefined =>
    issuerByHand({ issuer: server.issuer, ...endpoints }, new URLSearchParams({ iss }));

  test('need not name an issuer', () => {
    expect(issuerByHand(server, new URLSearchParams())).toBe(server.issuer);
  });

  test('may name the host of either endpoint', () => {
    expect(byHand('https://id.example/tenant')).toBe('https://id.example/tenant');
    expect(byHand('https://tokens.example')).toBe('https://tokens.example');
  });

  test.each(['https://evil.example', 'http://id.example', 'id.example', '', 'null', 'mailto:id.example'])(
    'is not believed when it names %j',
    (iss) => {
      expect(byHand(iss)).toBeUndefined();
      expect(byHand(iss, {})).toBeUndefined();
      const opaque = { authorization_endpoint: 'urn:a', token_endpoint: 'urn:b' };
      expect(byHand(iss, opaque)).toBeUndefined();
    },
  );
});

describe('an id_token', () => {
  const tokenOf = (claims: unknown): string =>
    `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

  test('of a server with keys chooses a tenant of its issuer, and no other issuer', () => {
    expect(issuerOfToken(SEVERAL, true, tokenOf({ tid: TENANT, iss: 'https://evil.example' }))).toBe(
      at(TENANT),
    );
    expect(issuerOfToken('https://id.example', true, tokenOf({ tid: TENANT }))).toBe('https://id.example');
  });

  test.each([{}, { tid: '' }, { tid: `${TENANT}/../x` }, { tid: `x${TENANT}` }, { tid: 7 }])(
    'with %j chooses no tenant',
    (claims) => {
      expect(issuerOfToken(SEVERAL, true, tokenOf(claims))).toBe(SEVERAL);
    },
  );

  test('of a server without keys is taken at its word, because it came straight from there', () => {
    expect(issuerOfToken('https://id.example', false, tokenOf({ iss: 'https://own.example' }))).toBe(
      'https://own.example',
    );
    for (const token of [tokenOf({}), tokenOf([]), 'h', '', 'h.%%%.s'])
      expect(issuerOfToken('https://id.example', false, token)).toBe('https://id.example');
  });
});
