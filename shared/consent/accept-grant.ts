import { type Account, accountIdOf, type Identity, purposeFor, tokenContext } from '../accounts/account.ts';
import { scopesAfter } from '../accounts/account-resources.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import { type Grant, lifetimeOf } from '../accounts/grant.ts';
import type { TokenCipher } from '../accounts/token-encryption.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { traitsOf } from '../providers/presets.ts';
import type { Resource } from '../providers/protocol-access.ts';
import { mailScopesOf, type Provider } from '../providers/provider.ts';
import { connectionEntry } from './connection-entry.ts';
import type { ConnectRequest, ConsentAttempt, Initiator } from './consent.ts';
import { resourcesAsked } from './further-ways.ts';
import { stateOfInvitation } from './invitation.ts';
import type { InvitationStore } from './invitation-store.ts';
import { planReplacement, replaceAccount } from './replace-account.ts';

export interface AcceptDeps {
  config: { publicUrl: string; local: boolean; demo: DemoWorld | undefined };
  seam: Seam;
  sealer: TokenCipher;
  audit: Pick<AuditStore, 'record'>;
  accounts: AccountStore;
  mailboxes: Pick<MailboxStore, 'list' | 'save'>;
  invitations: InvitationStore;
}

/** Why a grant is rejected; nothing was saved. */
export type RefusedGrant =
  /** Without a refresh token the mailbox would stop working within an hour. */
  | { kind: 'no-refresh-token' }
  | { kind: 'no-mail-scope' }
  | { kind: 'other-account'; signedIn: string; accountId: string }
  /** The username is the expected one, but it now belongs to another account of the directory. */
  | { kind: 'other-identity'; signedIn: string; accountId: string; before: Identity; now: Identity }
  /**
   * The provider gives no address, or an unverified one: a person has to confirm that it is the right
   * account.
   */
  | { kind: 'unnamed-account'; subject: string; claimed: string | undefined; accountId: string }
  | { kind: 'untrusted'; reason: string }
  /** The invitation was used, revoked or expired when its holder came back. */
  | { kind: 'invitation-over' };

