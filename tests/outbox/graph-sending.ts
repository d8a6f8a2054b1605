/** Sending over Microsoft Graph at its emulator, for the tests of one file. */
import { randomBytes } from 'node:crypto';
import type { Fault } from '../../dev/emulators/faults.ts';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
import { type WayOut, wayOutOver } from '../../shared/outbox/way-out.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, sales, support } from '../harness/stack/mail-lab.ts';
import { account, letter, senderWith, tokensOf } from './sending.ts';

export const MB = 1024 * 1024;
/** What an account may do that sends and reads. */
export const BOTH = 'Mail.ReadWrite Mail.Send';
/** A part of the path of an upload. */
export const RANGE = 'AttachmentSessions';
export const nothing = { arrived: 0, sent: 0, drafts: 0 };

export const binary = (filename: string, bytes: number) => ({
  filename,
  contentType: 'application/octet-stream',
  content: randomBytes(bytes),
});

/** An email with a file that leaves in two ranges, or of another size. */
export const large = (subject: string, bytes = 5 * MB): OutgoingMail =>
  letter({ subject, attachments: [binary('a.bin', bytes)] });

export function useGraphSending() {
  const mail = useGraphMail('npm');
  const place = () => ({ host: 'localhost', port: mail.graph().port });
  const tokens = async (scp = BOTH) => tokensOf(await mail.token(support, { scp }));
  const emailsIn = async (address: string, folder: string) =>
    (await mail.mailbox(address).emails(folder)) ?? [];
  return {
    mail,
    place,
    /** Of support@contoso.example. */
    tokens,
    emailsIn,
    async way(accessTokens?: TokenSource, seam?: Seam, user = support): Promise<WayOut> {
      const route: SendingRoute = { kind: 'mailbox', protocol: 'graph-send', ...place(), user, account };
      return wayOutOver(senderWith(accessTokens ?? (await tokens()), seam), route);
    },
    /** Adds a fault to one request. @param path a part of its path, as a regular expression */
    fault: (path: string, what: Omit<Fault, 'match'>, method?: string): number =>
      mail.graph().faults.push({ match: { path, ...(method !== undefined && { method }) }, ...what }),
    /** Emails from support@contoso.example to sales@contoso.example. */
    counts: async () => ({
      arrived: (await emailsIn(sales, 'INBOX')).length,
      sent: (await emailsIn(support, 'Sent Items')).length,
      drafts: (await emailsIn(support, 'Drafts')).length,
    }),
    async emptyAll(): Promise<void> {
      mail.graph().faults.length = 0;
      mail.graph().requests.length = 0;
      await Promise.all([support, sales, info].map(mail.empty));
    },
    requested: (method: string, path: string) =>
      mail.graph().requests.filter((one) => one.method === method && one.path.includes(path)),
  };
}
