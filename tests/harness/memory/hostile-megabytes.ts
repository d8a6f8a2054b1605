import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleMail } from '../pages/sample-postroom.ts';
import { corpus, readMail } from './mail-files.ts';

const MEGABYTE = 1_000_000;
const full = (piece: string, characters = MEGABYTE): string =>
  piece.repeat(Math.floor(characters / piece.length));

/** HTML of a megabyte that is expensive to sanitize. */
export const htmlMegabytes: Readonly<Record<string, string>> = {
  'unknown tags': full('<x>'),
  'bold in bold': full('<b>'),
  'lists in lists': full('<ul>'),
  'half divisions, half closing quotations': full('<div>', MEGABYTE / 2) + full('</q>', MEGABYTE / 2),
  'nested 499 deep, then closing tags': full('<div>', 499 * 5) + full('</q>', MEGABYTE - 499 * 5),
  'nested and closed': full('<div>', MEGABYTE / 2.3) + full('</div>', MEGABYTE / 2.3),
  'cells and items in turn': full('<td><li>'),
  paragraphs: full('<p>'),
  'one giant attribute': `<p title="${full('x')}">`,
  'one tag of many attributes': `<p ${full('a=1 ')}>`,
  'one giant style': `<p style="${full('color:red;')}">x</p>`,
  'one style of brackets': `<p style="color:${full('rgb(')}">x</p>`,
  'images that are open': full('<img '),
  'images of other servers': full('<img src="https://t.example/a.gif">'),
  links: full('<a href="http://a.example">a</a>'),
  'an open comment': `<!--${full('-')}`,
  ampersands: full('&'),
  'less-than signs': full('<'),
  'open styles': full('<style>'),
  'spaces in an image': `<img${full(' ')}src=`,
  'one megabyte and one character': full('<b>x</b>', MEGABYTE + 8),
};

/** Text of a megabyte that is expensive to fold, link and escape. */
export const textMegabytes: Readonly<Record<string, string>> = {
  'line ends': full('\n'),
  'quotation marks': full('> '),
  'quoted lines': `x\n${full('>\n')}`,
  'quoted lines and blanks': `x:\n${full('>\n \n')}`,
  links: full('http://a.example '),
  'one giant link': `http://a.example/${full('a')}`,
  'links that end in brackets': full(`http://a.example/${')'.repeat(1_900)} `),
  'links in links': full('http://'),
  'less-than signs': full('<'),
  'quotes to be escaped': full('"&'),
  blanks: full(' '),
  'colons and blanks': full(': '),
  dashes: full('-----'),
  'one word': full('x'),
  'letters of the other direction': full('\u05d0\u202e'),
};

export interface HostileMail extends SampleMail {
  name: string;
}

const short = (text: string): string => text.slice(0, 900);

/** Each of them as a message, with the other parts of a message that a page shows. */
export function hostileMails(): HostileMail[] {
  const html = Object.entries(htmlMegabytes).map(([name, value]) => ({
    name: `HTML of ${name}`,
    text: '',
    html: value,
    htmlInBlob: true,
  }));
  const text = Object.entries(textMegabytes).map(([name, value]) => ({
    name: `text of ${name}`,
    text: value,
    textInBlob: true,
  }));
  const names = Object.entries({ ...textMegabytes }).map(([name, value]) => ({
    name: `names of ${name}`,
    subject: short(value),
    from: { name: short(value), address: `${short(value)}@a.example` },
    to: Array.from({ length: 20 }, () => ({ name: short(value), address: undefined })),
    files: [{ filename: value.slice(0, 30_000), contentType: short(value), bytes: Buffer.from('x') }],
    notes: [short(value)],
  }));
  return [...html, ...text, ...names];
}

/** The hostile emails of the corpus beside the checkout, parsed as by the intake; none if it is absent. */
export async function corpusMails(): Promise<HostileMail[]> {
  const folder = join(corpus, 'hostile');
  if (!existsSync(folder)) return [];
  const mails: HostileMail[] = [];
  for (const file of readdirSync(folder).filter((name) => /^(?:html|hdr|sem)-.*\.eml$/.test(name))) {
    const mail = await readMail(readFileSync(join(folder, file))).catch(() => undefined);
    if (mail === undefined) continue;
    const { text, html, subject } = mail;
    mails.push({
      name: file,
      text,
      textInBlob: true,
      subject,
      ...(html !== undefined && { html, htmlInBlob: true }),
    });
  }
  return mails;
}
