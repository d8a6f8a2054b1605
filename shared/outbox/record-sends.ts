import type { Activity } from '../activity/activity.ts';
import type { ActivityStore } from '../activity/activity-store.ts';
import type { Seam } from '../platform/seam.ts';
import { telemetry } from '../platform/telemetry.ts';
import type { MailSender, SendingRoute, SendResult } from './send-mail.ts';

interface NoteDeps {
  seam: Pick<Seam, 'now'>;
  activity: Pick<ActivityStore, 'note'>;
}

/**
 * Wraps a sender: each email sent is measured and recorded as activity. Signing in alone is not recorded.
 */
export function recordSends(sender: MailSender, deps: NoteDeps): MailSender {
  return {
    signIn: (route) => sender.signIn(route),
    send: (route, mail) =>
      telemetry.span('send mail', { fields: { route: route.kind } }, async (span) => {
        const began = deps.seam.now();
        const note = async (result: SendResult | undefined): Promise<void> => {
          const kind = result?.kind ?? 'broken-off';
          span.add({ result: kind });
          telemetry.measure('sends', 1, { result: kind });
          const now = deps.seam.now();
          await deps.activity.note([sendActivity(route, result, now, now - began)]);
        };
        try {
          const result = await sender.send(route, mail);
          await note(result);
          return result;
        } catch (error) {
          await note(undefined);
          throw error;
        }
      }),
  };
}

/**
 * Who sent and the result; never the recipient or the content. Pure. `result` undefined: there was no
 * response.
 */
export function sendActivity(
  route: SendingRoute,
  result: SendResult | undefined,
  now: number,
  ms: number,
): Activity {
  const entry = {
    kind: 'send',
    at: new Date(now).toISOString(),
    aboutId: route.kind === 'relay' ? 'relay' : route.account.accountId,
    about: route.kind === 'relay' ? 'SMTP relay' : route.user,
    ms,
  } as const;
  if (result === undefined)
    return {
      ...entry,
      result: 'retrying',
      what: 'Not sent: the server could not be reached, or its response was lost.',
    };
  if (result.kind === 'refused')
    return {
      ...entry,
      result: result.permanent ? 'action-required' : 'retrying',
      what: `Email refused: ${result.reason}`,
    };
  const left = result.refusedRecipients.length;
  return {
    ...entry,
    result: 'done',
    what: left === 0 ? '1 email sent.' : `1 email sent; ${left} of its recipients were refused.`,
  };
}
