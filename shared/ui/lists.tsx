import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';

/**
 * Rows with a caption and column heads. Give each `<td>` its head as `data-label` and a phone shows a row as a card;
 * without, the table scrolls sideways.
 */
export function DataTable(props: { caption: string; head: readonly string[]; children: Child }): JSX.Element {
  return (
    <section class="table-scroll" aria-label={props.caption} tabindex={0}>
      <table>
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            {props.head.map((head) => (
              <th scope="col">{head === '' ? <span class="unseen">Action</span> : head}</th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </section>
  );
}

/** Nothing yet, nothing that matches, or nothing because something is broken: say which and the one next step. */
export function EmptyState(props: { title: string; children: Child }): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      <div>{props.children}</div>
    </div>
  );
}

/** A colored word, never only a color. */
export function StatusLabel(props: {
  kind: 'good' | 'warn' | 'bad' | 'quiet';
  children: Child;
}): JSX.Element {
  return <span class={`status ${props.kind}`}>{props.children}</span>;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** A point in time with its zone; where the script runs, recent ones read "5 minutes ago". */
export function Time(props: { at: string }): JSX.Element {
  const at = new Date(props.at);
  if (Number.isNaN(at.getTime())) return <>{props.at}</>;
  return (
    <time datetime={at.toISOString()} data-relative="">
      {`${clock.format(at)} UTC`}
    </time>
  );
}

export function Facts(props: { items: readonly { term: string; detail: Child }[] }): JSX.Element {
  return (
    <dl class="facts">
      {props.items.map(({ term, detail }) => (
        <div>
          <dt>{term}</dt>
          <dd>{detail}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Panel(props: { title?: string | undefined; children: Child }): JSX.Element {
  return (
    <section class="panel">
      {props.title === undefined ? null : <h2>{props.title}</h2>}
      {props.children}
    </section>
  );
}
