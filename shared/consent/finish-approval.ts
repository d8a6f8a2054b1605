import type { AuditStore } from '../audit/audit-store.ts';
import { protocols } from '../providers/presets.ts';
import type { Provider } from '../providers/provider.ts';
import { type Approval, approvalKey } from './approval.ts';
import type { ApprovalDeps } from './ask-approval.ts';
import { isStateOf, providerOfSetUpState, registrationOf } from './set-up-approval.ts';

export type ApprovalOutcome =
  | { kind: 'granted'; approval: Approval; providerName: string }
  /** By the link of set-up, which no trip waits for. */
  | { kind: 'set-up-granted'; provider: Provider; first: boolean }
  /** By a link without a state, of Microsoft's portal or of an explanation: nobody can say which provider's. */
  | { kind: 'told' }
  /** No link of Postroom's, or one that was swept. */
  | { kind: 'unknown-approval' }
  | { kind: 'granted-before'; approval: Approval }
  | { kind: 'approval-expired' }
  | { kind: 'provider-missing' }
  | { kind: 'not-granted'; approval?: Approval; provider?: Provider; tenant: string | undefined }
  | { kind: 'other-tenant'; approval?: Approval; tenant: string; expected: string };

export interface FinishApprovalDeps extends ApprovalDeps {
  audit: Pick<AuditStore, 'record'>;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Takes the word of the provider that an admin has accepted for everybody. Nothing is opened by it: the owner of the
 * mailbox still signs in, and a false word only sends them there once more. A refusal leaves the link good. The audit
 * entry of a first grant is written before the grant is kept: a crash leaves no grant without its entry.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent#successful-response
 */
export async function finishApproval(
  deps: FinishApprovalDeps,
  parameters: URLSearchParams,
): Promise<ApprovalOutcome> {
  const state = parameters.get('state') ?? '';
  if (state === '') return withoutState(parameters);
  const setUpOf = providerOfSetUpState(state);
  if (setUpOf !== undefined) return finishSetUp(deps, setUpOf, state, parameters);
  const stored = await deps.approvals.get(approvalKey(state));
  if (stored === undefined) return { kind: 'unknown-approval' };
  const { approval } = stored;
  if (approval.grantedAt !== undefined) return { kind: 'granted-before', approval };
  const now = deps.seam.now();
  if (Date.parse(approval.expiresAt) <= now) return { kind: 'approval-expired' };
  const provider = await deps.providers.get(approval.wish.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  const refusal = refusalIn(parameters, provider);
  if (refusal !== undefined) return { ...refusal, approval };
  const grantedAt = new Date(now).toISOString();
  const granted = { ...approval, grantedAt };
  await recordGrant(deps, provider, approval.wish.address, parameters);
  if (!(await deps.approvals.replace(granted, stored.etag))) return { kind: 'granted-before', approval };
  const forAll = protocols.every((protocol) => approval.wish.protocols.includes(protocol));
  await noteReturn(deps, provider, grantedAt, forAll);
  return { kind: 'granted', approval: granted, providerName: provider.name };
}

/** Writes nothing: anybody can make such an address. */
function withoutState(parameters: URLSearchParams): ApprovalOutcome {
  if (parameters.has('error')) return { kind: 'not-granted', tenant: parameters.get('tenant') ?? undefined };
  return saysTrue(parameters) ? { kind: 'told' } : { kind: 'unknown-approval' };
}

async function finishSetUp(
  deps: FinishApprovalDeps,
  providerId: string,
  state: string,
  parameters: URLSearchParams,
): Promise<ApprovalOutcome> {
  const stored = await deps.setUpApprovals.get(providerId);
  if (stored === undefined || !isStateOf(stored.approval, state)) return { kind: 'unknown-approval' };
  const provider = await deps.providers.get(providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  const now = deps.seam.now();
  const { registration, expiresAt } = stored.approval;
  if (Date.parse(expiresAt) <= now || registration !== registrationOf(provider))
    return { kind: 'approval-expired' };
  const refusal = refusalIn(parameters, provider);
  if (refusal !== undefined) return { ...refusal, ...(refusal.kind === 'not-granted' && { provider }) };
  const first = provider.approvedAt === undefined;
  if (first) {
    await recordGrant(deps, provider, 'all users, during setup', parameters);
    await noteReturn(deps, provider, new Date(now).toISOString(), true);
  }
  return { kind: 'set-up-granted', provider, first };
}

async function recordGrant(
  { audit, seam }: FinishApprovalDeps,
  { id, name }: Provider,
  askedFor: string,
  parameters: URLSearchParams,
): Promise<void> {
  await audit.record({
    at: seam.now(),
    // Whoever holds the link can bring this word. A sign-in that carries the permissions is the proof.
    principal: { id: 'approval-link', name: 'Someone with the admin consent link' },
    action: 'consent reported',
    subject: { kind: 'provider', id, name },
    after: {
      'asked for': askedFor,
      tenant: parameters.get('tenant') ?? undefined,
      verified: 'no: the next sign-in shows it',
    },
  });
}

function refusalIn(
  parameters: URLSearchParams,
  provider: Provider,
):
  | { kind: 'not-granted'; tenant: string | undefined }
  | { kind: 'other-tenant'; tenant: string; expected: string }
  | undefined {
  const tenant = parameters.get('tenant') ?? undefined;
  if (!saysTrue(parameters) || parameters.has('error') || tenant === undefined || !GUID.test(tenant))
    return { kind: 'not-granted', tenant };
  if (GUID.test(provider.tenant ?? '') && tenant.toLowerCase() !== provider.tenant?.toLowerCase())
    return { kind: 'other-tenant', tenant, expected: provider.tenant ?? '' };
  return undefined;
}

const saysTrue = (parameters: URLSearchParams): boolean =>
  parameters.get('admin_consent')?.toLowerCase() === 'true';

/** A browser that comes back with our state shows that the provider knows our redirect URI as well. */
async function noteReturn(
  { providers }: ApprovalDeps,
  { id }: Provider,
  now: string,
  forAll: boolean,
): Promise<void> {
  await providers.change(id, (current) => ({
    ...current,
    redirectSeenAt: current.redirectSeenAt ?? now,
    ...(forAll && { approvedAt: current.approvedAt ?? now }),
  }));
}
