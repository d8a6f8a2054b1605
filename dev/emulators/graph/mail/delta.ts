import type { EmailFile } from '../../mail/mailbox-files.ts';
import { GraphError, graphErrorBody } from '../graph-error.ts';
import { emailsIn } from './folders.ts';
import {
  badMailRequest,
  type MailCall,
  type MailReply,
  type OpenMailbox,
  preference,
  wrongMailMethod,
} from './mail-call.ts';
import { folderId, messageId } from './mail-ids.ts';
import type { FolderLog } from './mail-state.ts';
import { testOf } from './message-query.ts';
import { showMessage, viewOf } from './message-shape.ts';

/** What a token stands for; the query options of a round are those of its first request. */
interface DeltaToken {
  folder: string;
  epoch: number;
  /** Where the round began: 0 is the first one. */
  from: number;
  /** The last change that the client has. */
  seq: number;
  select: string | null;
  filter: string | null;
  changeType: string | null;
  immutable: boolean;
}

const USUAL_PAGE = 10;
const LARGEST_PAGE = 1000;

/**
 * `mailFolders/{id}/messages/delta` (Microsoft: "message: delta"; "Get incremental changes to messages in a
 * folder"). Changes between two requests are found by comparing: an email that came and went in between is
 * never seen.
 */
export async function answerDelta(mailbox: OpenMailbox, call: MailCall, folder: string): Promise<MailReply> {
  if (call.method !== 'GET') throw wrongMailMethod();
  const { query, headers } = call;
  const log = await refreshed(mailbox, folder);
  const token = tokenOf(mailbox, call, folder);
  if (token === 'expired') return expired(mailbox, folder);
  const read = token.select === null ? query : new URLSearchParams({ $select: token.select });
  const view = viewOf({ ...mailbox, immutable: token.immutable }, { ...call, query: read });
  const test = token.filter === null ? undefined : receivedTest(token.filter);
  const wanted = Number(preference(headers, 'odata.maxpagesize') ?? query.get('$top') ?? USUAL_PAGE);
  if (!(wanted >= 1)) throw badMailRequest('Invalid page size.');
  const size = Math.min(wanted, LARGEST_PAGE);

  const open = { ...mailbox, immutable: token.immutable };
  const present = new Map((await emailsIn(mailbox, folder)).map((email) => [email.key, email]));
  const changes = Object.entries(log.emails)
    .filter(([, entry]) => entry.seq > token.seq)
    .sort(([, a], [, b]) => a.seq - b.seq);
  const page = changes.slice(0, size);
  const value: unknown[] = [];
  for (const [key, entry] of page) {
    const email = present.get(key);
    const isNew = entry.born > token.from;
    const kind = email === undefined || entry.isGone === true ? 'deleted' : isNew ? 'created' : 'updated';
    if (token.changeType !== null && token.changeType !== kind) continue;
    if (kind === 'deleted' && isNew) continue;
    if (email === undefined || kind === 'deleted') value.push(removed(open, folder, key));
    else if (test === undefined || (await test(email, async () => undefined)))
      value.push(await showMessage(open, email, view));
  }
  const last = page.at(-1)?.[1].seq ?? log.seq;
  const isLast = page.length === changes.length;
  const link = linkOf(mailbox, folder, isLast ? '$deltatoken' : '$skiptoken', {
    ...token,
    seq: isLast ? log.seq : last,
    from: isLast ? log.seq : token.from,
  });
  return {
    status: 200,
    body: {
      '@odata.context': `${mailbox.world.origin()}/v1.0/$metadata#Collection(message)`,
      ...(isLast ? { '@odata.deltaLink': link } : { '@odata.nextLink': link }),
      value: value.filter((row) => row !== undefined),
    },
    headers: {
      ...(preference(headers, 'odata.maxpagesize') !== undefined && {
        'preference-applied': `odata.maxpagesize=${size}`,
      }),
    },
  };
}

function removed({ files, immutable }: OpenMailbox, folder: string, key: string): Record<string, unknown> {
  const email: EmailFile = { folder, key, size: 0, receivedAt: 0, isSeen: false };
  return { '@removed': { reason: 'deleted' }, id: messageId(files.address, email, immutable) };
}

/** Graph filters changes by the time of receipt and by nothing else. */
function receivedTest(filter: string): ReturnType<typeof testOf> {
  if (!/^\s*receivedDateTime\s+(ge|gt)\s+\S+\s*$/i.test(filter))
    throw badMailRequest('Change tracking is only supported with a filter on receivedDateTime (ge, gt).');
  return testOf(filter);
}

function tokenOf(
  { world, files, immutable }: OpenMailbox,
  { query }: MailCall,
  folder: string,
): DeltaToken | 'expired' {
  const epoch = world.state.epochs[files.address] ?? 0;
  const text = query.get('$deltatoken') ?? query.get('$skiptoken');
  if (text === null || text === '')
    return {
      folder,
      epoch,
      from: 0,
      seq: 0,
      select: query.get('$select'),
      filter: query.get('$filter'),
      changeType: query.get('changeType'),
      immutable,
    };
  const token = readToken(text);
  if (token === undefined || token.folder !== folder)
    throw new GraphError(400, 'SyncStateInvalid', 'Badly formed token.');
  if (token.epoch !== epoch) return 'expired';
  return token;
}

/** Where to start again stands in the header `Location` (Microsoft: "Use delta query", synchronization reset). */
const expired = ({ url, files }: OpenMailbox, folder: string): MailReply => ({
  status: 410,
  body: graphErrorBody(
    'SyncStateNotFound',
    'The sync state generation is not found; generation=0. The delta token is expired and data must be synchronized again.',
  ),
  headers: {
    location: `${url}/mailFolders('${folderId(files.address, folder)}')/messages/delta?$deltatoken=`,
  },
});

function readToken(text: string): DeltaToken | undefined {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as DeltaToken;
  } catch {
    return undefined;
  }
}

function linkOf({ url, files }: OpenMailbox, folder: string, name: string, token: DeltaToken): string {
  const text = Buffer.from(JSON.stringify(token)).toString('base64url');
  return `${url}/mailFolders('${folderId(files.address, folder)}')/messages/delta?${name}=${text}`;
}

/** The folder's log after a look at what is there now. */
async function refreshed(mailbox: OpenMailbox, folder: string): Promise<FolderLog> {
  const { state } = mailbox.world;
  const name = `${mailbox.files.address}|${folder}`;
  const emails = await emailsIn(mailbox, folder);
  state.logs[name] ??= { seq: 0, emails: {} };
  const log = state.logs[name];
  const before = log.seq;
  // The first round shows the newest first.
  const found = log.seq === 0 ? [...emails].reverse() : emails;
  const present = new Set<string>();
  for (const { key, isSeen } of found) {
    present.add(key);
    const known = log.emails[key];
    if (known === undefined || known.isGone === true) {
      log.seq += 1;
      log.emails[key] = { seq: log.seq, born: log.seq, isSeen };
    } else if (known.isSeen !== isSeen) {
      log.seq += 1;
      log.emails[key] = { ...known, seq: log.seq, isSeen };
    }
  }
  for (const [key, entry] of Object.entries(log.emails)) {
    if (entry.isGone === true || present.has(key)) continue;
    log.seq += 1;
    log.emails[key] = { ...entry, seq: log.seq, isGone: true };
  }
  if (log.seq !== before) state.save();
  return log;
}
