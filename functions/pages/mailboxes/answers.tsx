/** How a mailbox answers: sender name, signature, acknowledgement, and who is mailed about its tickets. For admins. */
import {
  type AnswerSettings,
  answerFields,
  parseAnswerForm,
} from '../../../shared/mailboxes/answer-settings.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { saveAnswers } from '../../../shared/mailboxes/save-answers.ts';
import { isEnvelopeAddress } from '../../../shared/outbox/outgoing-mail.ts';
import { paths } from '../../../shared/paths/paths.ts';
import {
  defaultTemplates,
  languageNames,
  templateLanguages,
} from '../../../shared/templates/default-templates.ts';
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
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { accountChoices, accountLabel } from './mailbox-accounts.ts';

type Typed = Readonly<Record<string, string>>;

const flashes: Readonly<Record<string, Flash>> = {
  saved: { kind: 'success', text: 'Saved. It applies to the next email.' },
};

export async function showAnswers(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  return mailbox === undefined
    ? c.notFound()
    : c.html(answersPage(c, mailbox, fieldsOf(mailbox.answers), {}));
}

export async function changeAnswers(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const typed = withDefaults(await formData(c));
  const parsed = parseAnswerForm(typed, { isMailAddress: isEnvelopeAddress });
  if (parsed.kind === 'invalid') return c.html(answersPage(c, mailbox, typed, parsed.errors), 422);
  const choices = await accountChoices(c.get('services'));
  const author = { by: c.get('principal'), accountName: accountLabel(choices) };
  await saveAnswers(c.get('services'), author, mailbox, parsed.answers);
  return c.redirect(paths.mailboxAnswers(mailbox, { flash: 'saved' }), 303);
}

async function mailboxOf(c: PageContext): Promise<Mailbox | undefined> {
  const id = /^[\w-]{1,64}$/.exec(c.req.param('id') ?? '')?.[0];
  return id === undefined ? undefined : c.get('services').mailboxes.get(id);
}

/** Whoever chooses a language and writes nothing gets the text of that language. */
function withDefaults(typed: Typed): Typed {
  const language = templateLanguages.find((each) => each === typed[answerFields.language]);
  const isEmpty = [answerFields.subject, answerFields.text].every(
    (name) => (typed[name] ?? '').trim() === '',
  );
  if (language === undefined || !isEmpty) return typed;
  const { subject, text } = defaultTemplates[language];
  return { ...typed, [answerFields.subject]: subject, [answerFields.text]: text };
}

function fieldsOf(answers: AnswerSettings = {}): Typed {
  return {
    [answerFields.name]: answers.name ?? '',
    [answerFields.language]: answers.acknowledgement?.language ?? '',
    [answerFields.subject]: answers.acknowledgement?.subject ?? '',
    [answerFields.text]: answers.acknowledgement?.text ?? '',
    [answerFields.openingHours]: answers.openingHours ?? '',
    [answerFields.signature]: answers.signature ?? '',
    [answerFields.tagsSubject]: answers.tagsSubject === true ? 'on' : '',
    [answerFields.alertOnTicket]: answers.alertOnTicket?.join(', ') ?? '',
    [answerFields.alertOnReply]: answers.alertOnReply?.join(', ') ?? '',
  };
}

function answersPage(c: PageContext, mailbox: Mailbox, typed: Typed, errors: FieldErrors): string {
  const field = (key: keyof typeof answerFields) => {
    const name = answerFields[key];
    return { name, value: typed[name], error: errors[name] };
  };
  return renderPage(
    <Page
      title={`Replies of ${mailbox.address}`}
      principal={c.get('principal')}
      place="mailboxes"
      hasErrors={Object.keys(errors).length > 0}
      flash={flashOf(c, flashes)}
    >
      <ErrorSummary errors={errors} />
      <form method="post" action={paths.mailboxAnswers(mailbox)} novalidate data-keep="">
        <fieldset class="fields">
          <legend>Replies</legend>
          <TextField
            {...field('name')}
            label="Sender name"
            hint="Shown beside the address in the customer’s inbox."
            autocomplete="off"
          />
          <TextAreaField
            {...field('signature')}
            label="Signature"
            hint="Markdown; below each reply."
            rows={5}
          />
          <CheckboxField
            name={answerFields.tagsSubject}
            label="Add the ticket number to the subject"
            hint="As [#123]. Answers are recognized without it, except from mail programs that drop the threading headers."
            checked={(typed[answerFields.tagsSubject] ?? '') !== ''}
          />
        </fieldset>
        <fieldset class="fields">
          <legend>Acknowledgement of a new ticket</legend>
          <SelectField
            {...field('language')}
            label="Send an acknowledgement"
            hint="Automatic email, mailing lists and senders who take no replies never get one."
            options={[
              { value: '', label: 'No' },
              ...templateLanguages.map((value) => ({ value, label: `Yes, in ${languageNames[value]}` })),
            ]}
          />
          <TextField
            {...field('subject')}
            label="Subject"
            hint="Leave subject and text empty to begin with the text of the language."
            autocomplete="off"
          />
          <TextAreaField
            {...field('text')}
            label="Text"
            hint={
              <>
                Markdown. Variables:{' '}
                {templateVariables.map((variable, index) => (
                  <>
                    {index === 0 ? '' : ', '}
                    <code>{`{{${variable}}}`}</code>
                  </>
                ))}
                .
              </>
            }
            rows={10}
          />
          <TextAreaField
            {...field('openingHours')}
            label="Opening hours"
            hint="Plain text for the variable {{opening hours}}."
            rows={3}
          />
        </fieldset>
        <fieldset class="fields">
          <legend>Email to agents</legend>
          <TextField
            {...field('alertOnTicket')}
            label="About a new ticket"
            hint="Addresses, separated by commas."
            autocomplete="off"
          />
          <TextField
            {...field('alertOnReply')}
            label="About an answer of a customer"
            hint="Addresses, separated by commas."
            autocomplete="off"
          />
        </fieldset>
        <SubmitButton>Save</SubmitButton>
      </form>
    </Page>,
  );
}
