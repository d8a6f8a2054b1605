/** How a mailbox answers: what it sends by itself, and what its replies contain. */
import { z } from 'zod';
import { objectOf } from '../platform/records.ts';
import {
  type MailTemplate,
  type TemplateLanguage,
  templateLanguages,
} from '../templates/default-templates.ts';
import { errorsInWords, parseTemplate } from '../templates/template.ts';

export interface AnswerSettings {
  /** Display name of the sender, and `{{mailbox name}}`. Absent: the address. */
  name?: string | undefined;
  /** Sent when an email opens a ticket. Absent: none is sent. */
  acknowledgement?: (MailTemplate & { language: TemplateLanguage }) | undefined;
  /** `{{opening hours}}`: plain text. */
  openingHours?: string | undefined;
  /** Markdown, below each reply. */
  signature?: string | undefined;
  /** Replies have `[#123]` in their subject. */
  tagsSubject?: boolean | undefined;
  /** Addresses of the agents who are emailed when a ticket is opened. */
  alertOnTicket?: readonly string[] | undefined;
  /** The same for a reply of a customer to a ticket without an assignee. */
  alertOnReply?: readonly string[] | undefined;
}

export const answerSettings = objectOf<AnswerSettings>({
  name: z.string().optional(),
  acknowledgement: z
    .object({ language: z.enum(templateLanguages), subject: z.string(), text: z.string() })
    .optional(),
  openingHours: z.string().optional(),
  signature: z.string().optional(),
  tagsSubject: z.boolean().optional(),
  alertOnTicket: z.array(z.string()).optional(),
  alertOnReply: z.array(z.string()).optional(),
});

/** Longest values, in characters. All of them fit one column of 32,768. */
export const answerLimits = {
  name: 100,
  subject: 200,
  text: 8_000,
  openingHours: 1_000,
  signature: 3_000,
} as const;
const MAX_AGENTS = 20;

/** Names of the form's fields. */
export const answerFields = {
  name: 'senderName',
  /** Empty, or a language: whether acknowledgements are sent. */
  language: 'ackLanguage',
  subject: 'ackSubject',
  text: 'ackText',
  openingHours: 'openingHours',
  signature: 'signature',
  tagsSubject: 'tagsSubject',
  alertOnTicket: 'alertOnTicket',
  alertOnReply: 'alertOnReply',
} as const;

export type AnswerFormResult =
  | { kind: 'valid'; answers: AnswerSettings | undefined }
  /** A sentence for each wrong field. */
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

/**
 * Validates the form of the answers. Pure. Undefined settings: nothing is set, so that the row has no column.
 * @param typed by the names of `answerFields`
 */
export function parseAnswerForm(
  typed: Readonly<Record<string, string>>,
  { isMailAddress }: { isMailAddress: (text: string) => boolean },
): AnswerFormResult {
  const errors: Record<string, string> = {};
  const field = (name: keyof typeof answerFields): string =>
    (typed[answerFields[name]] ?? '').replace(/\r\n?/g, '\n').trim();
  const within = (name: keyof typeof answerLimits): string | undefined => {
    const value = field(name);
    const limit = answerLimits[name];
    if (value.length > limit) errors[answerFields[name]] = `Shorten this to ${limit} characters or fewer.`;
    return value === '' ? undefined : value;
  };
  const oneLine = (name: 'name' | 'subject'): string | undefined => {
    const value = within(name);
    if (value !== undefined && /\p{Cc}/u.test(value)) errors[answerFields[name]] = 'Write this in one line.';
    return value;
  };
  const agents = (name: 'alertOnTicket' | 'alertOnReply'): string[] | undefined => {
    const all = [
      ...new Set(
        field(name)
          .split(/[\s,;]+/)
          .filter(Boolean)
          .map((each) => each.toLowerCase()),
      ),
    ];
    const wrong = all.find((each) => !isMailAddress(each));
    if (wrong !== undefined) errors[answerFields[name]] = `${wrong} is not an email address.`;
    else if (all.length > MAX_AGENTS) errors[answerFields[name]] = `Enter at most ${MAX_AGENTS} addresses.`;
    return all.length === 0 ? undefined : all;
  };
  const template = (name: 'subject' | 'text', value: string | undefined): string => {
    if (value === undefined) {
      errors[answerFields[name]] =
        name === 'subject'
          ? 'Enter the subject of the acknowledgement.'
          : 'Enter the text of the acknowledgement.';
      return '';
    }
    const parsed = parseTemplate(value);
    if (parsed.kind === 'invalid') errors[answerFields[name]] = errorsInWords(parsed.errors);
    return value;
  };

  const language = templateLanguages.find((each) => each === field('language'));
  if (field('language') !== '' && language === undefined)
    errors[answerFields.language] = 'Choose one of the list.';
  const acknowledgement =
    language === undefined
      ? undefined
      : {
          language,
          subject: template('subject', oneLine('subject')),
          text: template('text', within('text')),
        };
  const answers: AnswerSettings = {
    name: oneLine('name'),
    acknowledgement,
    openingHours: within('openingHours'),
    signature: within('signature'),
    tagsSubject: field('tagsSubject') === '' ? undefined : true,
    alertOnTicket: agents('alertOnTicket'),
    alertOnReply: agents('alertOnReply'),
  };
  if (Object.keys(errors).length > 0) return { kind: 'invalid', errors };
  const isSet = Object.values(answers).some((value) => value !== undefined);
  return { kind: 'valid', answers: isSet ? answers : undefined };
}
