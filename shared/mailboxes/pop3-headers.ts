import type { HeaderSearch } from './inbox.ts';

/** What a POP3 server says about a message only in its header, because it has no metadata of its own. */
export interface Pop3Header {
  /** ISO time; the epoch if the header has no readable time. The same in every session. */
  receivedAt: string;
  messageId: string;
}

/**
 * The time of the topmost Received field, which the mailbox's own server added last (RFC 5321 section 4.4);
 * without one, of the Date field. Pure.
 */
export function readPop3Header(head: Uint8Array): Pop3Header {
  const fields = fieldsOf(head);
  const received = fields.find(({ name }) => name === 'received')?.value;
  const sent = fields.find(({ name }) => name === 'date')?.value;
  const at =
    timeOf(received?.slice(received.lastIndexOf(';') + 1)) ?? timeOf(sent) ?? '1970-01-01T00:00:00.000Z';
  const messageId = fields.find(({ name }) => name === 'message-id')?.value ?? '';
  return { receivedAt: at, messageId: messageId.slice(0, 1000) };
}

/** Whether a header matches: POP3 has no search of its own. Pure. */
export function matchesSearch(head: Uint8Array, { words, messageId }: HeaderSearch): boolean {
  const fields = fieldsOf(head);
  const contains = (name: string, wanted: string): boolean =>
    fields.some(
      (field) => field.name === name && decoded(field.value).toLowerCase().includes(wanted.toLowerCase()),
    );
  return (
    (messageId !== undefined && contains('message-id', messageId)) ||
    (words !== '' && (contains('from', words) || contains('subject', words)))
  );
}

interface Field {
  /** In lower case. */
  name: string;
  /** Unfolded, as Latin-1. */
  value: string;
}

function fieldsOf(head: Uint8Array): Field[] {
  const text = Buffer.from(head).toString('latin1');
  const [block = ''] = text.split(/\r?\n\r?\n/, 1);
  return block
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .map((line) => {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
      return { name, value: line.slice(colon + 1).trim() };
    });
}

/**
 * RFC 5322 section 3.3. `Date.parse` alone reads almost any text as a date, and a text without a zone as local
 * time.
 */
function timeOf(text: string | undefined): string | undefined {
  const found = /(\d{1,2}\s+[a-z]{3}\s+\d{4}\s+\d{1,2}:\d{2}(?::\d{2})?)\s*([+-]\d{4}|GMT|UTC?|Z)?/i.exec(
    text ?? '',
  );
  const [, local, zone = '+0000'] = found ?? [];
  if (local === undefined) return undefined;
  const time = Date.parse(`${local} ${/^[+-]/.test(zone) ? zone : '+0000'}`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** Encoded words (RFC 2047) as text; other bytes as UTF-8. Good enough to search in. */
function decoded(value: string): string {
  const utf8 = Buffer.from(value, 'latin1').toString('utf8');
  return utf8
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(
      /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?]*)\?=/gi,
      (word, charset: string, kind: string, body: string) => {
        const bytes =
          kind.toLowerCase() === 'b'
            ? Buffer.from(body, 'base64')
            : Buffer.from(
                body
                  .replaceAll('_', ' ')
                  .replace(/=([0-9a-f]{2})/gi, (_, hex: string) =>
                    String.fromCharCode(Number.parseInt(hex, 16)),
                  ),
                'latin1',
              );
        try {
          return new TextDecoder(charset).decode(bytes);
        } catch {
          return word;
        }
      },
    );
}
