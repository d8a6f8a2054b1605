import type { JSX } from 'hono/jsx/jsx-runtime';
import type { FirstFetchCount } from '../../../shared/mailboxes/count-first-fetch.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { loginFields, type MailProtocol, portsInWords } from '../../../shared/mailboxes/mailbox-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Push } from '../../../shared/push/subscription.ts';
import {
  CheckboxField,
  type Choice,
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
          <Login protocol="imap" view={view} label="Account that signs in" />
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
          <Login protocol="smtp" view={view} label="Account that sends" none="None (no email is sent)" />
        </fieldset>
        <ClassFields {...view} />
        <Pop3 view={view} />
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

/** Collapsed, because few mailboxes need it. */
function Pop3(props: { view: MailboxFormView }): JSX.Element {
  const { typed, errors } = props.view;
  const { account, host, port } = loginFields.pop3;
  const used = (typed[account] ?? '') !== '' || [account, host, port].some((name) => name in errors);
  return (
    <details class="fields" open={used}>
      <summary>POP3</summary>
      <p>
        Postroom fetches email over IMAP only. Set up POP3 here only to test it, for example to check whether
        it is turned on.
      </p>
      <Login
        protocol="pop3"
        view={props.view}
        label="Account to test POP3 with"
        none="None (POP3 is not tested)"
      />
    </details>
  );
}

/** Account, server and port of one protocol. A preset's server is filled in, and no other is accepted. */
function Login(props: {
  protocol: MailProtocol;
  view: MailboxFormView;
  label: string;
  /** The label of “no account”; absent where an account is required. */
  none?: string;
}): JSX.Element {
  const { protocol, view, none } = props;
  const names = loginFields[protocol];
  const field = fieldOf(view);
  const options: Choice[] = view.choices.map((choice) => ({
    value: choice.value,
    label: isGranted(choice, protocol) ? choice.label : `${choice.label}: ${names.name} was not granted`,
  }));
  const chosen = view.choices.find(({ value }) => value === view.typed[names.account]);
  const bound = chosen?.servers[protocol];
  return (
    <>
      <SelectField
        {...field(names.account)}
        label={props.label}
        options={none === undefined ? options : [{ value: '', label: none }, ...options]}
        hint={
          chosen === undefined ? undefined : (
            <>
              {isGranted(chosen, protocol) ? 'Problems? ' : `${names.name} was not granted. `}
              <a href={signInAgainHref(chosen, view.mailbox)}>Reconnect {chosen.account.user}</a>
            </>
          )
        }
      />
      <TextField
        {...field(names.host)}
        label={`${names.name} server`}
        hint={bound === undefined ? undefined : `This provider only allows ${bound.host}.`}
        spellcheck={false}
        autocomplete="off"
      />
      <TextField
        {...field(names.port)}
        label={`${names.name} port`}
        hint={`${portsInWords(protocol, bound)}.`}
        size="short"
        type="number"
      />
    </>
  );
}

const fieldOf =
  ({ typed, errors }: MailboxFormView) =>
  (name: string): { name: string; value: string | undefined; error: string | undefined } => ({
    name,
    value: typed[name],
    error: errors[name],
  });
