/** “Where is my email?”: traces an email, or shows where it was searched without success. For agents. */
import { findEmail, readQuery } from '../../../shared/intake/find-email.ts';
import { findOnServer } from '../../../shared/intake/find-on-server.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { formData } from '../../http/form-data.ts';
import { snapshotMailboxes } from '../../use-cases/snapshot-mailboxes.ts';
import { type FindEmailView, findEmailPage } from './find-email-views.tsx';
import type { MailContext } from './mail-services.ts';

const NOTHING_TYPED = 'Enter a sender, a subject or a Message-ID.';

export async function showFindEmail(c: MailContext): Promise<Response> {
  const mailboxes = await c.get('services').mailboxes.list();
  return c.html(
    findEmailPage({ ...viewOf(c, mailboxes), typed: { text: '', mailbox: c.req.query('mailbox') ?? '' } }),
  );
}

/** Uses POST, so that the search terms are not part of a URL and do not appear in logs. */
export async function searchEmail(c: MailContext): Promise<Response> {
  const services = c.get('services');
  const [fields, mailboxes] = await Promise.all([formData(c), services.mailboxes.list()]);
  const typed = { text: fields['text'] ?? '', mailbox: fields['mailbox'] ?? '' };
  const view = { ...viewOf(c, mailboxes), typed };
  const query = readQuery(typed.text);
  if (query === undefined) return c.html(findEmailPage({ ...view, mistake: NOTHING_TYPED }), 422);
  const chosen = mailboxes.filter(({ id }) => typed.mailbox === '' || id === typed.mailbox);
  // The tickets and unimported email of a deleted mailbox still exist.
  const removed = typed.mailbox === '' ? await services.mailboxes.removed() : [];
  const asked = chosen.find(({ id }) => id === fields['server']);
  const [search, snapshots, server] = await Promise.all([
    findEmail({ ...services, ledger: services.intake.ledger }, [...chosen, ...removed], query),
    snapshotMailboxes(services, chosen),
    asked && findOnServer(services.intake, asked, query),
  ]);
  return c.html(
    findEmailPage({
      ...view,
      result: {
        search,
        snapshots,
        ...(asked !== undefined && server !== undefined && { server: { mailbox: asked, answer: server } }),
      },
    }),
  );
}

const viewOf = (c: MailContext, mailboxes: readonly Mailbox[]): Omit<FindEmailView, 'typed'> => ({
  principal: c.get('principal'),
  mailboxes: mailboxes.toSorted((a, b) => a.address.localeCompare(b.address)),
});
