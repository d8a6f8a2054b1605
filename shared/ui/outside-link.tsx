import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Filling } from './copy.tsx';
import { safeHref } from './links.ts';

/**
 * A link to another site. It opens a new tab, so that what was typed on this page stays, and says so to those who do not
 * see it; the other site learns neither where it was opened nor gets a hold of this tab.
 */
export function OutsideLink(props: {
  href: string;
  /** Set when the address is filled in from the form's fields. */
  filling?: Filling | undefined;
  children: Child;
}): JSX.Element {
  return (
    <a
      class="outside"
      href={safeHref(props.href)}
      target="_blank"
      rel="noopener noreferrer"
      data-filling={props.filling && JSON.stringify(props.filling)}
    >
      {props.children}
      <span class="unseen"> (opens in a new tab)</span>
    </a>
  );
}
