import type { Bounce, BounceReason } from '../tickets/bounce.ts';

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
    advice: 'Check the address for typing errors, or contact the customer in another way.',
  },
  'no-domain': {
    cause: 'The domain of the address does not exist, or has no mail server.',
    advice: 'Check the part after the @ for typing errors.',
  },
  'mailbox-full': {
    cause: 'The recipient’s mailbox is full.',
    advice: 'Send the reply again later, or contact the customer in another way.',
  },
  'mailbox-disabled': {
    cause: 'The recipient’s mailbox was switched off.',
    advice: 'Ask the customer for another address.',
  },
  'too-large': {
    cause: 'The message is larger than the recipient’s server accepts.',
    advice: 'Send it again with fewer or smaller attachments.',
  },
  'refused-as-spam': {
    cause: 'The recipient’s server considers the message spam, or lists our mail server as a source of spam.',
    advice:
      'Ask an admin to check the reputation of our mail server. The server message may name the blocklist.',
  },
  'refused-by-policy': {
    cause: 'A rule at the recipient’s server refuses the message.',
    advice: 'Only the recipient’s administrator can change the rule. Send them the server message.',
  },
  'sender-refused': {
    cause:
      'The server does not accept this sender: it is not allowed to send at all, or not to this recipient.',
    advice: 'Ask an admin whether the mailbox is allowed to send to other organizations.',
  },
  authentication: {
    cause:
      'The recipient’s server could not verify that the message comes from our domain (SPF, DKIM or DMARC).',
    advice: 'Ask an admin to check the SPF and DKIM records of our domain.',
  },
  relaying: {
    cause: 'A mail server on the way does not relay messages to this recipient.',
    advice: 'Ask an admin to check the relay, or the recipient’s administrator to check the domain.',
  },
  content: {
    cause: 'The recipient’s server refuses the content, for example the type of an attachment.',
    advice: 'Send it again without the attachment, or as another type of file.',
  },
  loop: {
    cause: 'The message was forwarded in a loop until a server stopped it.',
    advice: 'Ask the recipient’s administrator to check where this address is forwarded.',
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
    cause: 'The mail server gave up after several attempts.',
    advice: 'Send the reply again, or contact the customer in another way.',
  },
  unknown: {
    cause: 'Postroom does not recognize the reason that the mail server gave.',
    advice: 'Read the server message, or the whole report.',
  },
};

/** The line at the message that bounced, for example in its timeline. Pure. */
export function bounceInWords({ kind, recipient, status, reason }: Bounce): string {
  const whom = recipient === undefined ? 'The message' : `The message to ${recipient}`;
  const what = kind === 'delayed' ? 'is delayed; the mail server keeps trying' : 'was not delivered';
  return `${whom} ${what}${status === undefined ? '' : ` (${status})`}. ${bounceExplanations[reason].cause}`;
}
