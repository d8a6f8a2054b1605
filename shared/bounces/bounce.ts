/** What a bounce says about an email of ours. */

/** Why a message was not delivered, or not yet: each has its explanation (`bounce-explanations.ts`). */
export const bounceReasons = [
  'no-mailbox',
  'no-domain',
  'mailbox-full',
  'mailbox-disabled',
  'too-large',
  'refused-as-spam',
  'refused-by-policy',
  'sender-refused',
  'authentication',
  'relaying',
  'content',
  'loop',
  'network',
  'server-busy',
  'expired',
  'unknown',
] as const;
export type BounceReason = (typeof bounceReasons)[number];

export interface Bounce {
  /** Message-ID of the email that bounced, with angle brackets; absent if the bounce does not name it. */
  messageId: string | undefined;
  /** Lower case; absent if the bounce does not name it. */
  recipient: string | undefined;
  /** Enhanced status code as `5.1.1` (RFC 3463); absent if there is none. */
  status: string | undefined;
  /** The remote server's words, in one line of at most 500 characters. */
  said: string | undefined;
  /** `delayed`: the server keeps trying, and no person needs to act. */
  kind: 'permanent' | 'delayed';
  reason: BounceReason;
}
