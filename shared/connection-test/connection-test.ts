import { type ErrorEvidence, explain } from '../explanations/explain.ts';
import type { ExplainContext, Explanation } from '../explanations/explanation.ts';
import type { MailProtocol } from '../mailboxes/mailbox-form.ts';

/** In the order in which they are taken; each protocol has those that it knows. */
export type StepName =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'token'
  | 'sign-in'
  | 'folder'
  | 'count'
  | 'send'
  /** The mail to oneself is looked for. */
  | 'arrival';

export interface Step {
  name: StepName;
  state: 'passed' | 'failed' | 'waiting';
  ms: number;
  /** What was found, in a sentence for a person. */
  found: string;
  /** The words of the server or of the network when it failed; never a token. */
  evidence?: string | undefined;
  /** What further probes have shown about the failure. */
  narrowed?: string | undefined;
}

/** An email to oneself that is under way. */
export interface ExpectedMail {
  /** Stands in its subject and in no other. */
  mark: string;
  /** ISO times. */
  sentAt: string;
  until: string;
}

/** One test of one protocol of a mailbox. */
export interface ConnectionTest {
  protocol: MailProtocol;
  server: string;
  /** ISO time. */
  startedAt: string;
  steps: readonly Step[];
  /** The conversation, without tokens and without text of mail. */
  transcript: readonly string[];
  expected?: ExpectedMail | undefined;
}

/** The first step that failed; undefined while none has. */
export const failedStep = ({ steps }: ConnectionTest): Step | undefined =>
  steps.find(({ state }) => state === 'failed');

export const isWaiting = ({ steps }: ConnectionTest): boolean =>
  steps.some(({ state }) => state === 'waiting');

/** Why a step failed and what to do. Pure. */
export function explainStep(step: Step, context: ExplainContext): Explanation {
  // With words of a server, it was the looking that failed.
  if (step.name === 'arrival' && step.evidence === undefined) return notArrived;
  const evidence: ErrorEvidence = { text: step.evidence ?? '', context };
  return explain(evidence);
}

const notArrived: Explanation = {
  code: 'mail-not-arrived',
  title: 'The test email did not arrive',
  cause:
    'The server accepted the email, but it did not reach the mailbox within two minutes. Either delivery is slow, or a rule moved or deleted it.',
  who: 'mailbox-owner',
  retry: 'after-fix',
  steps: [
    'Check “Junk Email” and “Deleted Items” in the mailbox, and its rules.',
    'If it is nowhere, ask an Exchange admin to run a message trace.',
  ],
  links: [],
  said: '',
};
