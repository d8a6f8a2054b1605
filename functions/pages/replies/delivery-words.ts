import type { Delivery, DeliveryKind, DeliveryProblem } from '../../../shared/outbox/delivery.ts';

/** A delivery as a person reads it. */
export interface DeliveryWords {
  label: string;
  kind: 'good' | 'warn' | 'bad' | 'quiet';
  /** ISO time of the state. */
  at: string | undefined;
  /** What it means, in sentences. */
  sentences: readonly string[];
  /** ISO time of the next automatic step. */
  next?: { what: string; at: string } | undefined;
  /** The mail server's line. */
  line?: string | undefined;
  /** The line is about the recipients that were not refused. */
  isLineOfRest?: boolean;
  /** Why it did not leave, to be explained. */
  why?: DeliveryProblem | undefined;
  /** The page asks again: the state changes within seconds. */
  isMoving: boolean;
}

/** The monitor queues an email that is due within two minutes; later than that, something holds it back. */
const OVERDUE_MS = 3 * 60_000;

/** Pure. @param now milliseconds since the epoch */
export function deliveryInWords(
  kind: DeliveryKind,
  { status, sentAgainAt }: Delivery,
  now: number,
): DeliveryWords {
  const again =
    sentAgainAt === undefined
      ? []
      : [
          'An earlier attempt got no answer, and the Sent folder did not have the email, so it was sent again. The recipient may have it twice.',
        ];
  switch (status.state) {
    case 'queued':
      return {
        label: 'Queued',
        kind: 'quiet',
        at: undefined,
        sentences:
          now - Date.parse(status.due) > OVERDUE_MS
            ? [
                'Mail servers limit how much an account can send at a time, per minute and per day. It is sent as soon as these limits allow.',
              ]
            : [],
        next: nextOf('Leaves', status.due, now),
        isMoving: true,
      };
    case 'sending':
      return { label: 'Sending', kind: 'quiet', at: status.claimedAt, sentences: again, isMoving: true };
    case 'sent': {
      const refused = status.refused.map(({ address, line }) => `The server refused ${address}: “${line}”`);
      return {
        label: refused.length === 0 ? 'Sent' : 'Sent, not to all',
        kind: refused.length === 0 ? 'good' : 'warn',
        at: status.at,
        sentences: [...(status.foundInSent ? [status.answer] : []), ...refused, ...again],
        ...(!status.foundInSent && { line: status.answer, isLineOfRest: refused.length > 0 }),
        isMoving: false,
      };
    }
    case 'retrying':
      return {
        label: 'Retrying',
        kind: 'warn',
        at: status.at,
        sentences: ['It has not been sent yet. Postroom retries automatically for up to 48 hours.', ...again],
        next: nextOf('Next attempt', status.due, now),
        ...reasonOf(status.why),
        isMoving: false,
      };
    case 'failed':
      return {
        label: 'Failed',
        kind: 'bad',
        at: status.at,
        sentences: status.isOfWayOut ? wayOutWords[kind] : ['It was not sent.'],
        ...reasonOf(status.why),
        isMoving: false,
      };
    case 'unknown':
      return {
        label: 'Unknown',
        kind: 'warn',
        at: status.at,
        sentences: [
          'The connection ended before the server answered, so the recipient may or may not have it.',
          kind !== 'reply'
            ? 'Postroom does not send it again, because an automatic email must never arrive twice.'
            : status.due === undefined
              ? 'Postroom does not send it again automatically. Ask the recipient before you send it again.'
              : 'Postroom looks for it in the Sent folder, and sends it once more if it is not there.',
          ...again,
        ],
        ...(status.due !== undefined && { next: nextOf('Next search', status.due, now) }),
        ...reasonOf(status.why),
        isMoving: false,
      };
    case 'withdrawn':
      return {
        label: 'Undone',
        kind: 'quiet',
        at: status.at,
        sentences: ['It was not sent, because someone stopped it.'],
        isMoving: false,
      };
  }
}

/** A time in the past means that the monitor is late. */
const nextOf = (what: string, due: string, now: number): { what: string; at: string } => ({
  what: Date.parse(due) > now ? what : 'Due since',
  at: due,
});

/** A reply is held until its way out works; nothing else is. */
const wayOutWords: Readonly<Record<DeliveryKind, readonly string[]>> = {
  reply: [
    'It has not been sent yet. The cause is how this mailbox sends, not this reply.',
    'Once that works again, the reply is sent automatically within ten minutes, up to a week after it was written.',
  ],
  acknowledgement: [
    'It was not sent. The cause is how this mailbox sends.',
    'An acknowledgement is not sent later.',
  ],
  notification: [
    'It was not sent. The cause is how this mailbox sends.',
    'A notification is not sent later.',
  ],
};

/** Only a real reply of the server is its line. */
const reasonOf = (why: DeliveryProblem): Pick<DeliveryWords, 'line' | 'why' | 'sentences'> | object =>
  why.isVerdict ? { line: why.reason, why } : { why };
