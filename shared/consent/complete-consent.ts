import type { AccessTokens } from '../accounts/access-token.ts';
import { resourcesOfAccount } from '../accounts/account-resources.ts';
import type { Explanation } from '../explanations/explanation.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import { describeError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { resourcesOf } from '../providers/protocol-access.ts';
import { type Approval, takesApproval } from './approval.ts';
import { type ApprovalDeps, askApproval } from './ask-approval.ts';
import { needsApproval } from './explain-outcome.ts';
import {
  type AuthorizationCallback,
  type ConsentOutcome,
  type FinishDeps,
  finishConsent,
} from './finish-consent.ts';

export type FailedConsent = Exclude<ConsentOutcome, { kind: 'connected' }>;

export type CompletedConsent =
  | ConsentOutcome
  /** A tenant admin has to consent first. The initiator's page has the link to send. */
  | { kind: 'waiting-for-approval'; approval: Approval };

export interface CompleteDeps extends FinishDeps, ApprovalDeps {
  mailboxes: FinishDeps['mailboxes'] & Pick<MailboxStore, 'setFailure'>;
  accessTokens: Pick<AccessTokens, 'forget' | 'renew'>;
  /** The catalogue's explanation of an outcome; stored with the approval request. */
  explainOutcome(outcome: FailedConsent): Promise<Explanation | undefined>;
}

/**
 * Processes a callback: stores the account with its audit entry and fetches a mailbox that waited for it at
 * the next minute, or requests admin consent.
 */
export async function completeConsent(
  deps: CompleteDeps,
  callback: AuthorizationCallback,
): Promise<CompletedConsent> {
  const outcome = await finishConsent(deps, callback);
  if (outcome.kind !== 'connected') {
    const approval = await requestApproval(deps, outcome);
    return approval === undefined ? outcome : { kind: 'waiting-for-approval', approval };
  }
  deps.accessTokens.forget(outcome.account);
  await redeemOthers(deps, outcome);
  const { reconnect } = outcome.connectRequest;
  // The cause of the mailbox's failure is fixed, so it is fetched at the next minute instead of at its next
  // retry. A crash before this only delays the fetch.
  if (reconnect !== undefined) await deps.mailboxes.setFailure(reconnect.mailboxId, undefined);
  return outcome;
}

/**
 * The code was redeemed for one resource. The refresh token brings the token for each other one now, and
 * with it what was granted there. The account is stored: a failure here only shows at its first use.
 */
async function redeemOthers(
  { accessTokens }: CompleteDeps,
  { account, connectRequest }: Extract<ConsentOutcome, { kind: 'connected' }>,
): Promise<void> {
  const [, ...others] = resourcesOf(connectRequest.protocols);
  for (const resource of others) {
    if (!resourcesOfAccount(account).includes(resource)) continue;
    try {
      await accessTokens.renew(account, { resource, again: true });
    } catch (error) {
      log.warn('second resource not redeemed', { account: account.accountId, error: describeError(error) });
    }
  }
}

/** Undefined when admin consent can't help, or when the invitation that started the consent is gone. */
async function requestApproval(deps: CompleteDeps, outcome: FailedConsent): Promise<Approval | undefined> {
  if (!needsApproval(outcome) || !('connectRequest' in outcome)) return undefined;
  const { connectRequest, startedBy } = outcome;
  const provider = await deps.providers.get(connectRequest.providerId);
  if (provider === undefined || !takesApproval(provider)) return undefined;
  const explanation = await deps.explainOutcome(outcome);
  const approval = await askApproval(deps, { connectRequest, startedBy }, explanation);
  if (startedBy.kind === 'principal') return approval;
  const waiting = await deps.invitations.change(startedBy.key, (invitation) => ({
    ...invitation,
    approvalKey: approval.key,
  }));
  return waiting && approval;
}
