import { createHash } from 'node:crypto';

/** Two definitions of "the same message", independent of the product's. */
export interface OwnKeys {
  /** Message-ID, Date, From, To, Subject and the body: messages that differ in these are not copies. */
  loose: string;
  /** Those, and how the body is encoded: messages that agree in all of these are the same. */
  strict: string;
}

const looseFields = ['message-id', 'date', 'from', 'to', 'subject'];
const readingFields = ['content-type', 'content-transfer-encoding', 'mime-version'];

/** Pure. @param raw as the mail server returns it */
export function ownKeysOf(raw: Buffer): OwnKeys {
  let text = raw.toString('latin1').replaceAll('\r\n', '\n');
  // A file from an old Macintosh: its lines end in CR only.
  if (!text.includes('\n')) text = text.replaceAll('\r', '\n');
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1;
  const head = end > 0 || text.startsWith('\n') ? text.slice(0, end) : text;
  const body = text.slice(head.length);
  const fields = head
    .replace(/\n[ \t]/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const [, name, value] = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(line) ?? [];
      return name === undefined
        ? []
        : [[name.toLowerCase(), (value ?? '').replace(/\s+/g, ' ').trim()] as const];
    });
  const values = (names: readonly string[]): string[][] =>
    names.map((name) => fields.filter(([one]) => one === name).map(([, value]) => value));
  const loose = [values(looseFields), body];
  // Without a header field and an empty line, the whole text is the body.
  const strict = [...loose, values(readingFields), fields.length === 0 ? text : ''];
  return { loose: hash(JSON.stringify(loose)), strict: hash(JSON.stringify(strict)) };
}

export const hash = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
