import type { JSX } from 'hono/jsx/jsx-runtime';
import { answerFields } from '../../../shared/mailboxes/answer-settings.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { languageNames, templateLanguages } from '../../../shared/templates/default-templates.ts';
import { SelectField, SubmitButton } from '../../../shared/ui/forms.tsx';
import { Panel } from '../../../shared/ui/lists.tsx';

/** What the page "Answers" offers. */
export const acknowledgementChoices: readonly { value: string; label: string }[] = [
  { value: '', label: 'No' },
  ...templateLanguages.map((value) => ({ value, label: `Yes, in ${languageNames[value]}` })),
];

/** Asked when a mailbox is set up; the page "Answers" then shows the text. Nothing if it sends no email, or was asked. */
export function AskAcknowledgement({ mailbox }: { mailbox: Mailbox }): JSX.Element | null {
  if (mailbox.sending === undefined || mailbox.answers !== undefined) return null;
  return (
    <Panel title="Acknowledge new tickets?">
      <p>A person who opens a ticket by email receives its number at once. Automatic email gets none.</p>
      <form method="post" action={paths.mailboxAnswers(mailbox)}>
        <SelectField
          name={answerFields.language}
          label="Send an acknowledgement"
          value=""
          options={acknowledgementChoices}
        />
        <SubmitButton kind="secondary">Save</SubmitButton>
      </form>
    </Panel>
  );
}
