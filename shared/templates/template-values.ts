import type { Person } from '../tickets/ticket.ts';
import type { TemplateValues } from './template.ts';

/** Longest value from outside: enough for a subject, too short for an advertisement. */
const LONGEST = 200;
const LONGEST_NAME = 60;

export interface TemplateFacts {
  ticket: { number: number; subject: string; requester: Person };
  /** Without a name, its address is its name. */
  mailbox: {
    address: string;
    answers?: { name?: string | undefined; openingHours?: string | undefined } | undefined;
  };
}

/**
 * The values of all variables. Subject and name come from outside, and an acknowledgement repeats them to an
 * address that somebody else may have written: they are cut, and a name with a link in it is replaced by the
 * address. Pure.
 */
export function templateValues({ ticket, mailbox }: TemplateFacts): TemplateValues {
  const { name, address } = ticket.requester;
  const plain = oneLine(name ?? '', LONGEST_NAME);
  return {
    'ticket number': String(ticket.number),
    subject: oneLine(ticket.subject, LONGEST),
    'requester name':
      plain === '' || /:\/\/|www\.|\.\w{2,}\//i.test(plain) ? oneLine(address ?? '', LONGEST) : plain,
    'mailbox name': mailbox.answers?.name ?? mailbox.address,
    'opening hours': mailbox.answers?.openingHours ?? '',
  };
}

function oneLine(text: string, limit: number): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit - 1).toWellFormed()}…` : line;
}
