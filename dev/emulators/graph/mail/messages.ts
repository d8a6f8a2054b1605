import type { EmailFile } from '../../mail/mailbox-files.ts';
import { accessDenied, type MailRight, mayUse } from './access.ts';
import { answerAttachments, createDraft, sendDraft } from './drafts.ts';
import { DELETED_ITEMS, emailsIn, folderPath } from './folders.ts';
import {
  badMailRequest,
  jsonOf,
  type MailCall,
  type MailReply,
  noSegment,
  type OpenMailbox,
  wrongMailMethod,
} from './mail-call.ts';
import { emailOfId, itemNotFound } from './mail-ids.ts';
import { chooseEmails } from './message-query.ts';
import { showMessage, viewOf } from './message-shape.ts';
import { pageOf } from './pages.ts';

const contextOf = ({ world, user }: OpenMailbox): string =>
  `${world.origin()}/v1.0/$metadata#users('${encodeURIComponent(user.oid)}')/messages`;

/** `mailFolders/{id}/messages`, or `messages` of the whole mailbox when the folder is undefined; POST saves a draft. */
export async function answerMessages(
  mailbox: OpenMailbox,
  call: MailCall,
  folder: string | undefined,
): Promise<MailReply> {
  if (call.method === 'POST' && folder === undefined) {
    if (!mayUse(mailbox.world, call.caller, mailbox.user, 'write')) throw accessDenied();
    return one(mailbox, call, await createDraft(mailbox, call), 201);
  }
  if (call.method !== 'GET') throw wrongMailMethod();
  const view = viewOf(mailbox, call);
  const folders = folder === undefined ? await mailbox.files.folders() : [folder];
  const emails = (await Promise.all(folders.map((path) => emailsIn(mailbox, path)))).flat();
  const { rows, links } = pageOf(mailbox, call, await chooseEmails(mailbox, emails, call.query), 10);
  const shown = await Promise.all(rows.map((email) => showMessage(mailbox, email, view)));
  return {
    status: 200,
    body: {
      '@odata.context': contextOf(mailbox),
      ...links,
      value: shown.filter((row) => row !== undefined),
    },
  };
}

/** `messages/{id}` and what is below it. `folder`: the email must lie in it. */
export async function answerMessage(
  mailbox: OpenMailbox,
  call: MailCall,
  [id = '', action, ...rest]: readonly string[],
  folder: string | undefined,
): Promise<MailReply> {
  if (rest.length > 0 && action !== 'attachments') throw noSegment(rest[0] ?? '');
  const email = await emailOfId(mailbox.files, id);
  if (folder !== undefined && email.folder !== folder) throw itemNotFound();
  const need = (right: MailRight): void => {
    if (!mayUse(mailbox.world, call.caller, mailbox.user, right)) throw accessDenied();
  };
  if (action === undefined && call.method === 'GET') return one(mailbox, call, email, 200);
  if (action === '$value' && call.method === 'GET') {
    need('read');
    return raw(mailbox, email);
  }
  if (action === 'send' && call.method === 'POST') {
    need('send');
    return sendDraft(mailbox, call, email);
  }
  need('write');
  if (action === 'attachments') return answerAttachments(mailbox, call, email, rest);
  if (action === undefined && call.method === 'PATCH') return patch(mailbox, call, email);
  if (action === undefined && call.method === 'DELETE') return remove(mailbox, email);
  if (call.method !== 'POST' || action === undefined) throw wrongMailMethod();
  if (action === 'move') return move(mailbox, call, email);
  if (action === 'permanentDelete') {
    if (!(await mailbox.files.remove(email))) throw itemNotFound();
    return { status: 204 };
  }
  throw noSegment(action);
}

async function one(
  mailbox: OpenMailbox,
  call: MailCall,
  email: EmailFile,
  status: number,
): Promise<MailReply> {
  const shown = await showMessage(mailbox, email, viewOf(mailbox, call));
  if (shown === undefined) throw itemNotFound();
  return { status, body: { '@odata.context': `${contextOf(mailbox)}/$entity`, ...shown } };
}

/** The MIME text, always whole: Graph knows no `Range` here. */
async function raw(mailbox: OpenMailbox, email: EmailFile): Promise<MailReply> {
  const bytes = await mailbox.files.read(email);
  if (bytes === undefined) throw itemNotFound();
  return { status: 200, body: bytes, headers: { 'content-type': 'text/plain' } };
}

async function patch(mailbox: OpenMailbox, call: MailCall, email: EmailFile): Promise<MailReply> {
  const input = jsonOf(call);
  const other = Object.keys(input).find((name) => name !== 'isRead');
  if (other !== undefined) throw badMailRequest(`The emulator cannot change the property '${other}'.`);
  const { isRead } = input;
  if (typeof isRead !== 'boolean')
    throw badMailRequest("Cannot convert the literal to the expected type 'Edm.Boolean'.");
  if (!(await mailbox.files.setSeen(email, isRead))) throw itemNotFound();
  return one(mailbox, call, { ...email, isSeen: isRead }, 200);
}

async function move(mailbox: OpenMailbox, call: MailCall, email: EmailFile): Promise<MailReply> {
  const { destinationId } = jsonOf(call);
  if (typeof destinationId !== 'string') throw badMailRequest("The parameter 'DestinationId' is missing.");
  const folder = await folderPath(mailbox, destinationId);
  if (!(await mailbox.files.move(email, folder))) throw itemNotFound();
  return one(mailbox, call, { ...email, folder }, 201);
}

/** A deleted message goes to Deleted Items; there it is removed for good. */
async function remove({ files }: OpenMailbox, email: EmailFile): Promise<MailReply> {
  const done =
    email.folder === DELETED_ITEMS ? await files.remove(email) : await files.move(email, DELETED_ITEMS);
  if (!done) throw itemNotFound();
  return { status: 204 };
}
