import type { JSX } from 'hono/jsx/jsx-runtime';
import type { UnreadableRow } from '../../../shared/platform/unreadable-rows.ts';

const MAX_NAMED = 5;

/** Shown above a list that omits unreadable rows: how many, and which. Nothing if all were readable. */
export function UnreadableNote(props: { rows: readonly UnreadableRow[] }): JSX.Element | null {
  const { rows } = props;
  const [first] = rows;
  if (first === undefined) return null;
  const more = rows.length - MAX_NAMED;
  return (
    <div class="verdict warn">
      <p>
        {rows.length === 1 ? '1 entry' : `${rows.length} entries`} in this list could not be read and{' '}
        {rows.length === 1 ? 'is' : 'are'} left out. Check the rows in Postroom’s storage account, table{' '}
        {first.table}:
      </p>
      <ul>
        {rows.slice(0, MAX_NAMED).map(({ partitionKey, rowKey }) => (
          <li>
            <code>
              {partitionKey} / {rowKey}
            </code>
          </li>
        ))}
        {more > 0 ? <li>and {more} more</li> : null}
      </ul>
    </div>
  );
}
