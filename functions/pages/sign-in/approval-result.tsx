import { type ApprovalOutcome, finishApproval } from '../../../shared/consent/finish-approval.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { recordRefusal } from '../../http/record-refusal.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { approvalOutcomePage } from './approval-outcome.tsx';
import { keepApprovalCookie, keptApprovalOf } from './consent-cookies.ts';
import { explainedFor } from './outcome-view.tsx';

/** The parameters that are read from the provider's response to an approval. */
const READ = ['admin_consent', 'tenant', 'state', 'error', 'error_description'];
/**
 * Characters stored per value: a cookie is limited to 4 KB, and Microsoft's errors start with the important
 * part.
 */
const LONGEST = 1000;

/**
 * The page after admin consent, for a tenant admin who may have no role in Postroom. The response is kept in a cookie, so
 * that the address stays clean and a reload shows the same result.
 */
export async function showApprovalResult(c: PageContext): Promise<Response> {
  const kept = keptApprovalOf(c);
  const parameters = new URLSearchParams(kept ?? '');
  const outcome = await finishApproval(c.get('services'), parameters);
  // Granted a moment ago in this browser.
  const shown: ApprovalOutcome =
    outcome.kind === 'granted-before' && parameters.get('taken') === 'granted'
      ? { kind: 'granted', approval: outcome.approval, providerName: '' }
      : outcome;
  const explanation = await explainedFor(c, shown, parameters);
  return c.html(approvalOutcomePage(shown, explanation), isGood(shown) ? 200 : 400);
}

/** Handles the callback of an approval. */
export async function answerApproval(c: PageContext, parameters: URLSearchParams): Promise<Response> {
  const outcome = await finishApproval(c.get('services'), parameters);
  if (outcome.kind === 'unknown-approval') recordRefusal(c, 'unknown-approval');
  const kept = new URLSearchParams({ taken: outcome.kind });
  for (const name of READ) {
    const value = parameters.get(name);
    if (value !== null) kept.set(name, value.slice(0, LONGEST));
  }
  keepApprovalCookie(c, kept.toString());
  return c.redirect(paths.approvalResult(), 303);
}

const isGood = ({ kind }: ApprovalOutcome): boolean =>
  kind === 'granted' || kind === 'set-up-granted' || kind === 'reported';
