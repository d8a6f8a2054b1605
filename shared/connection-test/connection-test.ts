import { explainProblem, explainText } from '../explanations/explain.ts';
import type { ExplainContext, Explanation } from '../explanations/explanation.ts';
import type { MailWay } from '../mailboxes/mailbox-form.ts';

/** In the order in which they run; each protocol has its own subset. */
export const stepNames = [
  'dns',
  'tcp',
  'tls',
  'token',
  'sign-in',
  'folder',
  'count',
  'send',
  // Looks for the test email.
  'arrival',
] as const;
export type StepName = (typeof stepNames)[number];

export interface Step {
  name: StepName;
  state: 'passed' | 'failed' | 'waiting';
  ms: number;
  /** The result, in a sentence for a person. */
  found: string;
  /** The message of the server or the network after a failure; never a token. */
  evidence?: string | undefined;
  /** What further probes have shown about a failure. */
  narrowed?: string | undefined;
  /** Further probes have shown that the protocol is switched on for this mailbox; absent: not known. */
  protocolWorks?: boolean | undefined;
}

/** A test email that has been sent. */
export interface ExpectedMail {
  /** Unique text in its subject. */
  mark: string;
  /** ISO times. */
  sentAt: string;
  until: string;
}

/** One test of one protocol of a mailbox. */
export interface ConnectionTest {
  protocol: MailWay;
  /** Host and port; undefined for the relay, whose address is a secret. */
  server: string | undefined;
  /** ISO time. */
  startedAt: string;
  steps: readonly Step[];
  /** The protocol log, without tokens and message text. */
  transcript: readonly string[];
  expected?: ExpectedMail | undefined;
}

/** The first failed step; undefined if none has failed. */
export const failedStep = ({ steps }: ConnectionTest): Step | undefined =>
  steps.find(({ state }) => state === 'failed');

export const isWaiting = ({ steps }: ConnectionTest): boolean =>
  steps.some(({ state }) => state === 'waiting');

/** Why a step failed and how to fix it. Pure. */
export function explainStep(step: Step, context: ExplainContext): Explanation {
  // With a server's message, the search itself failed.
  if (step.name === 'arrival' && step.evidence === undefined)
    return explainProblem('mail-not-arrived', context);
  return explainText({ text: step.evidence ?? '', context });
}
