import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import type { FirstFetch } from '../../../shared/mailboxes/first-fetch.ts';
import { type Mailbox, sendingLoginOf } from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxPreview } from '../../../shared/mailboxes/preview-mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { flashOf } from '../../http/form-data.ts';
import type { RouteContext } from '../../http/web-environment.ts';
import { explainForMailbox } from '../errors/explain-context.ts';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { AskAcknowledgement } from './ask-acknowledgement.tsx';
import { FirstFetchPanel } from './first-fetch-views.tsx';
import { SendingGraphOffer, sendingOfferFor } from './graph-offer.tsx';
import { MailboxPreviewView } from './mailbox-preview.tsx';
import { previewOf, type SendingPreview, trySending } from './preview-mailbox.ts';

const flashes: Readonly<Record<string, Flash>> = {
  'over-graph': {
    kind: 'success',
    text: 'The mailbox is read over Microsoft Graph from now on. Fetching resumes within a minute.',
  },
  'sends-over-graph': {
    kind: 'success',
    text: 'The mailbox sends over Microsoft Graph from now on. Emails that waited are on their way.',
  },
  partly: {
    kind: 'warning',
    text: 'Not every permission was granted: reading or sending may not work. Ask an administrator to grant the rest, then sign in again.',
  },
};

/**
 * Says “connected” only after the mailbox was opened and its SMTP server accepted the account. Signing in
 * on a GET is harmless: only the mail servers of the mailbox's provider receive a token.
 */
export async function showConnected(c: RouteContext<'mailboxConnected'>): Promise<Response> {
  const services = c.get('services');
  const id = c.req.param('id');
  const mailbox = /^[a-z2-7]{26}$/.test(id) ? await services.mailboxes.get(id) : undefined;
  if (mailbox === undefined) return c.notFound();
  const [preview, sending] = await Promise.all([previewOf(services, mailbox), trySending(services, mailbox)]);
  const { cursors } = await services.mailboxes.fetchState();
  const first = cursors.get(mailbox.id)?.first;
  const { address } = mailbox;
  const unread =
    preview.kind === 'failed' ? await explainForMailbox(services, address, mailbox, preview.code) : undefined;
  const login = sendingLoginOf(mailbox);
  const unsent =
    sending?.kind === 'refused' ? await explainForMailbox(services, address, login, sending.said) : undefined;
  const flash = flashOf(c, flashes);
  const sender = login && (await services.providers.get(login.providerId));
  const offer = sendingOfferFor(services.config, sender, mailbox, unsent?.code);
  const view = {
    principal: c.get('principal'),
    mailbox,
    first,
    preview,
    sending,
    unread,
    unsent,
    offer,
    flash,
  };
  return c.html(connectedPage(view));
}

function connectedPage(view: {
  principal: Principal;
  mailbox: Mailbox;
  first: FirstFetch | undefined;
  preview: MailboxPreview;
  sending: SendingPreview | undefined;
  /** Explanations of the failures, if any. */
  unread: Explanation | undefined;
  unsent: Explanation | undefined;
  /** Why sending over Microsoft Graph may help, if it may. */
  offer: string | undefined;
  flash: Flash | undefined;
}): string {
  const { mailbox, preview, sending } = view;
  const opened = preview.kind === 'opened';
  return renderPage(
    <Page
      title={opened ? `${mailbox.address} is connected` : `Could not open ${mailbox.address}`}
      principal={view.principal}
      place="mailboxes"
      flash={view.flash}
    >
      {opened ? (
        <MailboxPreviewView preview={preview} folder={mailbox.folder} />
      ) : (
        <NotOpened preview={preview} explanation={view.unread} />
      )}
      {opened ? <FirstFetchPanel mailbox={mailbox} first={view.first} /> : null}
      <Sending sending={sending} explanation={view.unsent} />
      <SendingGraphOffer mailbox={mailbox} offer={view.offer} />
      {opened ? <AskAcknowledgement mailbox={mailbox} /> : null}
      <div class="actions">
        {opened ? (
          <>
            <ButtonLink href={paths.tickets()}>View tickets</ButtonLink>
            <ButtonLink href={paths.mailboxAnswers(mailbox)} kind="secondary">
              Set up acknowledgements and replies
            </ButtonLink>
            <ButtonLink href={paths.mailboxes()} kind="secondary">
              View mailboxes
            </ButtonLink>
          </>
        ) : (
          <>
            <ButtonLink href={paths.mailboxConnected(mailbox)}>Try again</ButtonLink>
            <ButtonLink href={paths.connectionTest(mailbox)} kind="secondary">
              Test connection
            </ButtonLink>
            <ButtonLink href={paths.editMailbox(mailbox)} kind="secondary">
              Edit settings
            </ButtonLink>
          </>
        )}
      </div>
    </Page>,
  );
}

function NotOpened(props: {
  preview: Extract<MailboxPreview, { kind: 'failed' }>;
  explanation: Explanation | undefined;
}): JSX.Element {
  const { preview, explanation } = props;
  return (
    <>
      <p>{preview.message}</p>
      {explanation === undefined || explanation.code === 'not-recognised' ? null : (
        <ExplanationView explanation={explanation} />
      )}
    </>
  );
}

function Sending(props: {
  sending: SendingPreview | undefined;
  explanation: Explanation | undefined;
}): JSX.Element | null {
  const { sending, explanation } = props;
  if (sending === undefined) return null;
  if (sending.kind === 'accepted') return <p>Sending works too.</p>;
  return (
    <>
      <p>Receiving works, but sending does not work yet:</p>
      {explanation === undefined || explanation.code === 'not-recognised' ? (
        <p>Server message: {sending.said}</p>
      ) : (
        <ExplanationView explanation={explanation} />
      )}
    </>
  );
}
