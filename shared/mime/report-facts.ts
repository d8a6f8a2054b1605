/** Reads machine-readable reports (RFC 3464, RFC 5965, RFC 8098). Pure. */
import { cleanLine } from './clean-text.ts';
import type { DeliveryFact, ParsedAttachment, ReportFacts } from './parsed-message.ts';

/** A report's machine-readable part and the returned headers are short; the rest is ignored. */
const READ_BYTES = 64 * 1024;
const MAX_IDS = 10;
const MAX_RECIPIENTS = 20;
const MAX_DIAGNOSTIC = 500;

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
  const machine = attachments.filter((each) => kinds[each.contentType] !== undefined).map(decodedContent);
  const actions = machine.flatMap((part) => fieldsOf(part, 'action')).map((word) => word.toLowerCase());
  if (kind === undefined) return undefined;
  const deliveries = kind === 'delivery' ? machine.flatMap(deliveriesIn).slice(0, MAX_RECIPIENTS) : [];
  return {
    kind,
    // RFC 3464 section 2.3.3: delivered, relayed and expanded report success.
    isSuccess: actions.length > 0 && actions.every((word) => /^(?:delivered|relayed|expanded)\b/.test(word)),
    messageIds: [...new Set([...returnedIds(attachments), ...machine.flatMap(messageIdsIn)])].slice(
      0,
      MAX_IDS,
    ),
    recipients: [
      ...new Set(
        machine.flatMap((part) =>
          [...fieldsOf(part, 'final-recipient'), ...fieldsOf(part, 'original-recipient')].flatMap(
            (value) => addressIn(value) ?? [],
          ),
        ),
      ),
    ].slice(0, MAX_RECIPIENTS),
    ...(deliveries.length > 0 && { deliveries }),
  };
}

/** Message-IDs of the emails, or headers of emails, that are attached. */
export const returnedIds = (attachments: readonly ParsedAttachment[]): string[] =>
  [
    ...new Set(
      attachments
        .filter((each) => returned.has(each.contentType))
        .flatMap((each) => messageIdsIn(headOf(decodedContent(each)))),
    ),
  ].slice(0, MAX_IDS);

const messageIdsIn = (part: string): string[] =>
  [...fieldsOf(part, 'message-id'), ...fieldsOf(part, 'original-message-id')].flatMap(
    (value) => /<[^<>\s]{1,990}>/.exec(value)?.[0] ?? [],
  );

/** The first address of a text, in lower case. */
export const addressIn = (value: string): string | undefined =>
  /[^\s<>;,:"']{1,256}@[^\s<>;,:"']{1,256}/.exec(value)?.[0].toLowerCase();

/** RFC 3464 section 2.1: fields of the message, then a group of fields for each recipient. */
function deliveriesIn(part: string): DeliveryFact[] {
  return part.split(/\r?\n[ \t]*\r?\n/).flatMap((group): DeliveryFact[] => {
    const field = (name: string): string | undefined => fieldsOf(group, name)[0];
    const address = field('final-recipient') ?? field('original-recipient');
    const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(field('status') ?? '')?.[0];
    const action = /^[a-z-]+/i.exec(field('action') ?? '')?.[0].toLowerCase();
    if (address === undefined && action === undefined && status === undefined) return [];
    const recipient = address === undefined ? undefined : addressIn(address);
    const diagnostic = cleanLine(
      (field('diagnostic-code') ?? '').replace(/^[a-z0-9-]+;\s*/i, ''),
      MAX_DIAGNOSTIC,
    );
    return [
      {
        ...(recipient !== undefined && { recipient }),
        ...(action !== undefined && { action }),
        ...(status !== undefined && { status }),
        ...(diagnostic !== '' && { diagnostic }),
      },
    ];
  });
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

const decodedContent = ({ content }: ParsedAttachment): string =>
  content === undefined ? '' : Buffer.from(content).toString('latin1', 0, READ_BYTES);

const headOf = (part: string): string => part.split(/\r?\n\r?\n/, 1)[0] ?? '';

/** Values of all fields of that name, unfolded. */
function fieldsOf(part: string, name: string): string[] {
  const field = new RegExp(`^${name}[ \\t]*:(.{0,2000}(?:\\r?\\n[ \\t].{0,2000}){0,8})`, 'gim');
  return [...part.matchAll(field)].map(([, value = '']) => value.replace(/\s+/g, ' ').trim());
}
