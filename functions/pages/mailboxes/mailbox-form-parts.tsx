/** The optional parts of the mailbox form. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { classField } from '../../../shared/mailboxes/mailbox-form.ts';
import {
  classNames,
  defaultHandling,
  type Handling,
  type SetClass,
  setClasses,
} from '../../../shared/message-class/message-class.ts';
import {
  type Choice,
  type FieldErrors,
  RadioField,
  SelectField,
  TextField,
} from '../../../shared/ui/forms.tsx';

export interface FormPart {
  typed: Readonly<Record<string, string>>;
  errors: FieldErrors;
}

const field = ({ typed, errors }: FormPart, name: string) => ({
  name,
  value: typed[name],
  error: errors[name],
});

/** What happens to an email on the server after it is stored. */
export function AfterImport(props: FormPart): JSX.Element {
  return (
    <>
      <RadioField
        {...field(props, 'after')}
        legend="After import"
        options={[
          { value: 'mark-seen', label: 'Mark as read', hint: 'The email stays in its folder.' },
          { value: 'move', label: 'Move to another folder' },
          { value: 'delete', label: 'Delete', hint: 'Postroom keeps the complete message.' },
          {
            value: 'delete-later',
            label: 'Mark as read, and delete later',
            hint: 'Only email that is stored as part of a ticket is deleted.',
          },
          { value: 'leave', label: 'Leave as it is', hint: 'Postroom remembers what it imported.' },
        ]}
      />
      <div class="only-move">
        <TextField
          {...field(props, 'moveFolder')}
          label="Move to folder"
          hint="Only for “Move to another folder”."
          spellcheck={false}
        />
      </div>
      <div class="only-delete-later">
        <TextField
          {...field(props, 'deleteDays')}
          label="Delete after (days)"
          hint="Only for “Mark as read, and delete later”."
          size="short"
          type="number"
        />
      </div>
    </>
  );
}

/** Which existing email a new mailbox imports. */
export function FirstFetchFields(props: FormPart): JSX.Element {
  return (
    <fieldset class="fields">
      <legend>First import</legend>
      <RadioField
        {...field(props, 'first')}
        legend="Email that is already in the folder"
        options={[
          { value: 'unread', label: 'Import unread email', hint: 'Of any age.' },
          {
            value: 'since',
            label: 'Import all email since a date',
            hint: 'Read or unread. Older email is never imported.',
          },
        ]}
      />
      <div class="only-since">
        <TextField
          {...field(props, 'since')}
          label="Since"
          hint="Only for “Import all email since a date”."
          size="short"
          type="date"
        />
      </div>
    </fieldset>
  );
}

const hints: Readonly<Record<SetClass, string>> = {
  list: 'Newsletters and messages of mailing lists.',
  notification: 'Sent by a program, such as a monitoring system or a web shop.',
  'auto-reply': 'Confirmations of receipt and read receipts.',
  'out-of-office': 'Automatic replies during an absence.',
  bounce: 'A mail server could not deliver an email.',
  complaint: 'A mail provider reports that a recipient marked an email as spam.',
  own: 'Alerts that Postroom sent to this mailbox.',
};

const labels: Readonly<Record<Handling, string>> = {
  ticket: 'Open a ticket or add to its ticket',
  fold: 'Add to its ticket collapsed, without reopening it',
  skip: 'Skip: list it under Unimported email',
};

/** Collapsed: the defaults suit most mailboxes. */
export function ClassFields(props: FormPart): JSX.Element {
  const isChanged = setClasses.some(
    (one) => (props.typed[classField(one)] ?? defaultHandling[one]) !== defaultHandling[one],
  );
  const options = (one: SetClass): Choice[] =>
    (['ticket', 'fold', 'skip'] as const).map((value) => ({
      value,
      label: value === defaultHandling[one] ? `${labels[value]} (default)` : labels[value],
    }));
  return (
    <details class="fields" open={isChanged || setClasses.some((one) => classField(one) in props.errors)}>
      <summary>More settings</summary>
      <p>How automated email is handled. A collapsed message that belongs to no ticket opens one.</p>
      {setClasses.map((one) => (
        <SelectField
          {...field(props, classField(one))}
          value={props.typed[classField(one)] ?? defaultHandling[one]}
          label={classNames[one]}
          hint={hints[one]}
          options={options(one)}
        />
      ))}
    </details>
  );
}
