import type { IncomingMessage } from 'node:http';
import { decodeJwt, type JWK } from 'jose';
import { checkIdentityToken } from '../identity/managed-identity.ts';
import type { Application, Directory } from './directory.ts';
import { denied, invalidToken } from './graph-error.ts';

const AUDIENCE = 'https://graph.microsoft.com';

/** A person of the directory, as the Azure CLI signs in on their behalf. */
export interface GraphPerson {
  id: string;
  displayName: string;
  userPrincipalName: string;
  /** `admin`: Cloud Application Administrator; `register`: the default right of users; `nothing`: a tenant that took it away. */
  may: 'admin' | 'register' | 'nothing';
}

/** Who asks. Of an app: its object id, and the application permissions an admin granted it. */
export type Caller =
  | ({ kind: 'person' } & GraphPerson)
  | { kind: 'app'; id: string; permissions: readonly string[] };

export interface CallerRules {
  /** Keys whose tokens are accepted; every other token is refused with 401. */
  jwks: { keys: JWK[] };
  people: readonly GraphPerson[];
  /** Object id of an app → its application permissions, `Application.ReadWrite.OwnedBy` for example. */
  appPermissions: Readonly<Record<string, readonly string[]>>;
}

/**
 * Who a request's bearer token stands for.
 * @throws GraphError 401 InvalidAuthenticationToken, with Graph's sentence for what is wrong with the token
 */
export async function readCaller(rules: CallerRules, request: IncomingMessage): Promise<Caller> {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw invalidToken('Access token is empty.');
  try {
    await checkIdentityToken(token, { jwks: rules.jwks, audience: AUDIENCE });
  } catch (error) {
    throw invalidToken(sentenceFor(error));
  }
  const { oid = '', idtyp } = decodeJwt<{ oid?: string; idtyp?: string }>(token);
  if (idtyp === 'app') return { kind: 'app', id: oid, permissions: rules.appPermissions[oid] ?? [] };
  const person = rules.people.find(({ id }) => id === oid);
  if (person === undefined) throw invalidToken('The user of this token is not in the directory.');
  return { kind: 'person', ...person };
}

function sentenceFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_JWT_EXPIRED') return 'Lifetime validation failed, the token is expired.';
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'Access token validation failure. Invalid audience.';
  return 'Access token validation failure. Invalid signature.';
}

const has = (caller: Caller, ...names: string[]): boolean =>
  caller.kind === 'app' && caller.permissions.some((name) => names.includes(name));

const ALL = 'Application.ReadWrite.All';
const OWNED = 'Application.ReadWrite.OwnedBy';

/** @throws GraphError 403 unless the caller may read applications: every person may, an app with a permission only. */
export function mayRead(caller: Caller): void {
  if (caller.kind === 'app' && !has(caller, ALL, OWNED, 'Application.Read.All')) throw denied();
}

/** @throws GraphError 403 unless the caller may make an application. */
export function mayCreate(caller: Caller): void {
  const may = caller.kind === 'person' ? caller.may !== 'nothing' : has(caller, ALL, OWNED);
  if (!may) throw denied();
}

/** @throws GraphError 403 unless the caller may change this application: all of them, or as one of its owners. */
export function mayChange(caller: Caller, directory: Directory, application: Application): void {
  if (caller.kind === 'person' ? caller.may === 'admin' : has(caller, ALL)) return;
  const owns = (directory.owners[application.id] ?? []).includes(caller.id);
  if (!owns || (caller.kind === 'app' && !has(caller, OWNED))) throw denied();
}
