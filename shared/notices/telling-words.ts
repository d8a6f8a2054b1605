import { fixerInWords } from '../explanations/fixer-words.ts';
import { paths } from '../paths/paths.ts';
import type { Telling, What } from './telling.ts';

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

/** One line: what a mail's subject and the title of a card say. */
export function titleOf({ what, condition }: Telling): string {
  return `${begins[what]}${condition.headline}`.replaceAll(/\s+/g, ' ').slice(0, 200);
}

/** An absolute address: the pages' own paths begin with a slash. */
export const linkOf = ({ condition }: Telling, publicUrl: string): string =>
  condition.fix.href.startsWith('/') ? `${publicUrl}${condition.fix.href}` : condition.fix.href;

/** What there is to say beside the title, in order. */
export function factsOf(telling: Telling): { term: string; detail: string }[] {
  const { condition, what } = telling;
  if (what === 'closed')
    return [
      { term: 'It was', detail: condition.cause },
      { term: 'From', detail: inWords(condition.since) },
      { term: 'Until', detail: inWords(telling.at) },
    ];
  return [
    { term: 'Why', detail: condition.cause },
    { term: 'Since', detail: inWords(condition.since) },
    { term: 'Mail', detail: condition.affected },
    { term: 'Who can fix it', detail: fixerInWords(condition.who) },
  ];
}

/** The whole as plain text. */
export function textOf(telling: Telling, publicUrl: string): string {
  const facts = factsOf(telling).map(({ term, detail }) => `${term}: ${detail}`);
  const end =
    telling.what === 'closed'
      ? `Nothing is left to do. All notices: ${publicUrl}${paths.alerts()}`
      : `${telling.condition.fix.label}: ${linkOf(telling, publicUrl)}`;
  return [titleOf(telling), '', ...facts, '', end, ''].join('\n');
}
