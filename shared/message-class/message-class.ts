/** Who wrote an email, as far as its form says: a person, or which kind of machine. */
export const messageClasses = [
  'person',
  'list',
  'notification',
  'auto-reply',
  'out-of-office',
  'bounce',
  'complaint',
  'own',
] as const;
export type MessageClass = (typeof messageClasses)[number];

/** What becomes of an email of a class. */
export const handlings = ['ticket', 'fold', 'skip'] as const;
export type Handling = (typeof handlings)[number];

/** The classes that an admin can set; a person's email always becomes part of a ticket. */
export type SetClass = Exclude<MessageClass, 'person'>;
export const setClasses: readonly SetClass[] = messageClasses.filter((one) => one !== 'person');

/** What a mailbox does differently from `defaultHandling`. */
export type ClassSettings = Readonly<Partial<Record<SetClass, Handling>>>;

/**
 * What other help desks do: automatic replies never reopen a ticket, a bounce is news because somebody got no answer, and
 * what Postroom sent itself does not come back as a ticket.
 */
export const defaultHandling: Readonly<Record<SetClass, Handling>> = {
  list: 'ticket',
  notification: 'ticket',
  'auto-reply': 'fold',
  'out-of-office': 'fold',
  bounce: 'ticket',
  complaint: 'ticket',
  own: 'skip',
};

/** Pure. @param settings of the mailbox */
export function handlingOf(messageClass: MessageClass, settings: ClassSettings = {}): Handling {
  return messageClass === 'person' ? 'ticket' : (settings[messageClass] ?? defaultHandling[messageClass]);
}

/** As labels, filters and reasons name a class. */
export const classNames: Readonly<Record<MessageClass, string>> = {
  person: 'Person',
  list: 'Mailing list',
  notification: 'Notification',
  'auto-reply': 'Automatic reply',
  'out-of-office': 'Out of office',
  bounce: 'Bounce',
  complaint: 'Spam complaint',
  own: 'Sent by Postroom',
};
