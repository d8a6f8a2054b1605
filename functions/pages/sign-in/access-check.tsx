import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxPreview } from '../../../shared/mailboxes/preview-mailbox.ts';
import type { Services } from '../../services.ts';
import { explainForMailbox } from '../errors/explain-context.ts';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { MailboxPreviewView } from '../mailboxes/mailbox-preview.tsx';
import { previewOf, type SendingPreview, sendToItself, trySending } from '../mailboxes/preview-mailbox.ts';

/** The result of an access check, with explanations of its failures. */
export interface CheckedAccess {
  preview: MailboxPreview;
  /** Undefined when the provider has no SMTP server. */
  sending: SendingPreview | undefined;
  /** True when a test email was sent, false when the check only signed in. */
  sent: boolean;
  unread: Explanation | undefined;
  unsent: Explanation | undefined;
}

/** Checks reading and sending, which are separate permissions. */
export async function checkAccess(
  services: Services,
  mailbox: Mailbox,
  send: boolean,
): Promise<CheckedAccess> {
  const [preview, sending] = await Promise.all([
    previewOf(services, mailbox),
    send ? sendToItself(services, mailbox) : trySending(services, mailbox),
  ]);
  const explained = (text: string): Promise<Explanation> =>
    explainForMailbox(services, mailbox.address, mailbox, text);
  return {
    preview,
    sending,
    sent: send,
    unread: preview.kind === 'failed' ? await explained(preview.code) : undefined,
    unsent: sending?.kind === 'refused' ? await explained(sending.said) : undefined,
  };
}

/** Shows whether the user can read the shared mailbox and send as it. */
export function AccessCheck(props: {
  tried: CheckedAccess;
  typed: Readonly<Record<string, string>>;
}): JSX.Element {
  const { tried, typed } = props;
  const { address = '', user = '' } = typed;
  return (
    <>
      <TriedReading tried={tried} address={address} user={user} />
      <TriedSending tried={tried} address={address} user={user} />
    </>
  );
}

interface TriedProps {
  tried: CheckedAccess;
  address: string;
  user: string;
}

function TriedReading({ tried, address, user }: TriedProps): JSX.Element {
  const { preview, unread } = tried;
  if (preview.kind === 'opened')
    return (
      <>
        <p role="status">
          <strong>
            {user} can access {address}.
          </strong>
        </p>
        <MailboxPreviewView preview={preview} folder="INBOX" heading="h3" />
      </>
    );
  return (
    <>
      <p role="alert">
        <strong>
          {user} cannot access {address}.
        </strong>{' '}
        {preview.message}
      </p>
      <Known explanation={unread} />
    </>
  );
}

function TriedSending({ tried, address, user }: TriedProps): JSX.Element | null {
  const { sending, sent, unsent } = tried;
  if (sending === undefined) return null;
  if (sending.kind === 'refused')
    return (
      <>
        <p role="alert">
          <strong>
            {user} cannot send as {address}.
          </strong>{' '}
          {unsent?.code === 'not-recognised' ? `Server message: ${sending.said}` : null}
        </p>
        <Known explanation={unsent} />
      </>
    );
  if (sent)
    return (
      <p role="status">
        <strong>
          {user} can send as {address}.
        </strong>{' '}
        The test email is on its way.
      </p>
    );
  return (
    <p role="status">
      {user} can sign in to the SMTP server. Only a test email can show whether {user} can send as {address}.
      Select the check box below.
    </p>
  );
}

function Known(props: { explanation: Explanation | undefined }): JSX.Element | null {
  const { explanation } = props;
  return explanation === undefined || explanation.code === 'not-recognised' ? null : (
    <ExplanationView explanation={explanation} />
  );
}
