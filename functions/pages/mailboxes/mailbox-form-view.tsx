import type { JSX } from 'hono/jsx/jsx-runtime';
import type { FirstFetchCount } from '../../../shared/mailboxes/count-first-fetch.ts';
import { type Mailbox, sendingProtocols } from '../../../shared/mailboxes/mailbox.ts';
import {
  loginFields,
  type MailProtocol,
  mailProtocols,
  portsInWords,
  RELAY_CHOICE,
} from '../../../shared/mailboxes/mailbox-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { readingProtocols } from '../../../shared/providers/presets.ts';
import type { Push } from '../../../shared/push/subscription.ts';
import {
  CheckboxField,
  ErrorSummary,
  type FieldErrors,
  SelectField,
  SubmitButton,
  TextField,
} from '../../../shared/ui/forms.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { FirstFetchCountNote } from './first-fetch-views.tsx';
import { type AccountChoice, isGranted, signInAgainHref } from './mailbox-accounts.ts';
import { AfterImport, ClassFields, FirstFetchFields } from './mailbox-form-parts.tsx';
import { PushLine } from './push-line.tsx';

export interface MailboxFormView {
  principal: Principal;
  /** Undefined for a new mailbox. */
  mailbox: Mailbox | undefined;
  choices: readonly AccountChoice[];
  /** Whether the installation has an SMTP relay. */
  relay: 'ready' | 'absent' | 'unusable';
  typed: Readonly<Record<string, string>>;
  errors: FieldErrors;
  /** Why the mailbox did not open. */
  unopened: string | undefined;
  flash: Flash | undefined;
  /** The result of a test of these unsaved settings. */
  tested?: JSX.Element | undefined;
  /** True if the first import has not started, so it can still be configured. */
  asksFirst: boolean;
  count?: FirstFetchCount | undefined;
  /** Whether the mail server announces new email; absent before the first decision. */
  push?: Push | undefined;
}

/** The form of a new or existing mailbox, with its errors and the result of an unsaved test. */
export function mailboxFormPage(view: MailboxFormView): string {
  const { mailbox, errors, unopened } = view;
  const field = fieldOf(view);
  const flash: Flash | undefined =
    unopened === undefined
      ? view.flash
      : {
          kind: 'error',
          text: `Could not open the mailbox. ${unopened} Nothing was changed.`,
        };
  return renderPage(
    <Page
      title={mailbox === undefined ? 'Add a mailbox' : `Edit ${mailbox.address}`}
      principal={view.principal}
      place="mailboxes"
      hasErrors={Object.keys(errors).length > 0}
      flash={flash}
    >
      <ErrorSummary errors={errors} />
      {view.tested ?? null}
      {view.count === undefined ? null : (
        <FirstFetchCountNote count={view.count} since={view.typed['since']} />
      )}
      <PushLine push={view.push} />
      <form
        method="post"
        action={mailbox === undefined ? paths.newMailbox() : paths.editMailbox(mailbox)}
        novalidate
        data-keep=""
      >
        <TextField
          {...field('address')}
          label="Address of the mailbox"
          type="email"
          autocomplete="off"
          spellcheck={false}
        />
        <fieldset class="fields">
          <legend>Incoming email</legend>
          <Reading view={view} />
          <TextField
            {...field('folder')}
            label="Folder"
            hint="The folder to import from, usually INBOX."
            spellcheck={false}
          />
          <AfterImport {...view} />
          <TextField {...field('interval')} label="Check every (minutes)" size="short" type="number" />
          <CheckboxField
            name="colleaguesJoin"
            label="Colleagues of the requester can reply to a ticket"
            hint="A reply from the domain of the person who opened the ticket joins it. Without this, only people who wrote or were written to can add to a ticket. Never applies to public email domains such as gmail.com."
            checked={(view.typed['colleaguesJoin'] ?? '') !== ''}
          />
        </fieldset>
        {view.asksFirst ? <FirstFetchFields {...view} /> : null}
        <fieldset class="fields">
          <legend>Outgoing email</legend>
          <Sending view={view} />
        </fieldset>
        <ClassFields {...view} />
        <div class="actions">
          <SubmitButton>{unopened === undefined ? 'Save and open the mailbox' : 'Try again'}</SubmitButton>
          <SubmitButton kind="secondary" name="test" value="yes">
            Test without saving
          </SubmitButton>
          {view.asksFirst ? (
            <SubmitButton kind="secondary" name="count" value="yes">
              Count the emails
            </SubmitButton>
          ) : null}
          {unopened === undefined ? null : (
            <SubmitButton kind="secondary" name="anyway" value="yes">
              Save anyway
            </SubmitButton>
          )}
        </div>
      </form>
    </Page>,
  );
}

/** The label of an account, with what was not granted to it. */
function labelOf(choice: AccountChoice, all: readonly MailProtocol[]): string {
  const protocols = all.filter((protocol) => choice.servers[protocol] !== undefined);
  const missing = protocols.filter((protocol) => !isGranted(choice, protocol));
  if (missing.length < protocols.length) return choice.label;
  return `${choice.label}: ${missing.map((protocol) => mailProtocols[protocol].name).join(', ')} not granted`;
}

