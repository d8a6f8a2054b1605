/** Which issuer a provider accepts: in discovery, in the authorization response and in an id_token. */
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

test('Microsoft and the demo tenant have the same issuer format, and no other provider does', () => {
  const shaped = (['microsoft', 'demo', 'google', 'custom'] as const).filter((preset) =>
    isMicrosoftShaped(sampleProvider({ preset })),
  );
  expect(shaped).toEqual(['microsoft', 'demo']);
});

describe('discovery', () => {
  const microsoft = (tenant: string | undefined) => sampleProvider({ preset: 'microsoft', tenant });
  const custom = sampleProvider({ preset: 'custom', tenant: undefined });

  test('may return the requested issuer, with or without its trailing slash', () => {
    expect(isIssuerOf(custom, 'https://id.example/', 'https://id.example/')).toBe(true);
    expect(isIssuerOf(custom, 'https://id.example/', 'https://id.example')).toBe(true);
    expect(isIssuerOf(custom, 'https://id.example/a/b', 'https://id.example/ab')).toBe(false);
    expect(isIssuerOf(custom, 'https://id.example', 'https://other.example')).toBe(false);
  });

  test('of a custom provider accepts no tenant of the same host', () => {
    expect(isIssuerOf(custom, at('contoso.example'), at(TENANT))).toBe(false);
  });

  test('of a tenant given by ID accepts that tenant only', () => {
    const other = '99999999-2222-4333-8444-555555555555';
    expect(isIssuerOf(microsoft(TENANT), at(TENANT), at(TENANT))).toBe(true);
    expect(isIssuerOf(microsoft(TENANT), at(TENANT), at(other))).toBe(false);
    expect(isIssuerOf(microsoft(TENANT.toUpperCase()), at(TENANT.toUpperCase()), at(other))).toBe(false);
  });

  test('of a tenant given by domain accepts the tenant’s ID, also for a domain that looks like an ID', () => {
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
  ])('of a tenant given by domain rejects %s', (_what, announced) => {
    expect(isIssuerOf(microsoft('contoso.example'), at('contoso.example'), announced)).toBe(false);
  });

  test('of a multi-tenant provider accepts the placeholder and no single tenant', () => {
    expect(isIssuerOf(microsoft('organizations'), at('organizations'), SEVERAL)).toBe(true);
    expect(isIssuerOf(microsoft('organizations'), at('organizations'), at(TENANT))).toBe(false);
  });

  test('on this machine may use http', () => {
    const demo = sampleProvider({ preset: 'demo', tenant: 'demo.example' });
    const local = 'http://127.0.0.1:4000';
    expect(isIssuerOf(demo, `${local}/demo.example/v2.0`, `${local}/${TENANT}/v2.0`)).toBe(true);
  });
});

describe('the authorization response', () => {
  const said = (iss: string) => new URLSearchParams({ iss });

  test('of a multi-tenant provider names the user’s tenant', () => {
    expect(issuerOfCallback(SEVERAL, said(at(TENANT)))).toBe(at(TENANT));
    expect(issuerOfCallback('{tenantid}', said(TENANT))).toBe(TENANT);
  });

  test('without a valid tenant must name the exact issuer', () => {
    expect(issuerOfCallback(SEVERAL, new URLSearchParams())).toBe(SEVERAL);
    for (const iss of ['', at('contoso.example'), at(`${TENANT}0`), `${at(TENANT)}x`, TENANT])
      expect(issuerOfCallback(SEVERAL, said(iss))).toBe(SEVERAL);
  });

  test('must name the exact issuer if that has no tenant placeholder', () => {
    expect(issuerOfCallback('https://id.example', said(`https://id.example${TENANT}`))).toBe(
      'https://id.example',
    );
  });
});

describe('the authorization response for endpoints entered by hand', () => {
  const server = {
    issuer: 'https://unknown.example',
    authorization_endpoint: 'https://id.example/authorize',
    token_endpoint: 'https://tokens.example/token',
  };
  const byHand = (iss: string, endpoints: Partial<typeof server> = server): string | undefined =>
    issuerByHand({ issuer: server.issuer, ...endpoints }, new URLSearchParams({ iss }));

  test('may omit the issuer', () => {
    expect(issuerByHand(server, new URLSearchParams())).toBe(server.issuer);
  });

  test('may name the host of either endpoint', () => {
    expect(byHand('https://id.example/tenant')).toBe('https://id.example/tenant');
    expect(byHand('https://tokens.example')).toBe('https://tokens.example');
  });

  test.each(['https://evil.example', 'http://id.example', 'id.example', '', 'null', 'mailto:id.example'])(
    'is rejected if it names %j',
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

  test('of a server with keys may name a tenant of its issuer, and no other issuer', () => {
    expect(issuerOfToken(SEVERAL, true, tokenOf({ tid: TENANT, iss: 'https://evil.example' }))).toBe(
      at(TENANT),
    );
    expect(issuerOfToken('https://id.example', true, tokenOf({ tid: TENANT }))).toBe('https://id.example');
  });

  test.each([{}, { tid: '' }, { tid: `${TENANT}/../x` }, { tid: `x${TENANT}` }, { tid: 7 }])(
    'with %j names no tenant',
    (claims) => {
      expect(issuerOfToken(SEVERAL, true, tokenOf(claims))).toBe(SEVERAL);
    },
  );

  test('of a server without keys is trusted, because it came directly from there', () => {
    expect(issuerOfToken('https://id.example', false, tokenOf({ iss: 'https://own.example' }))).toBe(
      'https://own.example',
    );
    for (const token of [tokenOf({}), tokenOf([]), 'h', '', 'h.%%%.s'])
      expect(issuerOfToken('https://id.example', false, token)).toBe('https://id.example');
  });
});
