import type { Approval } from './approval.ts';
import { approvalKey } from './approval.ts';
import type { ApprovalDeps } from './ask-approval.ts';

export type ApprovalOutcome =
  | { kind: 'granted'; approval: Approval; providerName: string }
  /** No link of Postroom's, or one that was swept. */
  | { kind: 'unknown-approval' }
  | { kind: 'granted-before'; approval: Approval }
  | { kind: 'approval-expired' }
  | { kind: 'provider-missing' }
  | { kind: 'not-granted'; approval: Approval; tenant: string | undefined }
  | { kind: 'other-tenant'; approval: Approval; tenant: string; expected: string };

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Takes the word of the provider that an admin has accepted for everybody. Nothing is opened by it: the owner of the
 * mailbox still signs in, and a false word only sends them there once more. A refusal leaves the link good.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent#successful-response
 */
export async function finishApproval(
  deps: ApprovalDeps,
  parameters: URLSearchParams,
): Promise<ApprovalOutcome> {
  const stored = await deps.approvals.get(approvalKey(parameters.get('state') ?? ''));
  if (stored === undefined) return { kind: 'unknown-approval' };
  const { approval } = stored;
  if (approval.grantedAt !== undefined) return { kind: 'granted-before', approval };
  const now = deps.seam.now();
  if (Date.parse(approval.expiresAt) <= now) return { kind: 'approval-expired' };
  const provider = await deps.providers.get(approval.wish.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  const tenant = parameters.get('tenant') ?? undefined;
  const accepted = parameters.get('admin_consent')?.toLowerCase() === 'true' && !parameters.has('error');
  if (!accepted || tenant === undefined || !GUID.test(tenant))
    return { kind: 'not-granted', approval, tenant };
  if (GUID.test(provider.tenant ?? '') && tenant.toLowerCase() !== provider.tenant?.toLowerCase())
    return { kind: 'other-tenant', approval, tenant, expected: provider.tenant ?? '' };
  const granted = { ...approval, grantedAt: new Date(now).toISOString() };
  if (!(await deps.approvals.replace(granted, stored.etag))) return { kind: 'granted-before', approval };
  return { kind: 'granted', approval: granted, providerName: provider.name };
}
