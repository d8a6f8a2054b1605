import type { EmailFile } from '../../mail/mailbox-files.ts';
import { GraphError } from '../graph-error.ts';
import { badMailRequest, type OpenMailbox } from './mail-call.ts';
import { factsOf, type MessageFacts, moment } from './message-facts.ts';

type Test = (email: EmailFile, facts: () => Promise<MessageFacts | undefined>) => boolean | Promise<boolean>;

const ORDER = /^receivedDateTime(?:\s+(asc|desc))?$/i;

/** The order and the choice of `$filter`, `$orderby` and `$search`; without them the newest comes first. */
export async function chooseEmails(
  mailbox: OpenMailbox,
  emails: readonly EmailFile[],
  query: URLSearchParams,
): Promise<EmailFile[]> {
  const filter = query.get('$filter');
  const order = query.get('$orderby');
  const search = query.get('$search');
  // Microsoft: message resource, "list messages", rules for $filter with $orderby and for $search.
  if (search !== null && (filter !== null || order !== null))
    throw badMailRequest("The query parameter '$search' cannot be used with '$filter' or '$orderby'.");
  if (filter !== null && order !== null && !/^\s*\(?\s*receivedDateTime\s/i.test(filter))
    throw new GraphError(
      400,
      'InefficientFilter',
      'The restriction or sort order is too complex for this operation.',
    );
  const direction = order === null ? 'desc' : (ORDER.exec(order.trim()) ?? [])[0];
  if (direction === undefined) throw badMailRequest(`Invalid $orderby: ${order}`);
  const isAscending = order !== null && !/desc$/i.test(order.trim());
  const tests = [
    ...(filter === null ? [] : filter.split(/\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)/i).map(testOf)),
    ...(search === null ? [] : [searchFor(search)]),
  ];
  const chosen: EmailFile[] = [];
  for (const email of emails) if (await passes(mailbox, email, tests)) chosen.push(email);
  // Emails of the same moment keep their order of arrival.
  const sorted = chosen.sort((a, b) => a.receivedAt - b.receivedAt);
  return isAscending ? sorted : sorted.reverse();
}

async function passes(mailbox: OpenMailbox, email: EmailFile, tests: readonly Test[]): Promise<boolean> {
  for (const test of tests) if (!(await test(email, () => factsOf(mailbox, email)))) return false;
  return true;
}

/** Compares whole seconds, as Graph shows them. */
const COMPARISONS: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  eq: (a, b) => a === b,
  ge: (a, b) => a >= b,
  gt: (a, b) => a > b,
  le: (a, b) => a <= b,
  lt: (a, b) => a < b,
};

/**
 * One term of a `$filter`.
 * @throws GraphError 400 for a term not understood here: it must not seem to be obeyed
 */
export function testOf(term: string): Test {
  const plain = term.trim().replace(/^\((.*)\)$/, '$1');
  const [, read] = /^isRead\s+eq\s+(true|false)$/i.exec(plain) ?? [];
  if (read !== undefined) return ({ isSeen }) => isSeen === (read.toLowerCase() === 'true');
  const [, operator = '', date = ''] = /^receivedDateTime\s+(eq|ge|gt|le|lt)\s+(\S+)$/i.exec(plain) ?? [];
  const compare = COMPARISONS[operator.toLowerCase()];
  const wanted = new Date(date);
  if (compare !== undefined && !Number.isNaN(wanted.getTime()))
    return ({ receivedAt }) => compare(moment(new Date(receivedAt)), moment(wanted));
  const [, field, quoted = ''] =
    /^(internetMessageId|from\/emailAddress\/address)\s+eq\s+'((?:[^']|'')*)'$/i.exec(plain) ?? [];
  const value = quoted.replaceAll("''", "'");
  if (field?.toLowerCase() === 'internetmessageid')
    return async (_email, facts) => (await facts())?.internetMessageId === value;
  if (field !== undefined)
    return async (_email, facts) =>
      (await facts())?.from?.emailAddress.address.toLowerCase() === value.toLowerCase();
  throw badMailRequest(`Invalid filter clause: ${plain}`);
}

/** `"words"` or `"subject:words"` or `"from:words"`; the other fields are looked at together. */
function searchFor(search: string): Test {
  const [, field, words = ''] = /^"?(?:(subject|from):)?([^"]*)"?$/i.exec(search.trim()) ?? [];
  return async (_email, facts) => {
    const found = await facts();
    if (found === undefined) return false;
    const sender = `${found.from?.emailAddress.name ?? ''} ${found.from?.emailAddress.address ?? ''}`;
    const texts = {
      subject: found.subject,
      from: sender,
      any: `${found.subject} ${sender} ${String(found['bodyPreview'])}`,
    };
    const text = texts[(field?.toLowerCase() ?? 'any') as keyof typeof texts];
    return text.toLowerCase().includes(words.trim().toLowerCase());
  };
}
