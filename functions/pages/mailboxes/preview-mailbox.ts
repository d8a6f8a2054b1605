import { letterToOneself, newMark } from '../../../shared/connection-test/test-smtp.ts';
import type { Mailbox, MailLogin } from '../../../shared/mailboxes/mailbox.ts';
import { type MailProtocol, mailProtocols } from '../../../shared/mailboxes/mailbox-form.ts';
import { type MailboxPreview, previewMailbox } from '../../../shared/mailboxes/preview-mailbox.ts';
import { isRelayMistake } from '../../../shared/outbox/relay.ts';
import { routeOf } from '../../../shared/outbox/send-mail.ts';
import { PostroomError } from '../../../shared/platform/errors.ts';
import type { Code } from '../../../shared/platform/problem.ts';
import type { Services } from '../../services.ts';
import { type AccountChoice, isGranted, readingOf } from './mailbox-accounts.ts';

export type SendingPreview =
  | { kind: 'accepted' }
  /** `said`: the server's line, or our own description when there was none. */
  | { kind: 'refused'; said: string };

/** Opens the mailbox and reads its latest subjects with the parser of the intake, which survives any email. */
export function previewOf({ intake }: Pick<Services, 'intake'>, mailbox: Mailbox): Promise<MailboxPreview> {
  return previewMailbox(
    {
      ...intake,
      readSubject: async (beginning) => {
        const parsed = await intake.parser.parse(beginning);
        return parsed.kind === 'mail' ? parsed.mail.subject : '';
      },
    },
    mailbox,
  );
}

/** What is wrong with the relay is explained by its code: its words would be taken for those about an account's token. */
const explainable = (code: Code, words: string): string => (isRelayMistake(code) ? code : words);

/** Signs in at the SMTP server without sending anything; undefined when the mailbox does not send. */
export async function trySending(
  { mailSender }: Pick<Services, 'mailSender'>,
  mailbox: Mailbox,
): Promise<SendingPreview | undefined> {
  const route = routeOf(mailbox);
  if (route === undefined) return undefined;
  try {
    const answer = await mailSender.signIn(route);
    return answer.kind === 'accepted'
      ? { kind: 'accepted' }
      : { kind: 'refused', said: explainable(answer.code, answer.reason) };
  } catch (error) {
    if (!(error instanceof PostroomError)) throw error;
    return { kind: 'refused', said: explainable(error.code, error.message) };
  }
}

/** Sends an email from the mailbox to itself, the only proof of “Send as”; undefined when the mailbox does not send. */
export async function sendToItself(
  { mailSender, connectionTests, seam }: Pick<Services, 'mailSender' | 'connectionTests' | 'seam'>,
  mailbox: Mailbox,
): Promise<SendingPreview | undefined> {
  const route = routeOf(mailbox);
  if (route === undefined) return undefined;
  const mark = newMark();
  await connectionTests.expectMark(mark, seam.now());
  try {
    const sent = await mailSender.send(route, letterToOneself(mailbox.address, mark));
    if (sent.kind === 'refused') return { kind: 'refused', said: explainable(sent.code, sent.reason) };
    const [refused] = sent.refusedRecipients;
    return refused === undefined ? { kind: 'accepted' } : { kind: 'refused', said: refused.line };
  } catch (error) {
    if (!(error instanceof PostroomError)) throw error;
    return { kind: 'refused', said: explainable(error.code, error.message) };
  }
}

/**
 * An unsaved mailbox of this account with its provider's defaults, read in the way that the account was granted,
 * for a preview. Undefined when the provider has no server for that.
 * @param now milliseconds since the epoch
 */
export function mailboxOfAccount(choice: AccountChoice, address: string, now: number): Mailbox | undefined {
  const { providerId, accountId } = choice.account;
  const loginAt = (protocol: MailProtocol): MailLogin | undefined => {
    const server = choice.servers[protocol];
    const port = server?.port ?? mailProtocols[protocol].ports[0];
    return server && { host: server.host, port, providerId, accountId };
  };
  const protocol = readingOf(choice);
  const reading = loginAt(protocol);
  if (reading === undefined) return undefined;
  return {
    ...reading,
    id: '',
    address,
    protocol,
    folder: 'INBOX',
    sending: isGranted(choice, 'smtp') ? loginAt('smtp') : undefined,
    enabled: true,
    intervalMinutes: 1,
    afterFetch: { kind: 'mark-seen' },
    createdAt: new Date(now).toISOString(),
  };
}
