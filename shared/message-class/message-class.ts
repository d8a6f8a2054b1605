/** What kind of sender wrote an email, judging by its headers: a person or a type of automated sender. */
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

/** How email of a class is processed. */
export const handlings = ['ticket', 'fold', 'skip'] as const;
export type Handling = (typeof handlings)[number];

/** The classes that an admin can configure. A person's email always becomes part of a ticket. */
export type SetClass = Exclude<MessageClass, 'person'>;
export const setClasses: readonly SetClass[] = messageClasses.filter((one) => one !== 'person');

/** A mailbox's deviations from `defaultHandling`. */
export type ClassSettings = Readonly<Partial<Record<SetClass, Handling>>>;

/**
 * The common defaults of help desks: automatic replies never reopen a ticket, a bounce does because a reply was
 * not delivered, and Postroom's own email does not become a ticket.
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

/** Pure. @param settings the mailbox's settings */
export function handlingOf(messageClass: MessageClass, settings: ClassSettings = {}): Handling {
  return messageClass === 'person' ? 'ticket' : (settings[messageClass] ?? defaultHandling[messageClass]);
}

/** Names of the classes in labels, filters and reasons. */
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
