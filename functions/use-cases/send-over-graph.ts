import { sendingObservation } from '../../shared/alerts/alert-channels.ts';
import { letterToOneself, newMark } from '../../shared/connection-test/test-smtp.ts';
import { type Mailbox, sendingLoginOf } from '../../shared/mailboxes/mailbox.ts';
import { type MailboxAuthor, mailboxEntry } from '../../shared/mailboxes/mailbox-entry.ts';
import { recordUnsavedUse } from '../../shared/mailboxes/save-mailbox.ts';
import { routeOf } from '../../shared/outbox/send-mail.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Code } from '../../shared/platform/problem.ts';
import type { Services } from '../services.ts';
import { type GraphPlan, graphOf, planGraph } from './read-over-graph.ts';

export type SendingSwitch =
  | { kind: 'switched' }
  | Exclude<GraphPlan, { kind: 'switch' }>
  /** Nothing was changed. */
  | { kind: 'not-sent'; code: Code };

/**
 * Sends as a mailbox over Microsoft Graph from now on, if an email of the mailbox to itself is taken there: nothing
 * else shows what a token may send. Then the emails that wait leave by themselves.
 */
export async function switchSendingToGraph(
  services: Services,
  mailbox: Mailbox,
  author: MailboxAuthor,
): Promise<SendingSwitch> {
  const login = sendingLoginOf(mailbox);
  if (login === undefined) return { kind: 'none' };
  const { account, graph } = await graphOf(services, login);
  const plan = planGraph(mailbox, account, graph, 'graph-send');
  if (plan.kind !== 'switch') return plan;
  const draft = { mailbox: plan.mailbox, before: mailbox, ...author };
  await recordUnsavedUse(services, draft, 'tested');
  const refusedAs = await sendToOneself(services, plan.mailbox);
  if (refusedAs !== undefined) return { kind: 'not-sent', code: refusedAs };
  const at = services.seam.now();
  const entry = { at, action: 'changed', mailbox: plan.mailbox, before: mailbox, after: plan.mailbox };
  await services.audit.record(mailboxEntry(draft, entry));
  await services.mailboxes.save(plan.mailbox);
  await resumeSending(services, plan.mailbox);
  return { kind: 'switched' };
}

/** The server has just taken an email of this mailbox: ends the alert about it, and sends what waits. */
export async function resumeSending(
  { alerts, outbox, seam }: Pick<Services, 'alerts' | 'outbox' | 'seam'>,
  mailbox: Mailbox,
): Promise<void> {
  await alerts.observe(sendingObservation([{ mailbox, refusal: undefined }], seam.now()));
  await outbox.releaseHeld(mailbox.id);
}

/** The code of the refusal; undefined when it was taken. */
async function sendToOneself(
  { mailSender, connectionTests, seam }: Pick<Services, 'mailSender' | 'connectionTests' | 'seam'>,
  mailbox: Mailbox,
): Promise<Code | undefined> {
  const route = routeOf(mailbox);
  if (route === undefined) return 'no-way-out';
  const mark = newMark();
  await connectionTests.expectMark(mark, seam.now());
  try {
    const sent = await mailSender.send(route, letterToOneself(mailbox.address, mark));
    return sent.kind === 'refused' ? sent.code : undefined;
  } catch (error) {
    if (!(error instanceof PostroomError)) throw error;
    return error.code;
  }
}
