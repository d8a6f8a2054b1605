import { newState } from '../accounts/oauth-client.ts';
import { type VaultFailure, withVault } from '../accounts/vault-failure.ts';
import type { Explanation } from '../explanations/explanation.ts';
import { Secret } from '../platform/secret.ts';
import type { Provider } from '../providers/provider.ts';
import {
  APPROVAL_DAYS,
  type Approval,
  approvalAddress,
  approvalContext,
  approvalKey,
  approvalState,
} from './approval.ts';
import type { ApprovalStore } from './approval-store.ts';
import { type ConsentAttempt, isSameInitiator } from './consent.ts';
import type { SetUpApprovalStore } from './set-up-approval-store.ts';
import { type ConsentDeps, redirectUriOf } from './start-consent.ts';

const DAY_MS = 24 * 60 * 60_000;

export interface ApprovalDeps extends ConsentDeps {
  approvals: ApprovalStore;
  setUpApprovals: SetUpApprovalStore;
}

/**
 * Stores a request for admin consent. An owner who is refused twice gets the same link again, which may
 * have been sent already.
 */
export async function askApproval(
  deps: ApprovalDeps,
  attempt: ConsentAttempt,
  explanation: Explanation | undefined,
): Promise<Approval> {
  const { seam, sealer, approvals } = deps;
  const now = seam.now();
  const asked = (await approvals.list()).find(
    (one) =>
      one.grantedAt === undefined &&
      Date.parse(one.expiresAt) > now &&
      one.connectRequest.providerId === attempt.connectRequest.providerId &&
      one.connectRequest.address === attempt.connectRequest.address &&
      isSameInitiator(one.startedBy, attempt.startedBy),
  );
  if (asked !== undefined) return asked;
  const state = new Secret(approvalState(newState().expose()));
  const key = approvalKey(state.expose());
  const approval: Approval = {
    key,
    ...attempt,
    sealedState: await sealer.seal(state, approvalContext(key)),
    explanation,
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + APPROVAL_DAYS * DAY_MS).toISOString(),
    grantedAt: undefined,
  };
  await approvals.add(approval);
  return approval;
}

/**
 * The link to send to the admin; undefined once it has expired, or when the provider has no tenant-wide
 * consent.
 */
export async function approvalLink(
  deps: ApprovalDeps,
  provider: Provider,
  approval: Approval,
): Promise<{ kind: 'asked'; link: string | undefined } | (ConsentAttempt & VaultFailure)> {
  if (Date.parse(approval.expiresAt) <= deps.seam.now()) return { kind: 'asked', link: undefined };
  const { connectRequest, startedBy } = approval;
  const opened = await withVault(async () => ({
    kind: 'opened' as const,
    state: await deps.sealer.open(approval.sealedState, approvalContext(approval.key)),
  }));
  if (opened.kind === 'vault-away') return { ...opened, connectRequest, startedBy };
  const link = approvalAddress(provider, deps.config, {
    redirectUri: redirectUriOf(deps.config, provider),
    state: opened.state.expose(),
    protocols: connectRequest.protocols,
    shared: connectRequest.shared,
  });
  return { kind: 'asked', link };
}
