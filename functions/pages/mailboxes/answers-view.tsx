import { raw } from 'hono/html';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Acknowledgement } from '../../../shared/acknowledgements/compose-acknowledgement.ts';
import { answerFields } from '../../../shared/mailboxes/answer-settings.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { templateVariables } from '../../../shared/templates/template.ts';
import {
  CheckboxField,
  ErrorSummary,
  type FieldErrors,
  SelectField,
  SubmitButton,
  TextAreaField,
  TextField,
} from '../../../shared/ui/forms.tsx';
import { Facts, Panel } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { acknowledgementChoices } from './ask-acknowledgement.tsx';

export const previewTicketField = 'previewTicket';

export interface AnswerPreview extends Acknowledgement {
  to: string | undefined;
  isSample: boolean;
}

export interface AnswersView {
  principal: Principal;
  mailbox: Mailbox;
  typed: Readonly<Record<string, string>>;
  errors: FieldErrors;
  preview: AnswerPreview | undefined;
  flash: Flash | undefined;
}

export function answersPage(view: AnswersView): string {
  const { mailbox, errors, preview } = view;
  return renderPage(
    <Page
      title={`Answers: ${mailbox.address}`}
      principal={view.principal}
      place="mailboxes"
      hasErrors={Object.keys(errors).length > 0}
      flash={view.flash}
    >
      <ErrorSummary errors={errors} />
      {mailbox.sending === undefined ? (
        <div class="flash warning">
          <p>
            This mailbox sends no email yet. Choose the account that sends in its{' '}
            <a href={paths.editMailbox(mailbox)}>settings</a> first.
          </p>
        </div>
      ) : null}
      {preview === undefined ? null : <Preview preview={preview} />}
      <form method="post" action={paths.mailboxAnswers(mailbox)} novalidate data-keep="">
        <AcknowledgementFields view={view} />
        <ReplyFields view={view} />
        <AgentFields view={view} />
        <div class="actions">
          <SubmitButton>Save</SubmitButton>
          <SubmitButton kind="secondary" name="preview" value="yes">
            Preview the acknowledgement
          </SubmitButton>
          <a href={paths.mailboxes()}>All mailboxes</a>
        </div>
      </form>
    </Page>,
  );
}

const fieldOf =
  ({ typed, errors }: AnswersView) =>
  (name: string): { name: string; value: string | undefined; error: string | undefined } => ({
    name,
    value: typed[name],
    error: errors[name],
  });

function AcknowledgementFields(props: { view: AnswersView }): JSX.Element {
  const field = fieldOf(props.view);
  return (
    <fieldset class="fields">
      <legend>Acknowledgement</legend>
      <p>
        Sent once, when a person’s email opens a ticket. Automatic email, mailing lists and senders who write
        again within an hour get none.
      </p>
      <SelectField
        {...field(answerFields.language)}
        label="Send an acknowledgement"
        options={acknowledgementChoices}
        hint="Leave subject and text empty for the standard text of the language."
      />
      <TextField {...field(answerFields.subject)} label="Subject" />
      <TextAreaField
        {...field(answerFields.text)}
        label="Text"
        rows={12}
        hint={`Markdown works. Variables: ${templateVariables.map((name) => `{{${name}}}`).join(', ')}.`}
      />
      <TextAreaField
        {...field(answerFields.openingHours)}
        label="Opening hours"
        rows={3}
        hint="The text of {{opening hours}}. If it is empty, that line is left out."
      />
      <TextField
        {...field(previewTicketField)}
        label="Ticket for the preview"
        hint="The number of a ticket of this mailbox. Leave it empty to see a sample."
        size="short"
        autocomplete="off"
      />
    </fieldset>
  );
}

function ReplyFields(props: { view: AnswersView }): JSX.Element {
  const { view } = props;
  const field = fieldOf(view);
  return (
    <fieldset class="fields">
      <legend>Replies</legend>
      <TextField
        {...field(answerFields.name)}
        label="Sender name"
        hint="Shown beside the address, and as {{mailbox name}}. Leave it empty to use the address alone."
        autocomplete="off"
      />
      <TextAreaField
        {...field(answerFields.signature)}
        label="Signature"
        rows={4}
        hint="Added below each reply. Markdown works."
      />
      <CheckboxField
        name={answerFields.tagsSubject}
        label="Put the ticket number in the subject of replies, as [#123]"
        hint="Postroom then finds the ticket even if a mail program drops the reply headers."
        checked={(view.typed[answerFields.tagsSubject] ?? '') !== ''}
      />
      <CheckboxField
        name={answerFields.plusAddress}
        label="Ask for replies to an address with the ticket number"
        hint={`For example ${withNumber(view.mailbox.address)}. The mail server must accept such addresses; Microsoft 365 and Gmail do.`}
        checked={(view.typed[answerFields.plusAddress] ?? '') !== ''}
      />
    </fieldset>
  );
}

const withNumber = (address: string): string => address.replace(/@(?=[^@]*$)/, '+123@');

function AgentFields(props: { view: AnswersView }): JSX.Element {
  const field = fieldOf(props.view);
  return (
    <fieldset class="fields">
      <legend>Email to agents</legend>
      <p>
        Each person gets at most one email a minute. Whatever arrives in between is listed in the next one.
      </p>
      <TextAreaField
        {...field(answerFields.alertOnTicket)}
        label="Email about new tickets"
        rows={3}
        hint="Addresses of agents, separated by commas or lines."
      />
      <TextAreaField
        {...field(answerFields.alertOnReply)}
        label="Email about customers’ replies"
        rows={3}
        hint="Addresses of agents, separated by commas or lines. Once a ticket is assigned, only its assignee gets an email."
      />
    </fieldset>
  );
}

/** Both versions that leave; the HTML is sanitized. */
function Preview(props: { preview: AnswerPreview }): JSX.Element {
  const { subject, text, html, to, isSample } = props.preview;
  return (
    <Panel title={isSample ? 'Preview with a sample' : 'Preview with a ticket'}>
      <Facts
        items={[
          { term: 'To', detail: to ?? 'No one, because the requester has no address' },
          { term: 'Subject', detail: subject },
        ]}
      />
      <h3>HTML version</h3>
      <div class="rendered" dir="auto">
        {raw(html)}
      </div>
      <h3>Plain text version</h3>
      <div class="mail-text" dir="auto">
        {text}
      </div>
    </Panel>
  );
}
