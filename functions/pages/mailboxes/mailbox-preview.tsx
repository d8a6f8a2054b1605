import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Look } from '../../../shared/mailboxes/preview-mailbox.ts';
import { Time } from '../../../shared/ui/lists.tsx';

/** What stands in the mailbox: the count and the latest subjects, by which a person knows it again. */
export function MailboxPreviewView(props: {
  look: Extract<Look, { kind: 'opened' }>;
  folder: string;
  /** `h3` inside a panel that has a heading of its own. */
  heading?: 'h2' | 'h3' | undefined;
}): JSX.Element {
  const { unread, total, latest } = props.look;
  const Heading = props.heading ?? 'h2';
  return (
    <>
      <p role="status">
        The mailbox is open. {waiting(unread)}, of {total} in {props.folder}.
      </p>
      {latest.length === 0 ? (
        <p>It is empty. Send it a mail, and the first ticket comes within a minute.</p>
      ) : (
        <>
          <Heading>Its latest mails</Heading>
          <ul class="plain">
            {latest.map(({ subject, receivedAt }) => (
              <li>
                {subject === '' ? '(no subject)' : subject}{' '}
                <span class="muted small">
                  <Time at={receivedAt} />
                </span>
              </li>
            ))}
          </ul>
          <p class="muted small">If you do not know these mails, the wrong mailbox is connected.</p>
        </>
      )}
    </>
  );
}

function waiting(unread: number): string {
  if (unread === 0) return 'No unread mail is waiting';
  return unread === 1 ? '1 unread mail is waiting' : `${unread} unread emails are waiting`;
}
