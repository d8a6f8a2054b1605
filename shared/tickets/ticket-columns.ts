import { z } from 'zod';
import { type MessageClass, messageClasses } from '../message-class/message-class.ts';
import { type Column, json, oneOf, optional, shortText } from '../platform/records.ts';

/** Longest text that is stored in a row. Longer text goes to a blob. */
export const INLINE_CHARACTERS = 24 * 1024;

export const short = shortText(1_000);

/** JSON of the longest prefix of the list that fits a column. The raw email still has the whole list. */
function jsonWithin(list: readonly unknown[]): string {
  let count = list.length;
  let fitting = JSON.stringify(list);
  while (fitting.length > INLINE_CHARACTERS) {
    count = Math.floor((count * INLINE_CHARACTERS) / (fitting.length + 1));
    fitting = JSON.stringify(list.slice(0, count));
  }
  return fitting;
}

/** A list column. @param shorten shortens each entry before it is written */
export const listWithin = <T>(
  one: z.ZodType<T>,
  shorten: (value: T) => T = (value) => value,
): Column<readonly T[]> => ({
  read: json(z.array(one)).read,
  write: (list) => jsonWithin(list.map((value) => shorten(value))),
});

/** The column is empty for `person`, the class of most messages. */
export const messageClass: Column<MessageClass | undefined> = {
  read: optional(oneOf(...messageClasses)).read,
  write: (value) => (value === 'person' ? undefined : value),
};
