import type { AccessTokens } from '../accounts/get-access-token.ts';
import type { Explanation } from '../explanations/explanation.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
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
  /** An admin of the tenant has to agree first. The page of the initiator has the link to send. */
  | { kind: 'waiting-for-approval'; approval: Approval };

export interface CompleteDeps extends FinishDeps, ApprovalDeps {
  mailboxes: FinishDeps['mailboxes'] & Pick<MailboxStore, 'setFailure'>;
  accessTokens: Pick<AccessTokens, 'forget'>;
  /** What the catalogue says of an outcome; kept with the request for approval. */
  explainOutcome(outcome: FailedConsent): Promise<Explanation | undefined>;
}

/**
 * Takes a callback to its end: the account is stored with its audit entry, a mailbox that waited for it is fetched at the
 * next minute, or an admin of the tenant is asked.
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
  const { reconnect } = outcome.wish;
  // What stopped the mailbox is repaired: it is fetched at the next minute, not at its next turn. A crash before this costs
  // that turn only.
  if (reconnect !== undefined) await deps.mailboxes.setFailure(reconnect.mailboxId, undefined);
  return outcome;
}

/** Undefined where no approval can help, or where the invitation that started the trip is gone. */
async function requestApproval(deps: CompleteDeps, outcome: FailedConsent): Promise<Approval | undefined> {
  if (!needsApproval(outcome) || !('wish' in outcome)) return undefined;
  const { wish, startedBy } = outcome;
  const provider = await deps.providers.get(wish.providerId);
  if (provider === undefined || !takesApproval(provider)) return undefined;
  const explanation = await deps.explainOutcome(outcome);
  const approval = await askApproval(deps, { wish, startedBy }, explanation);
  if (startedBy.kind === 'principal') return approval;
  const waiting = await deps.invitations.change(startedBy.key, (invitation) => ({
    ...invitation,
    approvalKey: approval.key,
  }));
  return waiting && approval;
}
