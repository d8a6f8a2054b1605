/** What a bounce says, at the bounce itself and at the email that it reports on. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { bounceExplanations } from '../../../shared/bounces/bounce-explanations.ts';
import type { Bounce } from '../../../shared/tickets/bounce.ts';
import type { TicketMessage } from '../../../shared/tickets/ticket.ts';
import { Time } from '../../../shared/ui/lists.tsx';

export interface ArrivedBounce {
  bounce: Bounce;
  /** ISO time at which it arrived. */
  at: string;
}

/** The bounces among these messages, by the ID of our email that they report on. Pure. */
export function bouncesByEmail(
  messages: readonly Pick<TicketMessage, 'at' | 'bounce'>[],
): ReadonlyMap<string, readonly ArrivedBounce[]> {
  const all = messages.flatMap(({ at, bounce: report }) =>
    report?.emailId === undefined
      ? []
      : report.bounces.map((bounce) => ({ emailId: report.emailId ?? '', bounce, at })),
  );
  return Map.groupBy(all, ({ emailId }) => emailId);
}

/** One entry for each recipient: status, cause, advice and the server’s words. Nothing for other messages. */
export function BounceReportView(props: { bounces: readonly ArrivedBounce[] }): JSX.Element | null {
  const { bounces } = props;
  if (bounces.length === 0) return null;
  return (
    <ul class="plain">
      {bounces.map((each) => (
        <BounceLine {...each} />
      ))}
    </ul>
  );
}

function BounceLine({ bounce, at }: ArrivedBounce): JSX.Element {
  const { kind, recipient, status, reason, said } = bounce;
  const { cause, advice } = bounceExplanations[reason];
  const isDelayed = kind === 'delayed';
  return (
    <li class={isDelayed ? undefined : 'alert'}>
      <p>
        <strong>{isDelayed ? 'Delayed' : 'Not delivered'}</strong>
        {recipient === undefined ? null : ` to ${recipient}`}
        {status === undefined ? null : ` (${status})`}, <Time at={at} />. {cause}
      </p>
      <p>{isDelayed ? 'The mail server keeps trying.' : advice}</p>
      {said === undefined ? null : (
        <p class="small muted" dir="auto">
          The server said: {said}
        </p>
      )}
    </li>
  );
}
