import type { Bounce, BounceReason } from './bounce.ts';

export interface BounceExplanation {
  /** What happened, in a sentence. */
  cause: string;
  /** What the agent, or whoever is named, can do. */
  advice: string;
}

/** For each reason, shown at the message that bounced. */
export const bounceExplanations: Readonly<Record<BounceReason, BounceExplanation>> = {
  'no-mailbox': {
    cause: 'The address does not exist at the recipient’s mail server.',
    advice: 'Check the address for a typing error, or ask the customer by another way.',
  },
  'no-domain': {
    cause: 'The domain of the address does not exist, or has no mail server.',
    advice: 'Check the part after the @.',
  },
  'mailbox-full': {
    cause: 'The recipient’s mailbox is full.',
    advice: 'Send the reply again later, or tell the customer by another way.',
  },
  'mailbox-disabled': {
    cause: 'The recipient’s mailbox was switched off.',
    advice: 'Ask for another address.',
  },
  'too-large': {
    cause: 'The message is larger than the recipient’s server accepts.',
    advice: 'Send it again with fewer or smaller attachments.',
  },
  'refused-as-spam': {
    cause: 'The recipient’s server took the message for spam, or lists our mail server as a sender of spam.',
    advice: 'An admin checks the reputation of our mail server. The words of the server name the list.',
  },
  'refused-by-policy': {
    cause: 'A rule at the recipient’s server refuses the message.',
    advice: 'Only the recipient’s administrator can change the rule. Send them the words of the server.',
  },
  'sender-refused': {
    cause: 'The server does not accept this sender: it may not send, or not to this recipient.',
    advice: 'An admin checks whether the mailbox may send to other organizations.',
  },
  authentication: {
    cause:
      'The recipient’s server could not verify that the message comes from our domain (SPF, DKIM or DMARC).',
    advice: 'An admin checks the SPF and DKIM records of our domain.',
  },
  relaying: {
    cause: 'A mail server on the way does not pass on messages to this recipient.',
    advice: 'An admin checks the relay, or the recipient’s administrator the domain.',
  },
  content: {
    cause: 'The recipient’s server refuses the content, for example the type of an attachment.',
    advice: 'Send it again without the attachment, or as another type of file.',
  },
  loop: {
    cause: 'The message was passed on in a circle until a server ended it.',
    advice: 'The recipient’s administrator checks the forwarding of this address.',
  },
  network: {
    cause: 'The recipient’s mail server could not be reached.',
    advice: 'Send the reply again later.',
  },
  'server-busy': {
    cause: 'The recipient’s mail server did not accept the message at the time.',
    advice: 'Send the reply again later.',
  },
  expired: {
    cause: 'The mail server tried for days and gave up.',
    advice: 'Send the reply again, or tell the customer by another way.',
  },
  unknown: {
    cause: 'The mail server did not say why in a form that Postroom knows.',
    advice: 'Read the server’s words below, or the whole report.',
  },
};

/** The line at the message that bounced, for example in its timeline. Pure. */
export function bounceInWords({ kind, recipient, status, reason }: Bounce): string {
  const whom = recipient === undefined ? 'The message' : `The message to ${recipient}`;
  const what = kind === 'delayed' ? 'is delayed; the mail server keeps trying' : 'was not delivered';
  return `${whom} ${what}${status === undefined ? '' : ` (${status})`}. ${bounceExplanations[reason].cause}`;
}
