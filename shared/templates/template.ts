/** Texts with variables in double braces, such as `{{ticket number}}`: acknowledgements and canned replies. */

export const templateVariables = [
  'ticket number',
  'subject',
  'requester name',
  'mailbox name',
  'opening hours',
] as const;
export type TemplateVariable = (typeof templateVariables)[number];
export type TemplateValues = Readonly<Record<TemplateVariable, string>>;

/** The text between variables, and the variables, in order. */
export type TemplatePiece = { text: string } | { variable: TemplateVariable };

export interface TemplateError {
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  /** What is wrong there, in a sentence for the form. */
  message: string;
}

export type ParsedTemplate =
  | { kind: 'valid'; pieces: readonly TemplatePiece[] }
  | { kind: 'invalid'; errors: readonly TemplateError[] };

const MAX_ERRORS = 5;
const list = templateVariables.map((name) => `{{${name}}}`).join(', ');

/** Case and extra blanks do not matter: `{{ Ticket  Number }}` is `{{ticket number}}`. Pure. */
export function parseTemplate(template: string): ParsedTemplate {
  const pieces: TemplatePiece[] = [];
  const errors: TemplateError[] = [];
  let written = 0;
  for (const { 0: found, 1: inner, index } of template.matchAll(/\{\{([^{}\n]{0,100})\}\}|\{\{/g)) {
    const variable = templateVariables.find(
      (name) => name === inner?.trim().replace(/\s+/g, ' ').toLowerCase(),
    );
    if (variable === undefined) {
      const message =
        inner === undefined
          ? 'A variable starts here but does not end. Write it as {{subject}}.'
          : `${found} is not a variable. Use one of ${list}.`;
      if (errors.length < MAX_ERRORS) errors.push({ ...positionOf(template, index), message });
      continue;
    }
    if (index > written) pieces.push({ text: template.slice(written, index) });
    pieces.push({ variable });
    written = index + found.length;
  }
  if (written < template.length) pieces.push({ text: template.slice(written) });
  return errors.length === 0 ? { kind: 'valid', pieces } : { kind: 'invalid', errors };
}

function positionOf(template: string, index: number): { line: number; column: number } {
  const before = template.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The errors as one sentence each, with their position. Pure. */
export const errorsInWords = (errors: readonly TemplateError[]): string =>
  errors.map(({ line, column, message }) => `Line ${line}, character ${column}: ${message}`).join(' ');

/**
 * The template with each variable replaced. A line of variables alone that are all empty is left out, so that
 * `{{opening hours}}` leaves no gap in a mailbox without any. Pure.
 * @param write what is written for a value
 */
export function fillTemplate(
  pieces: readonly TemplatePiece[],
  values: TemplateValues,
  write: (variable: TemplateVariable) => string = (variable) => values[variable],
): string {
  return linesOf(pieces)
    .filter((line) => !isEmptied(line, values))
    .map((line) => line.map((piece) => ('text' in piece ? piece.text : write(piece.variable))).join(''))
    .join('\n');
}

function linesOf(pieces: readonly TemplatePiece[]): TemplatePiece[][] {
  const lines: TemplatePiece[][] = [[]];
  for (const piece of pieces) {
    const [first = piece, ...rest] =
      'text' in piece ? piece.text.split('\n').map((text) => ({ text })) : [piece];
    lines.at(-1)?.push(first);
    for (const each of rest) lines.push([each]);
  }
  return lines;
}

const isEmptied = (line: readonly TemplatePiece[], values: TemplateValues): boolean =>
  line.some((piece) => 'variable' in piece) &&
  line.every((piece) => ('text' in piece ? piece.text.trim() === '' : values[piece.variable] === ''));
