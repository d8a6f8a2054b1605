import { textOfHtml } from '../tickets/html-text.ts';
import type { ReadMail, ReadPart } from './normalise-message.ts';
import { hasSameContent } from './stored-text.ts';
import { readTnef, type Tnef } from './tnef.ts';
import { takeUuFiles } from './uuencode.ts';

/** Number of characters compared to find out whether two texts are the same. */
const COMPARED = 8 * 1024;

/**
 * Extracts the files from Outlook's `winmail.dat` and from uuencoded text. A part stays if it cannot be
 * opened or contains text that is shown nowhere else. Nothing is extracted if the email would then have more
 * than `limit` files. Changes the email passed in.
 */
export function expandParts(mail: ReadMail, limit: number): void {
  const { text, files } = takeUuFiles(mail.text);
  if (mail.parts.length + files.length <= limit) {
    mail.text = text;
    mail.parts.push(...files.map(fileOf));
  }
  const expanded = mail.parts.flatMap((part) => openTnef(part, mail));
  if (expanded.length <= limit) mail.parts = expanded;
}

function openTnef(part: ReadPart, mail: ReadMail): ReadPart[] {
  if (!isTnef(part)) return [part];
  const tnef = readTnef(part.content);
  if (tnef === undefined) return [part];
  const files = tnef.files.map(fileOf);
  if (mail.text.trim() === '' && mail.html === undefined) {
    mail.text = tnef.text ?? '';
    mail.html = tnef.html;
  }
  return files.length > 0 && tnef.whole && isShown(tnef, mail) ? files : [part, ...files];
}

/** Usually the message inside the file is also in the email itself. */
function isShown(tnef: Tnef, { text, html }: ReadMail): boolean {
  const inside = tnef.text ?? textOfHtml(tnef.html ?? '', COMPARED);
  return hasSameContent(`${text}${textOfHtml(html ?? '', COMPARED)}`, inside);
}

/** By type or name; the signature in the file decides. */
function isTnef({ contentType, filename }: ReadPart): boolean {
  return (
    /^application\/(?:vnd\.)?ms-tnef$/i.test(contentType ?? '') || /^win(?:mail)?\.dat$/i.test(filename ?? '')
  );
}

function fileOf(file: {
  name: string | undefined;
  contentType?: string | undefined;
  contentId?: string | undefined;
  content: Uint8Array;
}): ReadPart {
  return {
    filename: file.name,
    contentType: file.contentType,
    contentId: file.contentId,
    inline: file.contentId !== undefined,
    content: file.content,
  };
}
