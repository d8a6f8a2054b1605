import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths, platformPaths } from '../paths/paths.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Principal } from '../platform/principal.ts';
import { iconPath, scriptPath, stylesheetPath } from './assets.ts';
import { safeHref } from './links.ts';
import { mastheadFacts } from './masthead-facts.ts';

export interface Flash {
  kind: 'success' | 'warning' | 'error';
  text: string;
}

export type Place =
  | 'home'
  | 'tickets'
  | 'find-email'
  | 'unimported'
  | 'alerts'
  | 'activity'
  | 'mailboxes'
  | 'providers'
  | 'secrets'
  | 'health'
  | 'audit';

interface PageProps {
  title: string;
  /** Who is signed in; without one (invitation, sign-in pages) there is no navigation. */
  principal?: Principal | undefined;
  /** Which place of the navigation the page belongs to. */
  place?: Place | undefined;
  flash?: Flash | undefined;
  /** Uses the whole width: lists and tickets. Forms and prose stay narrow. */
  wide?: boolean | undefined;
  /** The page came back with mistakes to correct; said first in the title, where a screen reader begins. */
  hasErrors?: boolean | undefined;
  /** Goes on to this address at once; a form's redirect may not leave our origin under the page policy. */
  refreshTo?: string | undefined;
  children: Child;
}

interface PlaceLink {
  place: Place;
  href: string;
  label: string;
}

/** What an agent works with. */
const daily: readonly PlaceLink[] = [
  { place: 'home', href: paths.home(), label: 'Home' },
  { place: 'tickets', href: paths.tickets(), label: 'Tickets' },
  { place: 'find-email', href: paths.findEmail(), label: 'Find email' },
  { place: 'unimported', href: paths.unimported(), label: 'Unimported email' },
  { place: 'alerts', href: paths.alerts(), label: 'Alerts' },
  { place: 'activity', href: paths.activity(), label: 'Activity' },
];

/** What only an admin may open. */
const administration: readonly PlaceLink[] = [
  { place: 'mailboxes', href: paths.mailboxes(), label: 'Mailboxes' },
  { place: 'providers', href: paths.providers(), label: 'Providers' },
  { place: 'secrets', href: paths.secrets(), label: 'Secrets' },
  { place: 'health', href: paths.health(), label: 'Health' },
  { place: 'audit', href: paths.audit(), label: 'Audit log' },
];

/** A whole document. Pass it to `renderPage`. */
export function Page(props: PageProps): JSX.Element {
  const refresh = props.refreshTo === undefined ? undefined : safeHref(props.refreshTo);
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {refresh === undefined ? null : <meta http-equiv="refresh" content={`0; url=${refresh}`} />}
        <title>{`${props.hasErrors === true ? 'Error: ' : ''}${props.title} · Postroom`}</title>
        <link rel="icon" type="image/svg+xml" href={iconPath} />
        <link rel="stylesheet" href={stylesheetPath} />
        <script type="module" src={scriptPath} />
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to content
        </a>
        <Masthead principal={props.principal} place={props.place} />
        <main id="content" class={props.wide === true ? 'wide' : 'narrow'} tabindex={-1}>
          {props.flash === undefined ? null : <FlashNote flash={props.flash} />}
          <h1>{breakable(props.title)}</h1>
          {props.children}
        </main>
        {props.principal === undefined ? null : <Footer />}
      </body>
    </html>
  );
}

/** A long address breaks after its @ before it breaks anywhere. */
function breakable(title: string): Child {
  return title.split(/(?<=@)/).map((part, index) => (index === 0 ? part : [<wbr />, part]));
}

function Masthead(props: { principal: Principal | undefined; place: Place | undefined }): JSX.Element {
  const { principal, place } = props;
  return (
    <header class="masthead">
      <div class="masthead-row">
        <a class="brand" href={paths.home()}>
          <img src={iconPath} alt="" width="28" height="28" />
          Postroom
        </a>
        {principal === undefined ? null : (
          <>
            <p class="who">
              <span class="who-name">{principal.name}</span>
              <a href={platformPaths.signOut()}>Sign out</a>
            </p>
            <nav aria-label="Main">
              <PlaceLinks links={daily} place={place} />
              {principal.roles.includes('admin') ? <PlaceLinks links={administration} place={place} /> : null}
            </nav>
          </>
        )}
      </div>
    </header>
  );
}

function PlaceLinks(props: { links: readonly PlaceLink[]; place: Place | undefined }): JSX.Element {
  return (
    <ul>
      {props.links.map(({ place, href, label }) => (
        <li>
          <a href={href} aria-current={place === props.place ? 'page' : undefined}>
            {label}
            {place === 'alerts' ? <AlertBadge /> : null}
          </a>
        </li>
      ))}
    </ul>
  );
}

function AlertBadge(): JSX.Element | null {
  const open = mastheadFacts.getStore()?.openAlerts() ?? 0;
  if (open === 0) return null;
  return (
    <>
      {' '}
      <span class="badge">
        {open > 99 ? '99+' : open}
        <span class="unseen"> open</span>
      </span>
    </>
  );
}

function Footer(): JSX.Element {
  return (
    <footer class="footer">
      <a href={paths.errorLookup()}>Error lookup</a>
    </footer>
  );
}

function FlashNote(props: { flash: Flash }): JSX.Element {
  const { kind, text } = props.flash;
  return (
    <div class={`flash ${kind}`} role={kind === 'success' ? 'status' : 'alert'}>
      <p>{text}</p>
    </div>
  );
}

/**
 * The document as a string.
 * @throws PostroomError `page-not-ready` when a part of the page is a promise: pages get their values before they are drawn.
 */
export function renderPage(element: JSX.Element): string {
  const html: unknown = element.toString();
  if (typeof html !== 'string')
    throw new PostroomError(
      'page-not-ready',
      'A part of the page is a promise; await its value before drawing',
    );
  return `<!doctype html>${html}`;
}
