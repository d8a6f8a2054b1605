import type { Mailbox } from '../mailboxes/mailbox.ts';
import { isRelayMistake } from '../outbox/relay.ts';
import type { SignInResult } from '../outbox/send-mail.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Code } from '../platform/problem.ts';
import { StepRefused, type TestRunner } from './test-runner.ts';
import { type SmtpTestDeps, sendToOneself } from './test-smtp.ts';

/**
 * The steps of sending over the relay: it connects, encrypts and signs in as every email does, in one step, because the
 * relay's address is a secret that only the sender reads.
 */
export async function testRelay(
  run: TestRunner,
  deps: SmtpTestDeps,
  mailbox: Mailbox,
  toOneself: boolean,
): Promise<void> {
  await run.step('sign-in', async () => {
    const answer = await signIn(deps);
    if (answer.kind === 'refused') throw stepRefused(answer.code, answer.reason);
    if (answer.answer !== '') run.note('server', answer.answer);
    const found =
      answer.answer === ''
        ? 'The relay responds. Its URL has no username, so there is no sign-in.'
        : 'The relay accepts the sign-in.';
    return { value: undefined, found };
  });
  if (toOneself) await sendToOneself(run, deps, mailbox);
}

async function signIn({ mailSender }: Pick<SmtpTestDeps, 'mailSender'>): Promise<SignInResult> {
  try {
    return await mailSender.signIn({ kind: 'relay' });
  } catch (error) {
    if (error instanceof PostroomError && isRelayMistake(error.code))
      throw stepRefused(error.code, error.message);
    throw error;
  }
}

/** Explained by its code: the words of a relay would be taken for those about an account's token. */
const stepRefused = (code: Code, reason: string): StepRefused =>
  isRelayMistake(code) ? new StepRefused(code, reason) : new StepRefused(reason);
