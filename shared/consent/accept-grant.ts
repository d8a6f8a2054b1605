import { type Account, accountIdOf, type Identity, tokenContext } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import { type Grant, lifetimeOf } from '../accounts/grant.ts';
import type { TokenCipher } from '../accounts/token-encryption.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { traitsOf } from '../providers/presets.ts';
import { mailScopesOf, type Provider } from '../providers/provider.ts';
import { connectionEntry } from './connection-entry.ts';
import type { ConnectRequest, Initiator, ConsentAttempt } from './consent.ts';
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

/** Why a grant is not taken; nothing was saved. */
export type RefusedGrant =
  /** Without a refresh token the mailbox would stop within an hour. */
  | { kind: 'no-refresh-token' }
  | { kind: 'no-mail-scope' }
  | { kind: 'other-account'; signedIn: string; accountId: string }
  /** The name is the expected one, but it now belongs to another account of the directory. */
  | { kind: 'other-identity'; signedIn: string; accountId: string; before: Identity; now: Identity }
  /** The provider names no address, or one that it has not verified: a person has to say that it is the right account. */
  | { kind: 'unnamed-account'; subject: string; claimed: string | undefined; accountId: string }
  | { kind: 'untrusted'; reason: string }
  /** The invitation was used, taken back or too old when its bearer came back. */
  | { kind: 'invitation-over' };

export interface Accepted {
  kind: 'connected';
  account: Account;
  /** Mail scopes that were asked for and not granted. */
  missing: readonly string[];
  /** Whose place it took, and at which mailboxes (addresses). */
  replaced: { account: Account; mailboxes: readonly string[] } | undefined;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Compares who signed in with who was expected, and stores the account. An invitation is used up before the account is
 * stored: of two who come back at once, one is told that it is over. The audit entry is written before the account: after
 * a crash an entry may stand without its account, and never an account without its entry.
 * @param answer `initiatorName`: the name of the signed-in person, for the audit
 */
export async function acceptGrant(
  deps: AcceptDeps,
  provider: Provider,
  trip: ConsentAttempt,
  answer: { grant: Grant; identity: Identity | undefined; initiatorName?: string | undefined },
): Promise<Accepted | RefusedGrant> {
  const { wish, startedBy } = trip;
  const { grant, identity: told } = answer;
  // A provider without id_tokens does not say who signed in; the person's own word has to do.
  const identity = told ?? unnamed(provider, wish.signIn);
  if (isOtherTenant(provider, identity))
    return { kind: 'untrusted', reason: 'the account belongs to another tenant than the provider' };
  const accountId = accountIdOf(provider.id, identity);
  const user = identity.user ?? wish.signIn;
  const known = await deps.accounts.listOf(provider.id);
  const before = accountBefore(known, wish, user, accountId);
  const isKnown = known.some((one) => one.accountId === accountId && sameName(one.user, wish.signIn));
  const refused = refusalOf({ wish, user, accountId, identity, before, isKnown });
  if (refused !== undefined) return refused;
  const { accessToken, refreshToken } = grant;
  if (accessToken === undefined || refreshToken === undefined) return { kind: 'no-refresh-token' };

  const asked = mailScopesOf(provider, deps.config, wish.protocols);
  const granted = grant.scopes ?? asked;
  const missing = asked.filter((scope) => !granted.some((one) => sameScope(one, scope)));
  if (missing.length === asked.length) return { kind: 'no-mail-scope' };

  const now = deps.seam.now();
  const at = new Date(now).toISOString();
  if (!(await useInvitation(deps, startedBy, { at, accountId, user }))) return { kind: 'invitation-over' };
  const ref = { providerId: provider.id, accountId };
  const account: Account = {
    ...ref,
    identity,
    user,
    address: wish.address,
    scopes: granted,
    tokens: {
      access: await deps.sealer.seal(accessToken, tokenContext(ref, 'access', provider)),
      refresh: await deps.sealer.seal(refreshToken, tokenContext(ref, 'refresh', provider)),
      previousRefresh: undefined,
      ...lifetimeOf(grant.expiresInSeconds, now),
    },
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
    before && planReplacement(await deps.mailboxes.list(), before, wish.reconnect?.mailboxId);
  await deps.audit.record(connectionEntry({ at: now, trip, account, replacement, ...answer }));
  await deps.accounts.save(account);
  if (replacement !== undefined) await replaceAccount(deps, replacement, account);
  const replaced = replacement && {
    account: replacement.before,
    mailboxes: replacement.moved.map(({ address }) => address),
  };
  return { kind: 'connected', account, missing, replaced };
}

/** The account whose place the one who signed in would take; undefined when it takes nobody's. */
function accountBefore(
  known: readonly Account[],
  wish: ConnectRequest,
  user: string,
  accountId: string,
): Account | undefined {
  const others = known.filter((account) => account.accountId !== accountId);
  const { reconnect } = wish;
  return reconnect === undefined
    ? others.find((account) => sameName(account.user, user))
    : others.find((account) => account.accountId === reconnect.accountId);
}

function refusalOf(seen: {
  wish: ConnectRequest;
  user: string;
  accountId: string;
  identity: Identity;
  before: Account | undefined;
  /** The very account has been connected under the expected name before. */
  isKnown: boolean;
}): RefusedGrant | undefined {
  const { wish, user, accountId, identity, before, isKnown } = seen;
  const { replacement } = wish;
  if (replacement?.kind === 'this' && replacement.accountId === accountId) return undefined;
  // The same identity stays the same one under a new name.
  if (wish.reconnect?.accountId === accountId) return undefined;
  const { subject, claimed } = identity;
  const named = identity.user ?? claimed ?? wish.signIn;
  if (!sameName(named, wish.signIn)) return { kind: 'other-account', signedIn: named, accountId };
  if (identity.user === undefined && !isKnown && wish.confirmed !== accountId)
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

/** The provider's issuer is checked in the id_token; its tenant is what the account is known by. */
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
/** Microsoft shortens or lengthens the names of scopes in its answers. */
const sameScope = (a: string, b: string): boolean =>
  a.toLowerCase() === b.toLowerCase() || (lastPart(b) !== '' && lastPart(a) === lastPart(b));
