import type { CookieJar } from '../../../dev/cookie-jar.ts';
import type { Tenant } from '../../../dev/emulators/entra/directory.ts';
import type { TenantAddress } from '../../../dev/emulators/entra/entra.ts';
import {
  type PageAnswer,
  type SignInEnd,
  signInAs,
  walkSignIn,
} from '../../../dev/emulators/entra/headless-sign-in.ts';
import { MAIL_SCOPES } from '../../../dev/emulators/entra/scopes.ts';

export const REDIRECT = 'http://localhost:7071/oauth/callback';
export const CLIENT = 'b0a7c1de-0000-4000-8000-000000000001';
export const SECRET = 'demo-secret-value';
export const SCOPE = `${MAIL_SCOPES.join(' ')} offline_access openid profile email`;

/** One directory with a support mailbox, a colleague with access to a shared one, and one app. */
export const tenant = (change: Partial<Tenant> = {}): Tenant => ({
  domain: 'contoso.example',
  users: [
    {
      upn: 'support@contoso.example',
      name: 'Support Desk',
      sharedMailboxes: ['info@contoso.example'],
    },
    { upn: 'alex@contoso.example', name: 'Alex Admin' },
    { upn: 'locked@contoso.example', name: 'Lena Locked', password: 'open-sesame' },
  ],
  clients: [
    {
      id: CLIENT,
      name: 'Postroom',
      secrets: [{ value: SECRET }, { value: 'old', expires: Date.now() - 1000 }],
      redirectUris: [REDIRECT],
    },
  ],
  ...change,
});

export function authorizeUrl(address: TenantAddress, change: Record<string, string> = {}): string {
  const query = {
    client_id: CLIENT,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: 'state-1',
    nonce: 'nonce-1',
    ...change,
  };
  return `${address.authorizeUrl}?${new URLSearchParams(query)}`;
}

export const consent = (
  address: TenantAddress,
  change: Record<string, string> = {},
  answer: PageAnswer = signInAs('support@contoso.example'),
  jar?: CookieJar,
): Promise<SignInEnd> =>
  walkSignIn({
    url: authorizeUrl(address, change),
    redirectUri: REDIRECT,
    answer,
    ...(jar !== undefined && { jar }),
  });

export interface TokenReply {
  status: number;
  body: Record<string, unknown> & { access_token?: string; refresh_token?: string; id_token?: string };
}

export async function askToken(address: TenantAddress, fields: Record<string, string>): Promise<TokenReply> {
  const response = await fetch(address.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({ client_id: CLIENT, client_secret: SECRET, ...fields }),
  });
  return { status: response.status, body: (await response.json()) as TokenReply['body'] };
}

export const redeem = (address: TenantAddress, end: SignInEnd): Promise<TokenReply> =>
  askToken(address, {
    grant_type: 'authorization_code',
    code: end.callback?.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT,
    scope: MAIL_SCOPES.join(' '),
  });

export const refresh = (address: TenantAddress, refreshToken: string | undefined): Promise<TokenReply> =>
  askToken(address, { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' });
