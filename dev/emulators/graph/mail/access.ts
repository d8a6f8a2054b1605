import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import type { EmulatedMailbox } from '../../mail/mail-world.ts';
import { GraphError, invalidToken } from '../graph-error.ts';
import type { MailUser, MailWorld } from './mail-call.ts';

const AUDIENCE = 'https://graph.microsoft.com';

/** Who asks for mail: a person through an app, or an app for itself. */
export interface MailCaller {
  readonly appId: string;
  /** Undefined: an app with its own token. */
  readonly user: MailUser | undefined;
  /** Delegated scopes or application roles. */
  readonly permissions: readonly string[];
}

/** What a request does with a mailbox, from least to most, and sending apart from them. */
export type MailRight = 'basic' | 'read' | 'write' | 'send';

/** Microsoft: "Microsoft Graph permissions reference", Mail permissions. */
const GIVEN_BY: Record<MailRight, readonly string[]> = {
  basic: ['Mail.ReadBasic', 'Mail.ReadBasic.All', 'Mail.Read', 'Mail.ReadWrite'],
  read: ['Mail.Read', 'Mail.ReadWrite'],
  write: ['Mail.ReadWrite'],
  send: ['Mail.Send'],
};

export interface TokenRules {
  readonly jwks: { readonly keys: JWK[] };
  readonly issuer: string;
}

/**
 * Who a bearer token of the Entra emulator stands for.
 * @throws GraphError 401 InvalidAuthenticationToken, with Graph's sentence for what is wrong with the token
 */
export async function readMailCaller(
  { jwks, issuer }: TokenRules,
  users: readonly MailUser[],
  authorization: string | undefined,
): Promise<MailCaller> {
  const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw invalidToken('Access token is empty.');
  const claims = await verified(token, jwks, issuer);
  const appId = String(claims['appid'] ?? '');
  const { roles, scp, oid, upn } = claims;
  if (claims['idtyp'] === 'app')
    return { appId, user: undefined, permissions: Array.isArray(roles) ? roles.map(String) : [] };
  const user = users.find((one) => one.oid === oid || one.upn === String(upn).toLowerCase());
  if (user === undefined) throw invalidToken('The user of this token is not in the directory.');
  return { appId, user, permissions: String(scp ?? '').split(' ') };
}

async function verified(
  token: string,
  jwks: { keys: JWK[] },
  issuer: string,
): Promise<Record<string, unknown>> {
  try {
    const keys = createLocalJWKSet({ keys: jwks.keys });
    const { payload } = await jwtVerify(token, keys, { issuer, audience: AUDIENCE, algorithms: ['RS256'] });
    return payload;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_JWT_EXPIRED') throw invalidToken('Lifetime validation failed, the token is expired.');
    if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED')
      throw invalidToken('Access token validation failure. Invalid audience.');
    throw invalidToken('Access token validation failure. Invalid signature.');
  }
}

/**
 * The user of `/me` or `/users/{id or name}`.
 * @throws GraphError 400 for `/me` with an app's token, 404 for a user that the directory does not have
 */
export function userOf(world: MailWorld, caller: MailCaller, name: string | undefined): MailUser {
  if (name === undefined) {
    if (caller.user !== undefined) return caller.user;
    throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  const wanted = name.toLowerCase();
  const user = world.users.find(({ upn, oid }) => upn === wanted || oid.toLowerCase() === wanted);
  if (user !== undefined) return user;
  throw new GraphError(404, 'ErrorInvalidUser', `The requested user '${name}' is invalid.`);
}

export const accessDenied = (): GraphError =>
  new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');

/** Whether a token's permissions give this right at the mailbox of this user. */
export function mayUse(world: MailWorld, caller: MailCaller, user: MailUser, right: MailRight): boolean {
  const mailbox = world.mailboxes.find(({ address }) => address.toLowerCase() === user.upn);
  const has = (suffix: string): boolean =>
    GIVEN_BY[right].some((name) => caller.permissions.includes(`${name}${suffix}`));
  // Exchange's RBAC for Applications scopes an app's permission to some mailboxes.
  if (caller.user === undefined) return has('') && mailbox?.openToApps !== false;
  // `.Shared` includes the user's own mail.
  if (caller.user.upn === user.upn) return has('') || has('.Shared');
  return has('.Shared') && isDelegate(mailbox, caller.user);
}

const isDelegate = (mailbox: EmulatedMailbox | undefined, { upn }: MailUser): boolean =>
  (mailbox?.delegates ?? []).some((name) => name.toLowerCase() === upn);
