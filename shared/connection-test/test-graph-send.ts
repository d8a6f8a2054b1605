import type { Mailbox, SendingLogin } from '../mailboxes/mailbox.ts';
import { reachGraph, tokenStep } from './connect-steps.ts';
import type { TestRunner } from './test-runner.ts';
import { type SmtpTestDeps, sendToOneself } from './test-smtp.ts';
import { tokenFault } from './token-claims.ts';

/**
 * The steps of sending over Microsoft Graph. There is no sign-in of its own: only an email shows what the token may
 * send, so that without `toOneself` the test ends with the token.
 */
export async function testGraphSend(
  run: TestRunner,
  deps: SmtpTestDeps,
  mailbox: Mailbox,
  login: SendingLogin,
  toOneself: boolean,
): Promise<void> {
  await reachGraph(run, deps, login);
  const { user, claims } = await tokenStep(run, deps, login);
  const isShared = user.toLowerCase() !== mailbox.address.toLowerCase();
  const fault = tokenFault(claims, 'graph-send', isShared);
  if (toOneself) await sendToOneself(run, deps, { ...mailbox, sending: login }, fault);
}
