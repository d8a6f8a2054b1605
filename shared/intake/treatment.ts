import {
  type ClassSettings,
  classNames,
  handlingOf,
  type MessageClass,
} from '../message-class/message-class.ts';
import { ruleFor, type SenderRule } from '../senders/sender-rule.ts';

/** What the settings make of an email that could be read. The reasons are for a person. */
export type Treatment =
  | { kind: 'ticket'; isAllowed?: true }
  /** Joins its conversation collapsed, and is no news there. Without one it opens a ticket like any other. */
  | { kind: 'fold'; reason: string }
  | { kind: 'skip'; reason: string };

/**
 * What becomes of an email: an always-allowed sender's is never skipped or folded, a blocked one's always skipped; else the
 * mailbox's setting for its class decides. Pure.
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
