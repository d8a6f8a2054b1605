import {
  type ClassSettings,
  classNames,
  handlingOf,
  type MessageClass,
} from '../message-class/message-class.ts';
import { ruleFor, type SenderRule } from '../senders/sender-rule.ts';
import type { BounceReport } from '../tickets/bounce.ts';
import { ACKNOWLEDGEMENT_ID } from '../tickets/email-ids.ts';

/** How the settings treat an email that could be read. The reasons are for a person. */
export type Treatment =
  | { kind: 'ticket'; isAllowed?: true }
  /**
   * Joins its conversation collapsed, and is not news there. Without a
   * conversation it opens a ticket like any other.
   */
  | { kind: 'fold'; reason: string }
  | { kind: 'skip'; reason: string };

/**
 * The treatment of an email: an always-allowed sender's is never skipped or folded, a blocked sender's is
 * always skipped. Otherwise the mailbox's setting for the message class decides. Pure.
 */
export function treatmentOf(
  mail: { sender: string | undefined; messageClass: MessageClass },
  settings: ClassSettings | undefined,
  rules: readonly SenderRule[],
): Treatment {
  const rule = ruleFor(rules, mail.sender);
  if (rule?.kind === 'allowed') return { kind: 'ticket', isAllowed: true };
  if (rule !== undefined) return { kind: 'skip', reason: `blocked sender: ${rule.sender}` };
  const name = classNames[mail.messageClass];
  switch (handlingOf(mail.messageClass, settings)) {
    case 'skip':
      return { kind: 'skip', reason: `skipped by the settings of the mailbox: ${name}` };
    case 'fold':
      return { kind: 'fold', reason: `${name}.` };
    case 'ticket':
      return { kind: 'ticket' };
  }
}

/**
 * A bounce about an email of ours that needs no person is no news in its ticket: the server keeps trying, or only
 * the acknowledgement did not arrive. Pure.
 */
export function quietBounce(treatment: Treatment, bounce: BounceReport | undefined): Treatment {
  if (treatment.kind !== 'ticket' || bounce?.emailId === undefined) return treatment;
  if (bounce.emailId === ACKNOWLEDGEMENT_ID)
    return { kind: 'fold', reason: 'Bounce of the acknowledgement.' };
  const isDelayed = bounce.bounces.length > 0 && bounce.bounces.every(({ kind }) => kind === 'delayed');
  return isDelayed ? { kind: 'fold', reason: 'Delay report: the mail server keeps trying.' } : treatment;
}
