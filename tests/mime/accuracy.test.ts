/** How many messages are read exactly as a person has read them beforehand. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ParsedMessage } from '../../shared/mime/parsed-message.ts';
import { attachmentName } from '../../shared/tickets/attachment-name.ts';
import { sanitiseMailHtml } from '../../shared/tickets/mail-html.ts';
import { corpusMail, isFullCorpus, readMail } from '../harness/memory/mail-files.ts';
import { type Expectation, readExpectations } from './expectations/expectation.ts';

const expectations = readExpectations();
const fields = ['sender', 'name', 'subject', 'body', 'attachment names', 'attachment bytes'] as const;
type Field = (typeof fields)[number];

/** White space depends on the parser and the writer. */
const squeeze = (text: string): string => text.replace(/\s+/g, '');
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The complete output of the sanitizer. */
const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' };

/** The words of the HTML as the page shows it. */
async function shownHtml(html: string): Promise<string> {
  const safe = await sanitiseMailHtml(html, { remoteImages: 'blocked', inlineImage: () => undefined });
  if (safe === 'too-deep') return '';
  const words = safe.html.replace(/<[^>]*>/g, ' ');
  return words.replace(/&(?:lt|gt|amp|quot);/g, (entity) => entities[entity] ?? entity);
}

/** The error in a body, or undefined: of the stored text, which searches and previews use, and of the HTML. */
async function wrongBody(mail: ParsedMessage, wanted: Expectation): Promise<string | undefined> {
  const { first = '', last = '', holds = [], lacks = [], anywhere = [] } = wanted;
  const formatted = mail.html === undefined ? undefined : squeeze(await shownHtml(mail.html));
  const text = mail.text.trim() === '' ? (formatted ?? '') : squeeze(mail.text);
  const attached = mail.attachments.map(({ content = new Uint8Array() }) =>
    squeeze(Buffer.from(content).toString('utf8')),
  );
  const without = (seen: string) => (sentence: string) => !seen.includes(squeeze(sentence));
  if (!text.startsWith(squeeze(first))) return `begins ${JSON.stringify(text.slice(0, 60))}`;
  if (!text.endsWith(squeeze(last))) return `ends ${JSON.stringify(text.slice(-60))}`;
  const missing = holds.find(without(text));
  if (missing !== undefined) return `lacks ${JSON.stringify(missing)}`;
  const lost = anywhere.find(without([text, ...attached].join('\n')));
  if (lost !== undefined) return `nowhere: ${JSON.stringify(lost)}`;
  const unseen =
    formatted === undefined ? undefined : (wanted.html ?? [first, ...holds, last]).find(without(formatted));
  if (unseen !== undefined) return `HTML lacks ${JSON.stringify(unseen)}`;
  const seen = `${text}\n${formatted ?? ''}`;
  const unwanted = [...lacks, '\ufffd'].find((words) => seen.includes(squeeze(words)));
  return unwanted === undefined ? undefined : `holds ${JSON.stringify(unwanted)}`;
}

const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('.*')}$`,
    'u',
  ).test(name);

function wrongNames(mail: ParsedMessage, { files, mayAlso = [] }: Expectation): string | undefined {
  const names = mail.attachments.map(attachmentName);
  const left = [...names];
  // A name without a star is matched before a star can match it.
  const byStars = files
    .map(({ name }) => name)
    .sort((a, b) => Number(a.includes('*')) - Number(b.includes('*')));
  const missing = byStars.filter((pattern) => {
    const at = left.findIndex((name) => matches(pattern, name));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const surplus = left.filter((name) => !mayAlso.some((pattern) => matches(pattern, name)));
  return missing.length + surplus.length === 0 ? undefined : JSON.stringify({ names, missing, surplus });
}

function wrongBytes(mail: ParsedMessage, { files }: Expectation): string | undefined {
  const found = mail.attachments.map(({ content = new Uint8Array() }) => ({
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const missing = files.filter(({ bytes, sha256 }) => {
    const at = found.findIndex((file) => file.bytes === bytes && file.sha256 === sha256);
    if (at >= 0) found.splice(at, 1);
    return at < 0;
  });
  const sizes = mail.attachments.map(({ size }) => size);
  return missing.length === 0
    ? undefined
    : JSON.stringify({ missing: missing.map(({ name, bytes }) => [name, bytes]), sizes });
}

async function differences(
  mail: ParsedMessage,
  wanted: Expectation,
): Promise<Partial<Record<Field, string>>> {
  const unequal = (found: string | undefined, expected: string | null): string | undefined =>
    oneLine(found ?? '') === (expected ?? '') ? undefined : JSON.stringify(found);
  const wrong: Record<Field, string | undefined> = {
    sender: unequal(mail.from?.address, wanted.from),
    name: unequal(mail.fromName, wanted.name),
    subject: unequal(mail.subject, wanted.subject),
    body: await wrongBody(mail, wanted),
    'attachment names': wrongNames(mail, wanted),
    'attachment bytes': wrongBytes(mail, wanted),
  };
  return Object.fromEntries(Object.entries(wrong).filter(([, difference]) => difference !== undefined));
}

it('expectations exist for at least 120 messages, each for a different one', () => {
  const paths = expectations.map(({ path }) => path);
  expect(paths.length).toBeGreaterThanOrEqual(120);
  expect(new Set(paths).size).toBe(paths.length);
});

if (!isFullCorpus)
  console.warn('SKIPPED: how accurately messages are read, because ../shared/mail is not here.');

describe.skipIf(!isFullCorpus)('messages that a person has read beforehand', () => {
  const wrong = new Map<string, Partial<Record<Field, string>>>();
  const failures = (field: Field): string[] =>
    [...wrong].flatMap(([path, { [field]: difference }]) =>
      difference === undefined ? [] : [`${path}: ${difference}`],
    );

  beforeAll(async () => {
    for (const wanted of expectations)
      wrong.set(wanted.path, await differences(await readMail(corpusMail(wanted.path)), wanted));
    const report = fields.map((field) => {
      const right = expectations.length - failures(field).length;
      return `${field} ${right} of ${expectations.length} (${((100 * right) / expectations.length).toFixed(1)} %)`;
    });
    const misread = fields.flatMap((field) => failures(field).map((line) => `  ${field}: ${line}`));
    console.info([`accuracy: ${report.join(', ')}`, ...misread].join('\n'));
  });

  it.each(fields)('are read with the right %s in at least 99 of 100', (field) => {
    const failed = failures(field);
    expect(1 - failed.length / expectations.length, failed.join('\n')).toBeGreaterThanOrEqual(0.99);
  });
});
