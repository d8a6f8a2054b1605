import { z } from 'zod';
import type { GraphClient } from '../mailboxes/graph-client.ts';
import { GraphRefusal } from '../mailboxes/graph-errors.ts';
import { openMailboxFolder } from '../mailboxes/graph-mailbox.ts';
import { DRAFTS_FOLDER } from '../mailboxes/inbox.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { codeFrom } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import { sendableType } from './compose-mime.ts';
import { isUndecided, readGraphRefusal } from './graph-refusal.ts';
import { uploadFile } from './graph-upload.ts';
import type { OutgoingAttachment, OutgoingMail } from './outgoing-mail.ts';
import type { SendingRefusal } from './sending-refusal.ts';

export interface DraftDeps {
  seam: Seam;
  config: { local: boolean };
  client: GraphClient;
  /** Of Microsoft Graph. */
  host: string;
}

export type SavedDraft =
  /** `path` is below the mailbox. */
  { kind: 'saved'; path: string } | { kind: 'refused'; refusal: SendingRefusal; isTokenRefused: boolean };

/** From this size on, a file needs an upload session (https://learn.microsoft.com/graph/outlook-large-attachments). */
const SMALLEST_UPLOAD = 3 * 1024 * 1024;
/** The draft is then sent before the attempt ends (`SENDING_MS`): an email must not leave after that. */
const PREPARATION_MS = 3 * 60_000;

const saved = z.object({ id: z.string().min(1) });
const session = z.object({ uploadUrl: z.string() });

/**
 * Saves an email as a draft, from which it can be sent: first its MIME without attachments, then each attachment in
 * its order. Drafts that earlier attempts left are deleted before, this one if it can't be finished. Needs
 * Mail.ReadWrite, for a shared mailbox Mail.ReadWrite.Shared, or the application permission Mail.ReadWrite.
 * https://learn.microsoft.com/graph/api/user-post-messages, https://learn.microsoft.com/graph/outlook-large-attachments
 * @param text MIME in base64
 * @throws PostroomError `graph-unavailable`, `endpoint-refused`, `endpoint-private`: nothing was sent
 */
export async function saveEmailDraft(
  deps: DraftDeps,
  { messageId, attachments = [] }: Pick<OutgoingMail, 'messageId' | 'attachments'>,
  text: string,
): Promise<SavedDraft> {
  const { client, seam } = deps;
  const signal = AbortSignal.timeout(PREPARATION_MS);
  const end = seam.now() + PREPARATION_MS;
  let path: string | undefined;
  try {
    await deleteDrafts(client, await draftsOf(client, messageId));
    const options = { method: 'POST', body: text, type: 'text/plain', once: true } as const;
    const { value } = await client.json('draft', `${client.mailbox}/messages`, saved, options);
    path = pathOf(value.id);
    for (const attachment of attachments) {
      await attach(deps, path, attachment, signal);
      if (seam.now() > end) throw new Error('Saving the draft took too long');
    }
    return { kind: 'saved', path };
  } catch (error) {
    if (path !== undefined) await discardEmailDraft(client, path);
    return refusalOf(error, seam.now());
  }
}

/**
 * Deletes a draft that was not sent. Failing that, the next attempt to send the email does. After the last attempt,
 * the draft stays, and the log says so: Drafts is not searched without an email to send, because only its Message-ID
 * tells a draft of ours from those that people write.
 */
export async function discardEmailDraft(client: GraphClient, path: string): Promise<void> {
  await deleteDrafts(client, [path]).catch((error: unknown) => reportLeftover(path, error));
}

const pathOf = (id: string): string => `/messages/${encodeURIComponent(id)}`;

/** What an attempt left that ended before it sent its draft. */
async function draftsOf(client: GraphClient, messageId: string): Promise<string[]> {
  const drafts = await openMailboxFolder(client, DRAFTS_FOLDER);
  return (await drafts.messages({ messageId })).map(({ id }) => pathOf(id));
}

/**
 * For good: each attempt of a large email would leave its attachments in Deleted Items. A draft that can't be deleted
 * does not keep its email from leaving.
 */
async function deleteDrafts(client: GraphClient, paths: readonly string[]): Promise<void> {
  const answers = await client.batch(
    'draft',
    paths.map((path) => ({ method: 'POST', path: `${path}/permanentDelete` })),
  );
  for (const { request, refusal } of answers)
    if (refusal !== undefined && !refusal.isGone) reportLeftover(request.path, refusal);
}

/** Without Graph's sentence, which may quote the email. */
const reportLeftover = (path: string, error: unknown): void =>
  log.warn('draft not deleted', {
    draft: path,
    error: error instanceof GraphRefusal ? `${error.status} ${error.code}` : describeError(error),
  });

async function attach(
  { client, seam, config, host }: DraftDeps,
  path: string,
  { filename: name, content, ...attachment }: OutgoingAttachment,
  signal: AbortSignal,
): Promise<void> {
  const contentType = sendableType(attachment.contentType);
  const attachments = `${client.mailbox}${path}/attachments`;
  if (content.byteLength < SMALLEST_UPLOAD) {
    const contentBytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString(
      'base64',
    );
    const body = { '@odata.type': '#microsoft.graph.fileAttachment', name, contentType, contentBytes };
    await client.json('attach', attachments, z.unknown(), { method: 'POST', body, once: true });
    return;
  }
  const item = { attachmentType: 'file', name, contentType, size: content.byteLength };
  const { value } = await client.json('upload-session', `${attachments}/createUploadSession`, session, {
    method: 'POST',
    body: { AttachmentItem: item },
  });
  await uploadFile({ seam, config, signal }, { graphHost: host, url: value.uploadUrl, content });
}

/** Nothing was sent, so an outage that leaves a request open is only an outage. */
function refusalOf(error: unknown, now: number): Extract<SavedDraft, { kind: 'refused' }> {
  if (error instanceof PostroomError) throw error;
  if (!(error instanceof GraphRefusal) || isUndecided(error) || error.isGone)
    throw new PostroomError('graph-unavailable', 'Microsoft Graph did not save the email as a draft.', {
      cause: error,
    });
  const refusal = readGraphRefusal(error, now);
  const isDenied = refusal.code === 'graph-access-denied';
  return {
    kind: 'refused',
    // A token without Mail.ReadWrite still sends smaller emails.
    refusal: isDenied ? { ...refusal, code: codeFrom('graph-draft-denied') } : refusal,
    isTokenRefused: error.status === 401,
  };
}
