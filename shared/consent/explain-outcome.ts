import { codesOf, explainable } from '../accounts/token-failure.ts';
import { entraEntry } from '../explanations/catalogue.ts';
import { explainProblem, explainText } from '../explanations/explain.ts';
import type { ExplainContext, Explanation } from '../explanations/explanation.ts';
import type { VaultCode } from '../platform/problem.ts';
import type { ApprovalOutcome } from './finish-approval.ts';
import type { ConsentOutcome } from './finish-consent.ts';

// Microsoft's error codes for “admin consent required”:
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
const NEEDS_APPROVAL = new Set([65001, 90008, 90093, 90094, 90095, 900941]);

/** Key Vault codes with an explanation of their own; the others would be explained as an outage of the provider. */
const VAULT_EXPLAINED: ReadonlySet<VaultCode> = new Set<VaultCode>([
  'key-vault-denied',
  'key-vault-throttled',
  'no-identity',
]);

type Outcome = Exclude<ConsentOutcome, { kind: 'connected' }> | ApprovalOutcome;

/**
 * The catalogue's explanation of an outcome; undefined when no error of a provider caused it. Pure.
 * @param parameters what the provider sent back; its code and state are not read
 */
export function explainOutcome(
  outcome: Outcome,
  parameters: URLSearchParams,
  context: ExplainContext,
): Explanation | undefined {
  const explanation = explanationOf(outcome, parameters, context);
  return explanation === undefined || explanation.code === 'not-recognised'
    ? undefined
    : forInteractiveSignIn(explanation);
}

/** An interactive sign-in is never retried automatically, so a temporary error becomes “start again”. */
function forInteractiveSignIn(explanation: Explanation): Explanation {
  return explanation.retry === 'by-itself'
    ? { ...explanation, steps: ['Wait a minute, then start the sign-in again.'], retry: 'sign-in-again' }
    : explanation;
}

function explanationOf(
  outcome: Outcome,
  parameters: URLSearchParams,
  context: ExplainContext,
): Explanation | undefined {
  const pasted = (text: string | undefined): Explanation | undefined =>
    text === undefined ? undefined : explainText({ text, context });
  switch (outcome.kind) {
    case 'failed':
      return explainProblem(explainable(outcome.failure), context);
    case 'secret-missing':
      return explainProblem('secret-missing', context);
    case 'vault-away':
      return VAULT_EXPLAINED.has(outcome.code) ? explainProblem(outcome.code, context) : undefined;
    case 'declined':
      return pasted(sentBack(parameters));
    case 'not-granted':
      return pasted(
        outcome.approval === undefined && outcome.provider === undefined
          ? codeSentBack(parameters)
          : sentBack(parameters),
      );
    case 'unknown':
    case 'unknown-approval':
      return pasted(codeSentBack(parameters));
    default:
      return undefined;
  }
}

function sentBack(parameters: URLSearchParams): string | undefined {
  const [error, description] = [parameters.get('error'), parameters.get('error_description')];
  if (error === null && description === null) return undefined;
  return `error: ${error ?? ''}\nerror_description: ${description ?? ''}`;
}

const WORD = /^[a-z_]{1,40}$/;

/**
 * The error code in callback parameters. Without a state that Postroom issued, anyone could have made the
 * URL: the code selects an entry of the catalogue, and none of its text, IDs or links reaches the page.
 */
export function errorCodeIn(parameters: URLSearchParams): string | undefined {
  const number = codesOf(undefined, parameters.get('error_description') ?? undefined).find(
    (code) => entraEntry(code) !== undefined,
  );
  if (number !== undefined) return `AADSTS${number}`;
  const word = parameters.get('error') ?? '';
  return WORD.test(word) ? word : undefined;
}

/** The callback parameters with which a provider returns this code; empty when it is not a code. */
export function parametersOf(code: string): URLSearchParams {
  if (/^AADSTS\d{3,9}$/.test(code)) return new URLSearchParams({ error_description: code });
  return new URLSearchParams(WORD.test(code) ? { error: code } : {});
}

function codeSentBack(parameters: URLSearchParams): string | undefined {
  const code = errorCodeIn(parameters);
  return code !== undefined && WORD.test(code) ? `error: ${code}` : code;
}

/** True when a tenant admin has to consent first. Pure. */
export function needsApproval(outcome: ConsentOutcome): boolean {
  if (outcome.kind === 'declined') return outcome.codes.some((code) => NEEDS_APPROVAL.has(code));
  if (outcome.kind === 'failed') return outcome.failure.codes.some((code) => NEEDS_APPROVAL.has(code));
  return false;
}
