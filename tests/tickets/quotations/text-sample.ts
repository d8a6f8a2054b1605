import type { Sample } from './sample.ts';

/** The lines above a quotation of Outlook, with these names of its fields. */
export const outlookBlock = (fields: readonly string[]): string[] => {
  const [from = '', sent = '', to = '', subject = ''] = fields;
  return [
    `${from}: Ada Byron <ada@contoso.example>`,
    `${sent}: Tuesday, 5 March 2024 09:14`,
    `${to}: support@fabrikam.example`,
    `${subject}: Printer`,
  ];
};

export const textSample = (
  name: string,
  lines: readonly string[],
  wanted: string[],
  folded: string[],
  subject?: string,
): Sample => ({
  name,
  body: lines.join('\n'),
  wanted,
  folded,
  ...(subject === undefined ? {} : { subject }),
});

/** A text of which every line is wanted. */
export const intact = (name: string, lines: readonly string[], subject?: string): Sample =>
  textSample(
    name,
    lines,
    lines.filter((line) => line.trim() !== ''),
    [],
    subject,
  );
