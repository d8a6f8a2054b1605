import { GraphClient } from '../mailboxes/graph-client.ts';
import { GraphAnswerLost, GraphRefusal } from '../mailboxes/graph-errors.ts';
import { PostroomError } from '../platform/errors.ts';
import { codeFrom } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { composeMime } from './compose-mime.ts';
import { discardEmailDraft, saveEmailDraft } from './graph-draft.ts';
import { isUndecided, readGraphRefusal } from './graph-refusal.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import { GRAPH_REQUEST_BYTES } from './sending-limits.ts';
import type { SendingRefusal } from './sending-refusal.ts';

interface GraphSendDeps {
  seam: Seam;
  config: { local: boolean };
}

/** A third more in MIME, and a third more in the request. */
const BASE64_TWICE = (4 / 3) ** 2;

/** A mailbox, where its Microsoft Graph is, and a token for it. */
export interface GraphSendAddress {
  host: string;
  port: number;
  /** The sender address. */
  user: string;
  owner: string | undefined;
  accessToken: Secret;
}

export type GraphSendAnswer =
  | { kind: 'accepted'; line: string }
  | { kind: 'refused'; refusal: SendingRefusal; isTokenRefused: boolean };

/**
 * Hands one email to Microsoft Graph as MIME: in one request, or as a draft if it is too large for that. Graph takes
 * all recipients from its header and removes Bcc; it keeps Message-ID, In-Reply-To and References, and drops headers
 * that begin with X-. From the owner's own mailbox it is sent as `me`, otherwise as the user of that mailbox, in
 * whose Sent Items the copy then is.
 * https://learn.microsoft.com/graph/outlook-send-mime-message
 * https://learn.microsoft.com/graph/outlook-send-mail-from-other-user#sent-items-behavior
 * @throws PostroomError `graph-answer-lost` (it may have been sent); `graph-unavailable`, `endpoint-refused`,
 * `endpoint-private` (nothing was sent)
 */
export async function sendOverGraph(
  { seam, config }: GraphSendDeps,
  address: GraphSendAddress,
  mail: OutgoingMail,
): Promise<GraphSendAnswer> {
  const client = new GraphClient({ ...address, folder: '' }, seam, config);
  try {
    const whole = isTooLarge(mail) ? undefined : await base64Mime(mail);
    if (whole !== undefined && whole.length <= GRAPH_REQUEST_BYTES)
      return await submit(client, seam, '/sendMail', whole);
    const text = await base64Mime({ ...mail, attachments: [] });
    if (text.length > GRAPH_REQUEST_BYTES)
      return { kind: 'refused', refusal: tooLarge, isTokenRefused: false };
    const draft = await saveEmailDraft({ seam, config, client, host: address.host }, mail, text);
    return draft.kind === 'refused' ? draft : await submitDraft(client, seam, draft.path);
  } finally {
    client.close();
  }
}

const base64Mime = async (mail: OutgoingMail): Promise<string> =>
  (await composeMime(mail, { withBcc: true })).toString('base64');

/** Certain before the MIME is composed, which takes several times the memory. */
function isTooLarge({ attachments = [] }: OutgoingMail): boolean {
  const bytes = attachments.reduce((sum, { content }) => sum + content.byteLength, 0);
  return bytes * BASE64_TWICE > GRAPH_REQUEST_BYTES;
}

/** https://learn.microsoft.com/graph/api/message-send */
async function submitDraft(client: GraphClient, seam: Seam, path: string): Promise<GraphSendAnswer> {
  let answer: GraphSendAnswer | undefined;
  let isLost = false;
  try {
    answer = await submit(client, seam, `${path}/send`);
    return answer;
  } catch (error) {
    isLost = error instanceof PostroomError && error.code === 'graph-answer-lost';
    throw error;
  } finally {
    // The ID stays when Exchange moves the draft to Sent Items: what may have been sent is not deleted.
    if (!isLost && answer?.kind !== 'accepted') await discardEmailDraft(client, path);
  }
}

async function submit(
  client: GraphClient,
  seam: Seam,
  path: string,
  text?: string,
): Promise<GraphSendAnswer> {
  try {
    await client.submit('send', path, text);
    return { kind: 'accepted', line: '202 Accepted' };
  } catch (error) {
    if (error instanceof GraphAnswerLost || (error instanceof GraphRefusal && isUndecided(error)))
      throw new PostroomError(
        'graph-answer-lost',
        'Microsoft Graph had the email and did not say whether it took it.',
        { cause: error },
      );
    if (error instanceof GraphRefusal && text === undefined && error.isGone)
      throw new PostroomError('graph-unavailable', 'The draft was deleted before it was sent.', {
        cause: error,
      });
    if (error instanceof GraphRefusal)
      return {
        kind: 'refused',
        refusal: readGraphRefusal(error, seam.now()),
        isTokenRefused: error.status === 401,
      };
    if (error instanceof PostroomError) throw error;
    throw new PostroomError('graph-unavailable', 'Microsoft Graph does not respond.', { cause: error });
  }
}

const tooLarge: SendingRefusal = {
  code: codeFrom('graph-too-large'),
  reason: 'The text of the email is larger than the 4 MB that Microsoft Graph takes in one request.',
  permanent: true,
  retryAt: undefined,
  asked: false,
};
