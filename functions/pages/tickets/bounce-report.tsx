/** What a bounce says, at the bounce itself and at the email that it reports on. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { bounceExplanations } from '../../../shared/bounces/bounce-explanations.ts';
import type { Bounce } from '../../../shared/tickets/bounce.ts';
import { Time } from '../../../shared/ui/lists.tsx';

export interface ArrivedBounce {
  bounce: Bounce;
  /** ISO time at which it arrived. */
  at: string;
}

/** One entry for each recipient: status, cause, advice and the server’s words. Nothing for other messages. */
export function BounceReportView(props: { bounces: readonly ArrivedBounce[] }): JSX.Element | null {
  const { bounces } = props;
  if (bounces.length === 0) return null;
  return (
    <div class="bounce">
      <ul class="plain">
        {bounces.map((each) => (
          <BounceLine {...each} />
        ))}
      </ul>
    </div>
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
          Server message: {said}
        </p>
      )}
    </li>
  );
}
