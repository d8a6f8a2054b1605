import type { AuditEntry } from './audit.ts';

const HEAD = [
  'time',
  'who',
  'who (id)',
  'what',
  'kind',
  'subject',
  'subject (id)',
  'setting',
  'before',
  'after',
];

/**
 * The audit log as CSV (RFC 4180), one line per changed setting, in chunks. A field that a spreadsheet
 * would treat as a formula gets an apostrophe: https://owasp.org/www-community/attacks/CSV_Injection
 */
export async function* auditAsCsv(entries: AsyncIterable<AuditEntry>): AsyncGenerator<Uint8Array> {
  // The byte order mark tells spreadsheets that this is UTF-8.
  yield Buffer.from(`\ufeff${csvLine(HEAD)}`);
  for await (const { at, principal, action, subject, changes } of entries) {
    const who = [at, principal.name, principal.id, action, subject.kind, subject.name, subject.id];
    const settings = changes.length === 0 ? [undefined] : changes;
    const lines = settings.map((change) => csvLine([...who, change?.name, change?.before, change?.after]));
    yield Buffer.from(lines.join(''));
  }
}

/** The audit log as one JSON array, in chunks. */
export async function* auditAsJson(entries: AsyncIterable<AuditEntry>): AsyncGenerator<Uint8Array> {
  let before = '[';
  for await (const entry of entries) {
    yield Buffer.from(`${before}\n${JSON.stringify(entry)}`);
    before = ',';
  }
  yield Buffer.from(before === '[' ? '[]\n' : '\n]\n');
}

const csvLine = (fields: readonly (string | undefined)[]): string =>
  `${fields.map((field) => csvField(field ?? '')).join(',')}\r\n`;

/**
 * Spreadsheets ignore leading spaces before a formula, and with a Japanese or Chinese keyboard they also
 * accept the full-width forms of these characters.
 */
export function csvField(text: string): string {
  const harmless = /^\s*[=+\-@\t\r|%＝＋－＠]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
