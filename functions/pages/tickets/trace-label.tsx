import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Trace } from '../../../shared/intake/trace-email.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { StatusLabel } from '../../../shared/ui/lists.tsx';

const labels: Readonly<Record<Trace['outcome'], { kind: 'good' | 'warn' | 'quiet'; word: string }>> = {
  ticket: { kind: 'good', word: 'In a ticket' },
  skipped: { kind: 'quiet', word: 'Skipped' },
  'not-imported': { kind: 'warn', word: 'Not imported' },
  'in-progress': { kind: 'quiet', word: 'In progress' },
};

/** The outcome of an email, with a link to its ticket if there is one. */
export function TraceLabel(props: { trace: Trace }): JSX.Element {
  const { outcome, ticket } = props.trace;
  return (
    <>
      <StatusLabel kind={labels[outcome].kind}>{labels[outcome].word}</StatusLabel>
      {ticket === undefined ? null : (
        <>
          {' '}
          <a href={paths.ticket({ id: ticket.id })}>Ticket #{ticket.number}</a>
        </>
      )}
    </>
  );
}
