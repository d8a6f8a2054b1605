import type { JSX } from 'hono/jsx/jsx-runtime';
import type { FirstFetchCount } from '../../../shared/mailboxes/count-first-fetch.ts';
import type { FirstFetch } from '../../../shared/mailboxes/first-fetch.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { Panel, StatusLabel } from '../../../shared/ui/lists.tsx';

const number = new Intl.NumberFormat('en-GB');
const day = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});

const emails = (count: number, kind = ''): string =>
  `${number.format(count)} ${kind === '' ? '' : `${kind} `}${count === 1 ? 'email' : 'emails'}`;

/** `214 unread emails, 3,112 emails since 1 October 2026.` Pure. @param since `YYYY-MM-DD` */
function inWords(count: FirstFetchCount & { kind: 'counted' }, since: string | undefined): string {
  const unread = emails(count.unread, 'unread');
  if (count.since === undefined || since === undefined) return `${unread}.`;
  return `${unread}, ${emails(count.since)} since ${day.format(new Date(since))}.`;
}

/** The answer to “Count the emails”, above the form. */
export function FirstFetchCountNote(props: {
  count: FirstFetchCount;
  since: string | undefined;
}): JSX.Element {
  const { count, since } = props;
  return count.kind === 'counted' ? (
    <p role="status">In the mailbox: {inWords(count, since)}</p>
  ) : (
    <p role="alert">The emails could not be counted. {count.message}</p>
  );
}

const whatOf = ({ total, since }: FirstFetch): string =>
  since === undefined ? emails(total, 'unread') : `${emails(total)} since ${day.format(new Date(since))}`;

/** Progress of the first fetch, for the list of mailboxes. */
export function FirstFetchProgress(props: { first: FirstFetch; mailbox: Mailbox }): JSX.Element {
  const { first, mailbox } = props;
  const done = `${number.format(first.done)} of ${emails(first.total)}`;
  if (!mailbox.enabled && first.done === 0)
    return (
      <p>
        Waiting to import {whatOf(first)}. <a href={paths.mailboxConnected(mailbox)}>Start the import</a>
      </p>
    );
  return (
    <p>
      <StatusLabel kind="quiet">First import</StatusLabel> {done} processed.
    </p>
  );
}

/** Asks for confirmation before a large first fetch; says what a running one imports. */
export function FirstFetchPanel(props: {
  mailbox: Mailbox;
  first: FirstFetch | undefined;
}): JSX.Element | null {
  const { mailbox, first } = props;
  if (first === undefined) return null;
  if (mailbox.enabled || first.done > 0)
    return (
      <p>
        Postroom imports {whatOf(first)}. <a href={paths.mailboxes()}>Follow the import</a>
      </p>
    );
  return (
    <Panel title="Start the first import?">
      <p>
        {whatOf(first)} would become tickets. Nothing is imported until you start, and no replies are sent. To
        import less, <a href={paths.editMailbox(mailbox)}>choose a date</a>.
      </p>
      <form method="post" action={paths.resumeMailbox(mailbox)}>
        <SubmitButton>Import {emails(first.total)}</SubmitButton>
      </form>
    </Panel>
  );
}
