/** Reads machine-readable reports (RFC 3464, RFC 5965, RFC 8098). Pure. */
import type { ParsedAttachment, ReportFacts } from './parsed-message.ts';

/** A report's machine-readable part and the returned headers are short; the rest is ignored. */
const READ_BYTES = 64 * 1024;
const MAX_IDS = 10;
const MAX_RECIPIENTS = 20;

const kinds: Readonly<Record<string, ReportFacts['kind']>> = {
  'message/delivery-status': 'delivery',
  'message/global-delivery-status': 'delivery',
  'message/feedback-report': 'feedback',
  'message/disposition-notification': 'disposition',
};
/** Parts that return the original email, or its headers (RFC 3462 section 2). */
const returned = new Set([
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
]);

/**
 * Determines the kind of a report, and the emails and recipients that it reports on.
 * @param contentType of the email itself
 */
export function readReport(
  contentType: string,
  attachments: readonly ParsedAttachment[],
): ReportFacts | undefined {
  const kind = kindOf(contentType, attachments);
  const machine = attachments.filter((each) => kinds[each.contentType] !== undefined).map(textOf);
  const originals = attachments.filter((each) => returned.has(each.contentType)).map(textOf);
  const actions = machine.flatMap((part) => fieldsOf(part, 'action')).map((word) => word.toLowerCase());
  if (kind === undefined) return undefined;
  return {
    kind,
    // RFC 3464 section 2.3.3: delivered, relayed and expanded report success.
    isSuccess: actions.length > 0 && actions.every((word) => /^(?:delivered|relayed|expanded)\b/.test(word)),
    messageIds: [
      ...new Set(
        [...originals.map(headOf), ...machine].flatMap((part) =>
          [...fieldsOf(part, 'message-id'), ...fieldsOf(part, 'original-message-id')].flatMap(
            (value) => /<[^<>\s]{1,990}>/.exec(value)?.[0] ?? [],
          ),
        ),
      ),
    ].slice(0, MAX_IDS),
    recipients: [
      ...new Set(
        machine.flatMap((part) =>
          [...fieldsOf(part, 'final-recipient'), ...fieldsOf(part, 'original-recipient')].flatMap(
            (value) => /[^\s<>;,]{1,256}@[^\s<>;,]{1,256}/.exec(value)?.[0].toLowerCase() ?? [],
          ),
        ),
      ),
    ].slice(0, MAX_RECIPIENTS),
  };
}

function kindOf(
  contentType: string,
  attachments: readonly ParsedAttachment[],
): ReportFacts['kind'] | undefined {
  const [, quoted, bare] = /report-type\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(contentType) ?? [];
  const named = /^\s*multipart\/report/i.test(contentType) ? (quoted ?? bare)?.toLowerCase() : undefined;
  const found = attachments.flatMap((each) => kinds[each.contentType] ?? []);
  // A complaint may also contain a delivery report; the complaint counts.
  if (found.includes('feedback') || named === 'feedback-report') return 'feedback';
  return found[0] ?? kinds[`message/${named ?? ''}`] ?? (named === undefined ? undefined : 'delivery');
}

const textOf = ({ content }: ParsedAttachment): string =>
  content === undefined ? '' : Buffer.from(content).toString('latin1', 0, READ_BYTES);

const headOf = (part: string): string => part.split(/\r?\n\r?\n/, 1)[0] ?? '';

/** Values of all fields of that name, unfolded. */
function fieldsOf(part: string, name: string): string[] {
  const field = new RegExp(`^${name}[ \\t]*:(.{0,2000}(?:\\r?\\n[ \\t].{0,2000}){0,8})`, 'gim');
  return [...part.matchAll(field)].map(([, value = '']) => value.replace(/\s+/g, ' ').trim());
}
