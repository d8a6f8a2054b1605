import type { AuditStore } from '../audit/audit-store.ts';
import { type Provider, waysOf } from '../providers/provider.ts';
import { type Approval, approvalKey } from './approval.ts';
import type { ApprovalDeps } from './ask-approval.ts';
import { isStateOf, providerOfSetUpState, registrationOf } from './set-up-approval.ts';

export type ApprovalOutcome =
  | { kind: 'granted'; approval: Approval; providerName: string }
  /** By the set-up link, which no consent attempt waits for. */
  | { kind: 'set-up-granted'; provider: Provider; first: boolean }
  /** By a link without a state, from Microsoft's portal or an explanation: its provider is unknown. */
  | { kind: 'reported' }
  /** Not a link of Postroom's, or one that was purged. */
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
 * Records that the provider reports admin consent. The report gives no access: the mailbox owner still
 * signs in, and a false report only makes them try once more. After a refusal the link stays valid. The
 * audit entry of a first approval is written before the approval: a crash never leaves an approval without
 * its entry. https://learn.microsoft.com/entra/identity-platform/v2-admin-consent#successful-response
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
  const provider = await deps.providers.get(approval.connectRequest.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  const refusal = refusalIn(parameters, provider);
  if (refusal !== undefined) return { ...refusal, approval };
  const grantedAt = new Date(now).toISOString();
  const granted = { ...approval, grantedAt };
  await recordGrant(deps, provider, approval.connectRequest.address, parameters);
  if (!(await deps.approvals.replace(granted, stored.etag))) return { kind: 'granted-before', approval };
  const forAll = waysOf(provider).every((protocol) => approval.connectRequest.protocols.includes(protocol));
  await noteReturn(deps, provider, grantedAt, forAll);
  return { kind: 'granted', approval: granted, providerName: provider.name };
}

/** Writes nothing: anyone can make such a URL. */
function withoutState(parameters: URLSearchParams): ApprovalOutcome {
  if (parameters.has('error')) return { kind: 'not-granted', tenant: parameters.get('tenant') ?? undefined };
  return saysTrue(parameters) ? { kind: 'reported' } : { kind: 'unknown-approval' };
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
    // Anyone with the link can send this report. Only a sign-in with the permissions proves it.
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

/** A browser that returns with our state also proves that the provider knows our redirect URI. */
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
