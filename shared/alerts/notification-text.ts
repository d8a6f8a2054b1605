import { fixerInWords } from '../explanations/fixer-text.ts';
import { paths } from '../paths/paths.ts';
import type { Notification, What } from './notification.ts';

const begins: Readonly<Record<What, string>> = {
  opened: '',
  changed: '',
  repeated: 'Still active: ',
  closed: 'Resolved: ',
};

const clock = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});
/** A point in time as text, for a message where no script can make it relative. */
export const inWords = (at: string): string => `${clock.format(new Date(at))} UTC`;

/** One line: the subject of an email, or the title of a card. */
export function titleOf({ what, finding }: Notification): string {
  return `${begins[what]}${finding.headline}`.replaceAll(/\s+/g, ' ').slice(0, 200);
}

/** The absolute URL of the fix; a path of our own pages starts with a slash. */
export const linkOf = ({ finding }: Notification, publicUrl: string): string =>
  finding.fix.href.startsWith('/') ? `${publicUrl}${finding.fix.href}` : finding.fix.href;

/** The facts below the title, in order. */
export function factsOf(notification: Notification): { term: string; detail: string }[] {
  const { finding, what } = notification;
  if (what === 'closed')
    return [
      { term: 'Cause', detail: finding.cause },
      { term: 'Started', detail: inWords(finding.since) },
      { term: 'Resolved', detail: inWords(notification.at) },
    ];
  return [
    { term: 'Cause', detail: finding.cause },
    { term: 'Started', detail: inWords(finding.since) },
    { term: 'Impact', detail: finding.affected },
    { term: 'Who can fix it', detail: fixerInWords(finding.who) },
  ];
}

/** The whole as plain text. */
export function notificationText(notification: Notification, publicUrl: string): string {
  const facts = factsOf(notification).map(({ term, detail }) => `${term}: ${detail}`);
  const end =
    notification.what === 'closed'
      ? `No action needed. All alerts: ${publicUrl}${paths.alerts()}`
      : `${notification.finding.fix.label}: ${linkOf(notification, publicUrl)}`;
  return [titleOf(notification), '', ...facts, '', end, ''].join('\n');
}
