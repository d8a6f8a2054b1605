import { attachmentName } from '../tickets/attachment-name.ts';
import { mediaTypeOf } from '../tickets/download-headers.ts';

const MB = 1024 * 1024;
/** All attachments of a reply, before base64, which adds a third. Exchange Online takes 35 MB of both by default. */
export const MAX_ATTACHMENT_BYTES = 25 * MB;
export const MAX_ATTACHMENTS = 50;

export interface ReplyAttachment {
  /** Identifies it within its draft. */
  id: string;
  filename: string;
  contentType: string;
  size: number;
  blob: string;
}

export type AttachmentCheck =
  | { kind: 'accepted'; filename: string; contentType: string }
  /** A sentence for the person who attached it. */
  | { kind: 'refused'; message: string };

/**
 * Checks an uploaded file against those that the draft has. A name that another file has gets a number. Pure.
 * @param limit bytes that the way out takes in all, if less than 25 MB
 */
export function checkAttachment(
  file: { filename: string | undefined; contentType: string; size: number },
  attached: readonly Pick<ReplyAttachment, 'filename' | 'size'>[],
  limit: number = MAX_ATTACHMENT_BYTES,
): AttachmentCheck {
  const most = Math.min(limit, MAX_ATTACHMENT_BYTES);
  const name = attachmentName(file);
  const used = attached.reduce((sum, { size }) => sum + size, 0);
  const refused = (message: string): AttachmentCheck => ({ kind: 'refused', message });
  if (file.size === 0) return refused(`${name} is empty.`);
  if (attached.length >= MAX_ATTACHMENTS)
    return refused(`A reply has at most ${MAX_ATTACHMENTS} attachments.`);
  if (used + file.size > most) {
    const left = `${((most - used) / MB).toFixed(1)} of ${Math.round(most / MB)} MB are left`;
    return refused(`${name} is too large: ${left}. Share a link to the file instead.`);
  }
  const taken = new Set(attached.map(({ filename }) => filename.toLowerCase()));
  return { kind: 'accepted', filename: freeName(name, taken), contentType: mediaTypeOf(file.contentType) };
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name.toLowerCase())) return name;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 2; ; number += 1) {
    const free = `${stem} (${number})${ending}`;
    if (!taken.has(free.toLowerCase())) return free;
  }
}
