import { fixerInWords } from '../explanations/fixer-text.ts';
import { paths } from '../paths/paths.ts';
import type { Notification, What } from './notification.ts';

const begins: Readonly<Record<What, string>> = {
  opened: '',
  changed: '',
  repeated: 'Still: ',
  closed: 'Over: ',
};

const clock = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});
/** A point in time for a message, which no script makes relative. */
export const inWords = (at: string): string => `${clock.format(new Date(at))} UTC`;

/** One line: what an email's subject and the title of a card say. */
export function titleOf({ what, finding }: Notification): string {
  return `${begins[what]}${finding.headline}`.replaceAll(/\s+/g, ' ').slice(0, 200);
}

/** An absolute address: the pages' own paths begin with a slash. */
export const linkOf = ({ finding }: Notification, publicUrl: string): string =>
  finding.fix.href.startsWith('/') ? `${publicUrl}${finding.fix.href}` : finding.fix.href;

/** What there is to say beside the title, in order. */
export function factsOf(notification: Notification): { term: string; detail: string }[] {
  const { finding, what } = notification;
  if (what === 'closed')
    return [
      { term: 'It was', detail: finding.cause },
      { term: 'From', detail: inWords(finding.since) },
      { term: 'Until', detail: inWords(notification.at) },
    ];
  return [
    { term: 'Why', detail: finding.cause },
    { term: 'Since', detail: inWords(finding.since) },
    { term: 'Mail', detail: finding.affected },
    { term: 'Who can fix it', detail: fixerInWords(finding.who) },
  ];
}

/** The whole as plain text. */
export function textOf(notification: Notification, publicUrl: string): string {
  const facts = factsOf(notification).map(({ term, detail }) => `${term}: ${detail}`);
  const end =
    notification.what === 'closed'
      ? `Nothing is left to do. All alerts: ${publicUrl}${paths.alerts()}`
      : `${notification.finding.fix.label}: ${linkOf(notification, publicUrl)}`;
  return [titleOf(notification), '', ...facts, '', end, ''].join('\n');
}