export interface Accepted {
  kind: 'connected';
  account: Account;
  /** Mail scopes that were requested but not granted. */
  missing: readonly string[];
  /** The account that it replaced, and at which mailboxes (addresses). */
  replaced: { account: Account; mailboxes: readonly string[] } | undefined;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Compares who signed in with who was expected, and stores the account. An invitation is used up before the
 * account is stored: if two people come back at once, one of them reads that it is no longer valid. The
 * audit entry is written before the account: after a crash there may be an entry without its account, but
 * never an account without its entry.
 * @param answer `initiatorName`: the name of the signed-in person, for the audit log
 */
export async function acceptGrant(
  deps: AcceptDeps,
  provider: Provider,
  attempt: ConsentAttempt,
  answer: { grant: Grant; identity: Identity | undefined; initiatorName?: string | undefined },
): Promise<Accepted | RefusedGrant> {
  const { connectRequest, startedBy } = attempt;
  const { grant, identity: reported } = answer;
  // A provider without id_tokens does not say who signed in, so the entered username is used.
  const identity = reported ?? unnamed(provider, connectRequest.signIn);
  if (isOtherTenant(provider, identity))
    return { kind: 'untrusted', reason: 'the account belongs to a different tenant than the provider' };
  const accountId = accountIdOf(provider.id, identity);
  const user = identity.user ?? connectRequest.signIn;
  const known = await deps.accounts.listOf(provider.id);
  const before = accountBefore(known, connectRequest, user, accountId);
  const isKnown = known.some(
    (one) => one.accountId === accountId && sameName(one.user, connectRequest.signIn),
  );
  const refused = refusalOf({ connectRequest, user, accountId, identity, before, isKnown });
  if (refused !== undefined) return refused;
  const { accessToken, refreshToken } = grant;
  if (accessToken === undefined || refreshToken === undefined) return { kind: 'no-refresh-token' };

  const [resource = 'outlook', ...others] = resourcesAsked(provider, connectRequest.protocols);
  const { shared } = connectRequest;
  const scopesFor = (one: Resource): readonly string[] =>
    mailScopesOf(provider, deps.config, connectRequest.protocols, { shared, resource: one });
  const asked = scopesFor(resource);
  const granted = grant.scopes ?? asked;
  const missing = asked.filter((scope) => !granted.some((one) => sameScope(one, scope)));
  if (missing.length === asked.length) return { kind: 'no-mail-scope' };

  const now = deps.seam.now();
  const at = new Date(now).toISOString();
  if (!(await useInvitation(deps, startedBy, { at, accountId, user }))) return { kind: 'invitation-over' };
  const ref = { providerId: provider.id, accountId };
  const signedInBefore = known.find((one) => one.accountId === accountId);
  const lifetime = lifetimeOf(grant.expiresInSeconds, now);
  const access = await deps.sealer.seal(accessToken, tokenContext(ref, purposeFor(resource), provider));
  const refresh = await deps.sealer.seal(refreshToken, tokenContext(ref, 'refresh', provider));
  const none = { access: undefined, receivedAt: at, accessExpiresAt: at, refreshAt: at };
  const received: Pick<Account, 'tokens' | 'graph'> = {
    tokens: {
      ...(resource === 'outlook' ? { access, ...lifetime } : (signedInBefore?.tokens ?? none)),
      refresh,
      previousRefresh: undefined,
    },
    ...(resource === 'graph'
      ? { graph: { access, ...lifetime } }
      : signedInBefore?.graph !== undefined && { graph: signedInBefore.graph }),
  };
  const account: Account = {
    ...ref,
    identity,
    user,
    address: connectRequest.address,
    scopes: scopesAfter(
      // What the person has just allowed for another resource; its first token shows what was granted.
      [...new Set([...(signedInBefore?.scopes ?? []), ...others.flatMap(scopesFor)])],
      resource,
      granted,
    ),
    ...received,
    state: 'ok',
    stateSince: at,
    problem: undefined,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
    consentedAt: at,
    consentedBy: startedBy.kind === 'principal' ? startedBy.id : 'invitation',
  };
  const replacement =
    before && planReplacement(await deps.mailboxes.list(), before, connectRequest.reconnect?.mailboxId);
  await deps.audit.record(connectionEntry({ at: now, attempt, account, replacement, ...answer }));
  await deps.accounts.save(account);
  if (replacement !== undefined) await replaceAccount(deps, replacement, account);
  const replaced = replacement && {
    account: replacement.before,
    mailboxes: replacement.moved.map(({ address }) => address),
  };
  return { kind: 'connected', account, missing, replaced };
}

/** The account that this one would replace; undefined when it replaces none. */
function accountBefore(
  known: readonly Account[],
  connectRequest: ConnectRequest,
  user: string,
  accountId: string,
): Account | undefined {
  const others = known.filter((account) => account.accountId !== accountId);
  const { reconnect } = connectRequest;
  return reconnect === undefined
    ? others.find((account) => sameName(account.user, user))
    : others.find((account) => account.accountId === reconnect.accountId);
}

function refusalOf(seen: {
  connectRequest: ConnectRequest;
  user: string;
  accountId: string;
  identity: Identity;
  before: Account | undefined;
  /** This identity has already been connected under the expected name. */
  isKnown: boolean;
}): RefusedGrant | undefined {
  const { connectRequest, user, accountId, identity, before, isKnown } = seen;
  const { replacement } = connectRequest;
  if (replacement?.kind === 'this' && replacement.accountId === accountId) return undefined;
  // The same identity under a new username is still the same account.
  if (connectRequest.reconnect?.accountId === accountId) return undefined;
  const { subject, claimed } = identity;
  const named = identity.user ?? claimed ?? connectRequest.signIn;
  if (!sameName(named, connectRequest.signIn)) return { kind: 'other-account', signedIn: named, accountId };
  if (identity.user === undefined && !isKnown && connectRequest.confirmed !== accountId)
    return { kind: 'unnamed-account', subject, claimed, accountId };
  if (before === undefined || replacement?.kind === 'any') return undefined;
  return { kind: 'other-identity', signedIn: user, accountId, before: before.identity, now: identity };
}

async function useInvitation(
  { invitations, seam }: AcceptDeps,
  startedBy: Initiator,
  done: { at: string; accountId: string; user: string },
): Promise<boolean> {
  if (startedBy.kind === 'principal') return true;
  const used = await invitations.change(startedBy.key, (invitation) =>
    stateOfInvitation(invitation, seam.now()) === 'open' ? { ...invitation, done } : undefined,
  );
  return used !== undefined;
}

/** The id_token validation checks the provider's issuer; the tenant is part of an account's identity. */
const isOtherTenant = ({ tenant }: Provider, { tenantId }: Identity): boolean =>
  tenant !== undefined && tenantId !== undefined && GUID.test(tenant) && !sameName(tenant, tenantId);

const unnamed = (provider: Provider, user: string): Identity => {
  if (traitsOf(provider).settingsFrom !== 'admin')
    throw new PostroomError('no-identity', `${provider.name} did not say who signed in.`);
  return {
    issuer: provider.id,
    subject: user.toLowerCase(),
    tenantId: undefined,
    objectId: undefined,
    user,
    name: undefined,
  };
};

const sameName = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
const lastPart = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1).toLowerCase();
/** Microsoft shortens or lengthens scope names in its responses. */
const sameScope = (a: string, b: string): boolean =>
  a.toLowerCase() === b.toLowerCase() || (lastPart(b) !== '' && lastPart(a) === lastPart(b));
