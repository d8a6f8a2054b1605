import { GraphClient } from '../mailboxes/graph-client.ts';
import { GraphAnswerLost, GraphRefusal } from '../mailboxes/graph-errors.ts';
import { PostroomError } from '../platform/errors.ts';
import { codeFrom } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { composeMime } from './compose-mime.ts';
import { isUndecided, readGraphRefusal } from './graph-refusal.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import { GRAPH_REQUEST_BYTES } from './sending-limits.ts';
import type { SendingRefusal } from './sending-refusal.ts';

interface GraphSendDeps {
  seam: Seam;
  config: { local: boolean };
}

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
 * Hands one email to Microsoft Graph as MIME. Graph takes all recipients from its header and removes Bcc; it keeps
 * Message-ID, In-Reply-To and References, and drops headers that begin with X-. From the owner's own mailbox it is
 * sent as `me`, otherwise as the user of that mailbox, in whose Sent Items the copy then is.
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
  const text = (await composeMime(mail, { withBcc: true })).toString('base64');
  if (text.length > GRAPH_REQUEST_BYTES) return { kind: 'refused', refusal: tooLarge, isTokenRefused: false };
  const client = new GraphClient({ ...address, folder: '' }, seam, config);
  try {
    await client.submit('send', '/sendMail', text);
    return { kind: 'accepted', line: '202 Accepted' };
  } catch (error) {
    if (error instanceof GraphAnswerLost || (error instanceof GraphRefusal && isUndecided(error)))
      throw new PostroomError(
        'graph-answer-lost',
        'Microsoft Graph had the email and did not say whether it took it.',
        { cause: error },
      );
    if (error instanceof GraphRefusal)
      return {
        kind: 'refused',
        refusal: readGraphRefusal(error, seam.now()),
        isTokenRefused: error.status === 401,
      };
    if (error instanceof PostroomError) throw error;
    throw new PostroomError('graph-unavailable', 'Microsoft Graph does not answer.', { cause: error });
  } finally {
    client.close();
  }
}

const tooLarge: SendingRefusal = {
  code: codeFrom('graph-too-large'),
  reason: 'The email is larger than the 4 MB that Microsoft Graph takes in one request.',
  permanent: true,
  retryAt: undefined,
  asked: false,
};
