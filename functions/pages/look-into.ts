import { type Look, lookIntoMailbox } from '../../shared/mailboxes/look-into-mailbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { routeOf } from '../../shared/outbox/send-mail.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Services } from '../services.ts';

export type SendingLook =
  | { kind: 'accepted' }
  /** `said`: the server's line, or our words where none came. */
  | { kind: 'refused'; said: string };

/** Opens the mailbox and reads its latest subjects with the parser of the intake, which survives any mail. */
export function lookInto({ intake }: Services, mailbox: Mailbox): Promise<Look> {
  return lookIntoMailbox(
    {
      ...intake,
      subjectOf: async (beginning) => {
        const parsed = await intake.parser.parse(beginning);
        return parsed.kind === 'mail' ? parsed.mail.subject : '';
      },
    },
    mailbox,
  );
}

/** Signs in at the mail server of outgoing mail, without sending anything; undefined where the mailbox sends none. */
export async function trySending(
  { mailSender }: Pick<Services, 'mailSender'>,
  mailbox: Mailbox,
): Promise<SendingLook | undefined> {
  const route = routeOf(mailbox);
  if (route === undefined) return undefined;
  try {
    const answer = await mailSender.signIn(route);
    return answer.kind === 'accepted' ? { kind: 'accepted' } : { kind: 'refused', said: answer.said };
  } catch (error) {
    if (!(error instanceof PostroomError)) throw error;
    return { kind: 'refused', said: error.message };
  }
}