/** How email is read: the protocol, the account, and the server where it is not the provider's. */
function Reading(props: { view: MailboxFormView }): JSX.Element {
  const { view } = props;
  const names = loginFields.reading;
  const protocol = readingProtocols.find((one) => one === view.typed['protocol']) ?? 'imap';
  const chosen = view.choices.find(({ value }) => value === view.typed[names.account]);
  const field = fieldOf(view);
  return (
    <>
      <SelectField
        {...field(names.account)}
        label="Account that signs in"
        options={view.choices.map((choice) => ({
          value: choice.value,
          label: labelOf(choice, readingProtocols),
        }))}
        hint={<SignInAgain chosen={chosen} protocol={protocol} view={view} />}
      />
      <SelectField
        {...field('protocol')}
        label="Read email over"
        value={protocol}
        options={readingProtocols
          .filter((one) => one === protocol || chosen === undefined || chosen.servers[one] !== undefined)
          .map((one) => ({ value: one, label: mailProtocols[one].name }))}
        hint="POP3 does not know which emails were read: every email in the inbox is imported once."
      />
      <Server names={names} protocol={protocol} chosen={chosen} view={view} />
    </>
  );
}

function Sending(props: { view: MailboxFormView }): JSX.Element {
  const { view } = props;
  const names = loginFields.sending;
  const protocol = sendingProtocols.find((one) => one === view.typed['sendingProtocol']) ?? 'smtp';
  const chosen = view.choices.find(({ value }) => value === view.typed[names.account]);
  const isOverRelay = view.mailbox?.sending?.protocol === 'relay';
  const field = fieldOf(view);
  return (
    <>
      <SelectField
        {...field(names.account)}
        label="Account that sends"
        options={[
          { value: '', label: 'None (no email is sent)' },
          ...(view.relay === 'ready' || isOverRelay
            ? [{ value: RELAY_CHOICE, label: 'No account: over the SMTP relay' }]
            : []),
          ...view.choices.map((choice) => ({
            value: choice.value,
            label: labelOf(choice, sendingProtocols),
          })),
        ]}
        hint={<SignInAgain chosen={chosen} protocol={protocol} view={view} />}
      />
      <RelayNote view={view} />
      <SelectField
        {...field('sendingProtocol')}
        label="Send email over"
        value={protocol}
        options={sendingProtocols
          .filter((one) => one === protocol || chosen === undefined || chosen.servers[one] !== undefined)
          .map((one) => ({ value: one, label: mailProtocols[one].name }))}
        hint="With an account only. Microsoft Graph works where SMTP AUTH is turned off. It takes 2 MB of attachments, or 25 MB if the same account also reads the mailbox over Microsoft Graph; SMTP takes 25 MB."
      />
      <Server names={names} protocol={protocol} chosen={chosen} view={view} />
    </>
  );
}

/** What the SMTP relay needs, or why it is not in the list. */
function RelayNote(props: { view: MailboxFormView }): JSX.Element {
  return (
    <details open={props.view.relay === 'unusable'}>
      <summary>Without an account: an SMTP relay</summary>
      <p>{relayWords[props.view.relay]()}</p>
    </details>
  );
}

const relayWords: Readonly<Record<MailboxFormView['relay'], () => JSX.Element>> = {
  ready: () => (
    <>
      The SMTP relay sends without an account. It must be allowed to send as this address: the domain’s SPF
      record includes it, and it signs with DKIM for the domain. A copy of each reply is kept in the Sent
      folder if the mailbox is read over IMAP; over POP3 and Microsoft Graph, only in the ticket.
    </>
  ),
  absent: () => (
    <>
      None is set up: store its address in the key vault as the secret smtp-relay-url (docs/operations.md,
      “SMTP relay”).
    </>
  ),
  unusable: () => (
    <>
      The SMTP relay cannot be chosen, because the secret smtp-relay-url cannot be used. See{' '}
      <a href={paths.health()}>Health</a>.
    </>
  ),
};

function SignInAgain(props: {
  chosen: AccountChoice | undefined;
  protocol: MailProtocol;
  view: MailboxFormView;
}): JSX.Element | null {
  const { chosen, protocol, view } = props;
  if (chosen === undefined) return null;
  return (
    <>
      {isGranted(chosen, protocol) ? 'Problems? ' : `${mailProtocols[protocol].name} was not granted. `}
      <a href={signInAgainHref(chosen, view.mailbox)}>Reconnect {chosen.account.user}</a>
    </>
  );
}

/** Collapsed: the server is the provider's, and no other is accepted. */
function Server(props: {
  names: (typeof loginFields)[keyof typeof loginFields];
  protocol: MailProtocol;
  chosen: AccountChoice | undefined;
  view: MailboxFormView;
}): JSX.Element {
  const { names, protocol, chosen, view } = props;
  const { host, port } = names;
  const field = fieldOf(view);
  const name = names === loginFields.sending ? 'Outgoing mail' : 'Mail';
  const bound = chosen?.servers[protocol];
  const isOpen = [host, port].some((one) => (view.typed[one] ?? '') !== '' || one in view.errors);
  return (
    <details open={isOpen}>
      <summary>{name} server (optional)</summary>
      <TextField
        {...field(host)}
        label={`${name} server`}
        hint={
          bound === undefined
            ? 'Leave this empty to use the provider’s server.'
            : `Leave this empty to use ${bound.host}. This provider allows no other.`
        }
        spellcheck={false}
        autocomplete="off"
      />
      <TextField
        {...field(port)}
        label={`${name} port`}
        hint={`Leave this empty, or enter ${portsInWords(protocol, bound)}.`}
        size="short"
        type="number"
      />
    </details>
  );
}

const fieldOf =
  ({ typed, errors }: MailboxFormView) =>
  (name: string): { name: string; value: string | undefined; error: string | undefined } => ({
    name,
    value: typed[name],
    error: errors[name],
  });
