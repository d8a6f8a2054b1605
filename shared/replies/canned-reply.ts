/** Texts that agents use again and again. Pure. */
import { errorsInWords, fillTemplate, parseTemplate, type TemplateValues } from '../templates/template.ts';

export interface CannedReply {
  id: string;
  name: string;
  /** Markdown with the variables of `template.ts`. */
  text: string;
  /** ISO time. */
  changedAt: string;
  /** Name of the person. */
  changedBy: string;
}

export const cannedReplyLimits = { name: 100, text: 10_000 } as const;

export type CannedReplyForm =
  | { kind: 'valid'; name: string; text: string }
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

/** Validates the fields `name` and `text`. */
export function parseCannedReply(typed: Readonly<Record<string, string>>): CannedReplyForm {
  const name = (typed['name'] ?? '').trim();
  const text = (typed['text'] ?? '').replace(/\r\n?/g, '\n').trim();
  const errors: Record<string, string> = {};
  if (name === '' || name.length > cannedReplyLimits.name || /\p{Cc}/u.test(name))
    errors['name'] = `Enter a name of 1 to ${cannedReplyLimits.name} characters.`;
  if (text === '' || text.length > cannedReplyLimits.text)
    errors['text'] = `Enter a text of 1 to ${cannedReplyLimits.text} characters.`;
  const parsed = parseTemplate(text);
  if (parsed.kind === 'invalid') errors['text'] = errorsInWords(parsed.errors);
  return Object.keys(errors).length > 0 ? { kind: 'invalid', errors } : { kind: 'valid', name, text };
}

/**
 * The Markdown that is put into the reply. Values are escaped: a subject with a link in it stays text. A text whose
 * variables are not valid is put in as it is.
 */
export function fillCannedReply({ text }: Pick<CannedReply, 'text'>, values: TemplateValues): string {
  const parsed = parseTemplate(text);
  return parsed.kind === 'invalid'
    ? text
    : fillTemplate(parsed.pieces, values, (variable) => escapeMarkdown(values[variable]));
}

/** Every punctuation character may be escaped (CommonMark 2.4); these begin something. */
const escapeMarkdown = (value: string): string =>
  value.replace(/[\\`*_~[\]<>|#]/g, '\\$&').replace(/:(?=\/\/)/g, '\\:');
