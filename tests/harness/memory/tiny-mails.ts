import { createContentKey } from '../../../shared/intake/content-key.ts';
import { limits } from '../../../shared/intake/plan-batches.ts';

/** An email of the workload, and its expected result. */
export interface TinyMail {
  name: string;
  raw: Buffer;
  disposition: 'ticket' | 'copy' | 'not an email';
}

interface Wish {
  from?: string;
  subject: string;
  id?: string;
  answers?: string;
  type?: string;
  body: string;
}

const KIM = 'Kim Miller <kim@customer.example>';
const LEE = 'Lee Young <lee@customer.example>';

function written({
  from = KIM,
  subject,
  id,
  answers,
  type = 'text/plain; charset=utf-8',
  body,
}: Wish): Buffer {
  const lines = [
    `From: ${from}`,
    'To: support@contoso.example',
    `Subject: ${subject}`,
    'Date: Tue, 24 Nov 2026 09:00:00 +0000',
    ...(id === undefined ? [] : [`Message-ID: <${id}@customer.example>`]),
    ...(answers === undefined ? [] : [`In-Reply-To: <${answers}@customer.example>`]),
    'MIME-Version: 1.0',
    `Content-Type: ${type}`,
    '',
    body,
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}

const boundary = 'part-of-it';
const withAttachment = [
  `--${boundary}`,
  'Content-Type: text/plain',
  '',
  'The log is attached.',
  `--${boundary}`,
  'Content-Type: application/pdf; name=log.pdf',
  'Content-Disposition: attachment; filename=log.pdf',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('%PDF-1.4 a very small log').toString('base64'),
  `--${boundary}--`,
].join('\r\n');

const plain = written({ subject: 'Printer', id: 'printer', body: 'It does not print.' });

/** Arrives alone, before the others, so that its ticket exists when they arrive. */
export const earlier: TinyMail = {
  name: 'earlier',
  raw: written({ from: LEE, subject: 'Invoice', id: 'invoice', body: 'Where is it?' }),
  disposition: 'ticket',
};

/** Nine emails that arrive together. */
export const workload: readonly TinyMail[] = [
  { name: 'plain', raw: plain, disposition: 'ticket' },
  {
    name: 'reply to an email of the same batch',
    raw: written({ subject: 'Re: Printer', id: 'printer-2', answers: 'printer', body: 'Now it smokes.' }),
    disposition: 'ticket',
  },
  { name: 'exact copy', raw: Buffer.from(plain), disposition: 'copy' },
  {
    name: 'reused Message-ID',
    raw: written({ from: LEE, subject: 'Order', id: 'printer', body: 'Something else entirely.' }),
    disposition: 'ticket',
  },
  {
    name: 'attachment',
    raw: written({
      subject: 'Log',
      id: 'log',
      type: `multipart/mixed; boundary=${boundary}`,
      body: withAttachment,
    }),
    disposition: 'ticket',
  },
  {
    name: 'html',
    // Longer than a row stores inline, so it is stored in a separate blob.
    raw: written({
      subject: 'Colours',
      id: 'colours',
      type: 'text/html; charset=utf-8',
      body: `<p>red</p>\r\n${'<p>and more red</p>\r\n'.repeat(1500)}`,
    }),
    disposition: 'ticket',
  },
  {
    name: 'no Message-ID',
    raw: written({ from: LEE, subject: 'Nameless', body: 'I have no id.' }),
    disposition: 'ticket',
  },
  {
    name: 'reply to the earlier ticket',
    raw: written({
      from: LEE,
      subject: 'Re: Invoice',
      id: 'invoice-2',
      answers: 'invoice',
      body: 'Found it.',
    }),
    disposition: 'ticket',
  },
  { name: 'no email', raw: Buffer.from('\u0000\u0001\u0002 just bytes'), disposition: 'not an email' },
];

/** An ordinary email. */
export const tinyMail = (name: string, { attachment = false } = {}): TinyMail => ({
  name,
  raw: written({
    subject: name,
    id: name.replaceAll(' ', '-'),
    body: attachment ? withAttachment : name,
    ...(attachment && { type: `multipart/mixed; boundary=${boundary}` }),
  }),
  disposition: 'ticket',
});

/** Too large to be parsed in memory. */
export const largeMail: TinyMail = {
  name: 'large',
  raw: written({
    from: KIM,
    subject: 'A film',
    id: 'large',
    type: `multipart/mixed; boundary=${boundary}`,
    body: withAttachment.replace(
      'JVBERi0',
      `${`${'A'.repeat(76)}\r\n`.repeat(limits.inMemoryBytes / 78)}JVBERi0`,
    ),
  }),
  disposition: 'ticket',
};

const keys = new WeakMap<Uint8Array, Map<string, string>>();

/** The content key of an email that was received then, computed once per date. The fixed date is that of most tests. */
export function keyOf(raw: Uint8Array, receivedAt = '2026-11-24T10:00:00.000Z'): string {
  const day = receivedAt.slice(0, 10);
  const known = keys.get(raw) ?? new Map<string, string>();
  keys.set(raw, known);
  const before = known.get(day);
  if (before !== undefined) return before;
  const key = createContentKey(receivedAt);
  key.update(raw);
  const digest = key.digest();
  known.set(day, digest);
  return digest;
}
