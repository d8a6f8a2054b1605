/**
 * Reads a bounce: the delivery report (RFC 3464), or the text of servers that write none (Exchange, Gmail, qmail,
 * Exim, Postfix and others). Pure.
 */
import type { DeliveryFact, ParsedMessage } from '../mime/parsed-message.ts';
import type { Bounce } from './bounce.ts';
import { bounceReason } from './bounce-reason.ts';

export type BouncedMail = Pick<
  ParsedMessage,
  'subject' | 'text' | 'automatic' | 'inReplyTo' | 'references' | 'to'
>;

/** A bounce explains itself before it returns the email. */
const READ_CHARACTERS = 8_000;
const MAX_SAID = 500;
const MAX_BOUNCES = 20;

/**
 * What an email of the class `bounce` says, one entry for each recipient that it names. Empty if it reports only
 * success. An email of another class gives no meaningful result.
 * @param isOurs whether a Message-ID is one of ours; the first that is, is preferred among those the bounce names
 */
export function readBounce(
  mail: BouncedMail,
  isOurs: (messageId: string) => boolean = () => false,
): Bounce[] {
  const { explanation, returned } = splitText(mail.text);
  const messageId = messageIdOf(mail, returned, isOurs);
  const reported = mail.automatic.report?.deliveries ?? [];
  // The message's own fields are a group too, and some servers write Action there.
  const named = reported.filter(({ recipient }) => recipient !== undefined);
  const facts = named.length > 0 ? named : reported.slice(0, 1);
  if (facts.length > 0)
    return facts
      .filter(({ action }) => !/^(?:delivered|relayed|expanded)$/.test(action ?? ''))
      .slice(0, MAX_BOUNCES)
      .map((fact) => bounceOf(fact, messageId, explanation, isDelayedText(mail.subject, explanation)));
  const recipients = recipientsIn(mail, explanation);
  const read = (recipient: string | undefined): Bounce =>
    bounceOf(
      { ...(recipient !== undefined && { recipient }) },
      messageId,
      recipient === undefined ? explanation : around(explanation, recipient),
      isDelayedText(mail.subject, explanation),
    );
  return recipients.length === 0 ? [read(undefined)] : recipients.slice(0, MAX_BOUNCES).map(read);
}

function bounceOf(
  { recipient, action, status: declared, diagnostic }: DeliveryFact,
  messageId: string | undefined,
  explanation: string,
  isDelayed: boolean,
): Bounce {
  const said = diagnostic ?? saidIn(explanation);
  const inWords = statusIn(said ?? '') ?? statusIn(explanation);
  // Servers write 5.0.0 or 4.0.0 where the remote server's words have a better one.
  const status =
    declared === undefined || /^[245]\.[05]\.0$/.test(declared) ? (inWords ?? declared) : declared;
  const delayed = action === undefined ? isDelayed : action === 'delayed';
  const reason = bounceReason(status, `${said ?? ''} ${diagnostic === undefined ? explanation : ''}`);
  return {
    messageId,
    recipient,
    status,
    said: said === undefined || said === '' ? undefined : said.slice(0, MAX_SAID),
    kind: delayed ? 'delayed' : 'permanent',
    reason: reason === 'unknown' && status?.startsWith('4.') === true ? 'server-busy' : reason,
  };
}

// Parts of the text.

/** What begins the returned email, in the words of the common servers. */
const returnedBegins =
  /^(?:[ \t>]*-{2,}.{0,60}\b(?:copy of (?:the|your) (?:message|mail)|original message|returned (?:mail|message)|below this line|message (?:header|follows)|unsent message)\b.*|[ \t]*(?:original message headers|message headers follow|----- ?(?:original|forwarded) (?:message|header)s?.*|the (?:header|body) of the (?:original|message).*))$/im;

function splitText(text: string): { explanation: string; returned: string } {
  const at = returnedBegins.exec(text.slice(0, 64_000))?.index ?? text.length;
  return {
    explanation: text.slice(0, Math.min(at, READ_CHARACTERS)),
    returned: text.slice(at, at + 64_000),
  };
}

function messageIdOf(
  { automatic, text, inReplyTo, references }: BouncedMail,
  returned: string,
  isOurs: (messageId: string) => boolean,
): string | undefined {
  const inText = (part: string): string[] =>
    [...part.matchAll(/^[ \t>]{0,20}(?:original[- ])?message-id:\s{0,5}(<[^<>\s]{1,990}>)/gim)].map(
      ([, id = '']) => id,
    );
  const all = [
    ...(automatic.report?.messageIds ?? automatic.returnedIds ?? []),
    ...inText(returned),
    ...inText(text.slice(0, 64_000)),
    ...inReplyTo,
    ...references.toReversed(),
  ];
  return all.find(isOurs) ?? all[0];
}

/** RFC 3463, or a reply code followed by one. `5.7.1` in a version number or address has digits around it. */
const statusIn = (text: string): string | undefined =>
  /(?:^|[^\d.])([45]\.[0-7]\.\d{1,3})(?![\d.]*\d)/.exec(text)?.[1];

/** The line with the remote server's reply. */
function saidIn(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const at = lines.findIndex(
    (line) => /(?:^|[\s:>"'(<])[45]\d\d(?!-\d{3}\b)[ -](?:[45]\.\d|\S)/.test(line) && !/^date:/i.test(line),
  );
  if (at === -1) return undefined;
  // The reply may continue on the next line.
  return lines
    .slice(at, at + 2)
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const ADDRESS = /[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi;
const notRecipient = /^(?:mailer-daemon|postmaster|mail-daemon)@/i;

/**
 * Failed recipients without a report: `X-Failed-Recipients` (Exim, Gmail), else the addresses of the explanation,
 * except those of the bounce itself.
 */
function recipientsIn({ automatic, to }: BouncedMail, explanation: string): string[] {
  if (automatic.failedAddresses !== undefined) return [...new Set(automatic.failedAddresses)];
  const own = new Set(to.map(({ address }) => address.toLowerCase()));
  const found = [...explanation.matchAll(ADDRESS)].map(([address]) => address.toLowerCase());
  const bracketed = [...explanation.matchAll(/<([^<>\s@]{1,64}@[^<>\s]{1,255})>/g)].map(([, address = '']) =>
    address.toLowerCase(),
  );
  const usable = (all: readonly string[]): string[] => [
    ...new Set(all.filter((address) => !notRecipient.test(address) && !own.has(address))),
  ];
  const named = usable(bracketed);
  return named.length > 0 ? named : usable(found).slice(0, 1);
}

/** What stands below a recipient, up to the next one: qmail and Exim list one reply for each. */
function around(explanation: string, recipient: string): string {
  const at = explanation.toLowerCase().indexOf(recipient);
  if (at === -1) return explanation;
  const rest = explanation.slice(at, at + 1_500);
  const end = rest.slice(recipient.length).search(/\n[ \t]*\n[ \t]*<?[^\s<>@]{1,64}@/);
  const own = end === -1 ? rest : rest.slice(0, recipient.length + end);
  return /\b[45]\d\d\b|[45]\.\d\.\d/.test(own) ? own : `${own}\n${explanation}`;
}

const isDelayedText = (subject: string, explanation: string): boolean =>
  /\b(?:delay(?:ed)?|warning: (?:could not|message)|still (?:being|trying)|transient|verzögert)\b/i.test(
    subject,
  ) ||
  /\b(?:will (?:continue|keep) (?:trying|to (?:try|be made))|delivery attempts will continue|no action is required|has not (?:yet )?been delivered|delayed|you do not need to (?:re)?send)\b/i.test(
    explanation.slice(0, 2_000),
  );
