import type { JSX } from 'hono/jsx/jsx-runtime';
import { ANNOUNCED_MINUTES } from '../../../shared/mailboxes/look-interval.ts';
import type { Push } from '../../../shared/push/subscription.ts';
import { Time } from '../../../shared/ui/lists.tsx';

/** Whether the mail server announces new email of a mailbox, and if not, why. */
export function PushLine({ push }: { push: Push | undefined }): JSX.Element | null {
  if (push === undefined) return null;
  const { state, since, reason } = push;
  switch (state) {
    case 'living':
      return (
        <p>
          Push: on since <Time at={since} />. Microsoft 365 announces new email, and Postroom also looks every{' '}
          {ANNOUNCED_MINUTES} minutes.
        </p>
      );
    case 'in-doubt':
      return (
        <p>
          Push: in doubt since <Time at={since} />. {reason} Postroom looks at the mailbox as often as set
          below.
        </p>
      );
    default:
      return <p>Push: off. {reason}</p>;
  }
}
