import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import type { ConversationPlace } from './conversation.tsx';

/** Navigation of a long conversation: earlier messages, and back to the newest. */
export function ConversationPager(props: {
  place: ConversationPlace;
  /** Show messages before this `messageRef`; absent on the oldest page. */
  earlier: string | undefined;
  messageCount: number;
}): JSX.Element | null {
  const { place, earlier, messageCount } = props;
  if (earlier === undefined && place.before === undefined) return null;
  return (
    <nav class="pager" aria-label="Parts of the conversation">
      {earlier === undefined ? null : (
        <a
          class="button secondary"
          rel="next"
          href={paths.ticket({ id: place.ticketId }, { before: earlier })}
        >
          ← Earlier messages
        </a>
      )}
      <span class="muted">{messageCount} messages in all</span>
      {place.before === undefined ? null : (
        <a class="button secondary" href={paths.ticket({ id: place.ticketId })}>
          Newest messages →
        </a>
      )}
    </nav>
  );
}
