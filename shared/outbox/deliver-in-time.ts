import { withinTime } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import { type DeliveryOutcome, type DeliveryProblem, SENDING_MS } from './delivery.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import type { WayOut } from './way-out.ts';

/** Hands over one email. Ends before its claim does, whatever the server does. */
export async function deliverInTime(way: WayOut, mail: OutgoingMail): Promise<DeliveryOutcome> {
  const problem = (code: 'too-slow' | 'unexpected', reason: string): DeliveryProblem => ({
    code,
    reason,
    isVerdict: false,
  });
  try {
    const delivery = way.deliver(mail);
    if ((await withinTime(delivery, SENDING_MS)) === 'done') return await delivery;
    delivery.catch(() => {});
    return { kind: 'unknown', why: problem('too-slow', 'The server did not answer in time.') };
  } catch (error) {
    // Storage or vault failed before anything was handed over.
    if (error instanceof PostroomError)
      return {
        kind: 'not-started',
        why: { code: error.code, reason: error.message, isVerdict: false },
        permanent: false,
      };
    throw error;
  }
}
