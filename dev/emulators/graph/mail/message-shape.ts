import type { EmailFile } from '../../mail/mailbox-files.ts';
import { accessDenied, type MailRight, mayUse } from './access.ts';
import { DRAFTS } from './folders.ts';
import { badMailRequest, fingerprint, type MailCall, type OpenMailbox } from './mail-call.ts';
import { folderId, messageId } from './mail-ids.ts';
import { factsOf, moment } from './message-facts.ts';

/** What an email's file tells, without a look at its text. */
const QUICK = new Set([
  'id',
  'changeKey',
  'createdDateTime',
  'lastModifiedDateTime',
  'receivedDateTime',
  'parentFolderId',
  'isRead',
  'isDraft',
  'categories',
  'inferenceClassification',
  'flag',
  'webLink',
]);

/** What Mail.ReadBasic does not give (Microsoft Graph permissions reference). */
const BODY = ['body', 'bodyPreview', 'uniqueBody', 'attachments', 'extensions'];

/** Only shown when `$select` names it. */
const ON_REQUEST = ['internetMessageHeaders'];

const SIZE =
  /^singleValueExtendedProperties\s*\(\s*\$filter\s*=\s*id\s+eq\s+'(?:Integer|Long)\s+0x0*e08'\s*\)$/i;

/** How messages are to be shown. */
export interface MessageView {
  /** Undefined: all fields. */
  readonly select: readonly string[] | undefined;
  readonly withSize: boolean;
  readonly withBody: boolean;
}

/**
 * Reads `$select` and `$expand`.
 * @throws GraphError 403 when the token may not read what they name, 400 for an `$expand` unknown here
 */
export function viewOf({ world, user }: OpenMailbox, { query, caller }: MailCall): MessageView {
  const select = query
    .get('$select')
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const expand = query.get('$expand');
  if (expand !== null && !SIZE.test(expand.trim()))
    throw badMailRequest(`Could not find a property named '${expand}' on type 'microsoft.graph.message'.`);
  const may = (right: MailRight): boolean => mayUse(world, caller, user, right);
  const wantsMore = expand !== null || select?.some((name) => BODY.includes(name)) === true;
  if (wantsMore && !may('read')) throw accessDenied();
  return { select, withSize: expand !== null, withBody: may('read') };
}

/** One message as JSON; undefined when the email is gone. */
export async function showMessage(
  mailbox: OpenMailbox,
  email: EmailFile,
  { select, withSize, withBody }: MessageView,
): Promise<Record<string, unknown> | undefined> {
  const { address } = mailbox.files;
  const received = moment(new Date(email.receivedAt));
  const changeKey = fingerprint(email.folder, email.key, String(email.isSeen)).slice(0, 40);
  const id = messageId(address, email, mailbox.immutable);
  const quick: Record<string, unknown> = {
    id,
    createdDateTime: received,
    lastModifiedDateTime: received,
    changeKey,
    categories: [],
    receivedDateTime: received,
    parentFolderId: folderId(address, email.folder),
    isRead: email.isSeen,
    isDraft: email.folder === DRAFTS,
    inferenceClassification: 'focused',
    flag: { flagStatus: 'notFlagged' },
    webLink: `https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(id)}`,
  };
  const needsText = select === undefined || select.some((name) => !QUICK.has(name));
  const facts = needsText ? await factsOf(mailbox, email) : {};
  if (facts === undefined) return undefined;
  const all = Object.entries({ ...quick, ...facts }).filter(
    ([name]) =>
      (withBody || !BODY.includes(name)) &&
      (select === undefined ? !ON_REQUEST.includes(name) : name === 'id' || select.includes(name)),
  );
  return {
    '@odata.etag': `W/"${changeKey}"`,
    ...Object.fromEntries(all),
    // MAPI counts what its store keeps, not the bytes of the MIME text.
    ...(withSize && {
      singleValueExtendedProperties: [{ id: 'Integer 0xe08', value: String(email.size + STORE_BYTES) }],
    }),
  };
}

const STORE_BYTES = 2048;
