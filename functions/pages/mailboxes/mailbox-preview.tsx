import type { JSX } from 'hono/jsx/jsx-runtime';
import type { MailboxPreview } from '../../../shared/mailboxes/preview-mailbox.ts';
import { Time } from '../../../shared/ui/lists.tsx';

/** The counts and latest subjects of the mailbox, so that a person can recognize it. */
export function MailboxPreviewView(props: {
  preview: Extract<MailboxPreview, { kind: 'opened' }>;
  folder: string;
  /** `h3` inside a panel that has its own heading. */
  heading?: 'h2' | 'h3' | undefined;
}): JSX.Element {
  const { unread, total, latest } = props.preview;
  const Heading = props.heading ?? 'h2';
  return (
    <>
      <p role="status">
        Mailbox opened. {unread} unread of {total} {total === 1 ? 'message' : 'messages'} in {props.folder}.
      </p>
      {latest.length === 0 ? (
        <p>
          The folder is empty. Send an email to the mailbox, and the first ticket appears within a minute.
        </p>
      ) : (
        <>
          <Heading>Latest messages</Heading>
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
          <p class="muted small">Don’t recognize these? You may have connected the wrong mailbox.</p>
        </>
      )}
    </>
  );
}
