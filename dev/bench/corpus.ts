import { createHash } from 'node:crypto';

/**
 * Typical email of a help desk, with equal bytes on every run. Per hundred, in a shuffled order: 70 short
 * messages (multipart/alternative, 5–16 KB), 20 reply chains (22–61 KB, half of them replying to an email
 * of the same mailbox), 8 with an attachment of 200 KB to 1 MB, 2 with one of 5 MB; headers and HTML as
 * Outlook writes them, 300 senders.
 */
export interface BenchMail {
  kind: MailKind;
  raw: Buffer;
  attachment: { filename: string; size: number; sha256: string } | undefined;
}

export type MailKind = 'small' | 'chain' | 'medium' | 'large';

type Random = () => number;

const BLOCK: readonly MailKind[] = [
  ...Array<MailKind>(70).fill('small'),
  ...Array<MailKind>(20).fill('chain'),
  ...Array<MailKind>(8).fill('medium'),
  ...Array<MailKind>(2).fill('large'),
];
/** All emails are dated before this time, one second apart. */
const NEWEST = Date.parse('2026-11-20T12:00:00Z');

export function mixedMails(count: number): BenchMail[] {
  const messageIds: string[] = [];
  const mails: BenchMail[] = [];
  for (let block = 0; mails.length < count; block += 1) {
    const random = generator(20250303 + block);
    for (const kind of shuffled(BLOCK, random)) {
      if (mails.length >= count) break;
      mails.push(makeMail(mails.length, kind, random, messageIds, count));
    }
  }
  return mails;
}

/** Only short messages: no attachment, no blob except the raw email. */
export function plainMails(count: number, seed = 4711): BenchMail[] {
  const random = generator(seed);
  return Array.from({ length: count }, (_, index) => makeMail(index, 'small', random, [], count));
}

/** One email of about `bytes`, almost entirely one attachment in base64. */
export function bigMail(bytes: number): BenchMail {
  const random = generator(95);
  // 57 bytes give a line of 76 characters plus its line end.
  const size = Math.floor((bytes - 20_000) / 78) * 57;
  return makeMail(0, 'large', random, [], 1, size);
}

/** mulberry32, a small generator with equal numbers on every machine. */
function generator(seed: number): Random {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T;
const between = (low: number, high: number, random: Random): number => low + random() * (high - low);

const WORDS =
  'the of and to in invoice order is password for printer that on with laptop as are this account be at or from an we by not your have can error which all when screen update their if will one device license please use out server could time network only new some customer has more her been two like other how then do first any my now such our over man me even most made after also did many before must through back years where much way well down should because each just those people little state good very make world still own see work long here get both between life being under never day same another know while last might us great old year off come since against go came right used take three Größe Rückmeldung café Änderung façade naïve straße señor Übersicht résumé Łódź čas jalapeño'.split(
    ' ',
  );
const SUBJECTS = [
  'Cannot log in to the portal',
  'Printer on floor 3 offline',
  'Invoice 4711 is wrong',
  'New laptop request',
  'VPN drops every ten minutes',
  'Access to shared mailbox',
  'Bestellung: Lieferung verspätet',
  'Password reset needed',
  'Export fails with timeout',
  'Question about the license',
  'Wrong delivery address',
  'Rückfrage zum Vertrag',
  'Teams call has no audio',
  'Certificate expires soon',
];
const FIRST =
  'Anna Ben Carla David Eva Farid Greta Hugo Ines Jan Katja Luis Mara Nils Olga Pavel Rosa Sven'.split(' ');
const LAST =
  'Meyer Schulz Novak Garcia Rossi Dubois Jensen Kowalski Müller Silva Andersson Weber Ionescu'.split(' ');

function makeMail(
  index: number,
  kind: MailKind,
  random: Random,
  messageIds: string[],
  count: number,
  attachmentSize?: number,
): BenchMail {
  const sender = Math.floor(random() * 300);
  const name = `${FIRST[sender % FIRST.length]} ${LAST[Math.floor(sender / FIRST.length) % LAST.length]}`;
  const from = `customer${sender}@client${sender % 40}.example`;
  const messageId = `<perf.${index}.${hex(random, 16)}@client${sender % 40}.example>`;
  const date = new Date(NEWEST - (count - index) * 1000).toUTCString().replace('GMT', '+0000');
  let subject = `${pick(SUBJECTS, random)} (${1000 + index})`;
  let references = '';
  if (kind === 'chain') {
    subject = `Re: ${subject}`;
    const known = index > 3 && random() < 0.5 ? pick(messageIds, random) : undefined;
    const chain =
      known === undefined
        ? Array.from({ length: 4 }, () => `<old.${hex(random, 20)}@mail.example>`)
        : [known];
    references = `In-Reply-To: ${chain.at(-1)}\r\nReferences: ${chain.join('\r\n ')}\r\n`;
  }
  messageIds.push(messageId);
  const target =
    kind === 'small'
      ? between(5000, 15_000, random)
      : kind === 'chain'
        ? between(20_000, 60_000, random)
        : between(6000, 14_000, random);
  const own = kind === 'chain' ? between(600, 2100, random) : (target - 3400) / 3.3;
  const text = `Hello,\n\n${sentences(random, own)}\n\nKind regards\n${name}\n`;
  const quoted =
    kind === 'chain'
      ? quotedChain(random, (target - own * 2.6 - 3600) / 2.6, name, subject)
      : { text: '', html: '' };
  const head = [
    outlookHeaders(random, sender, date),
    `From: ${encoded(name)} <${from}>\r\nTo: Support <support@contoso.example>\r\nSubject: ${encoded(subject)}\r\nThread-Topic: ${encoded(subject)}\r\nThread-Index: ${bytes(random, 22).toString('base64')}\r\nDate: ${date}\r\nMessage-ID: ${messageId}\r\n${references}Accept-Language: de-DE, en-US\r\nContent-Language: en-US\r\nX-MS-TNEF-Correlator:\r\nMIME-Version: 1.0\r\n`,
  ].join('');
  const body = alternative(random, text + quoted.text, outlookHtml(text, quoted.html));
  if (kind === 'small' || kind === 'chain')
    return { kind, raw: Buffer.from(head + body), attachment: undefined };
  const size =
    attachmentSize ?? (kind === 'large' ? 5_000_000 : Math.floor(between(200_000, 1_000_000, random)));
  return withAttachment(index, kind, head, body, bytes(random, size), hex(random, 24));
}

function withAttachment(
  index: number,
  kind: MailKind,
  head: string,
  body: string,
  content: Buffer,
  mark: string,
): BenchMail {
  const large = kind === 'large';
  const filename = large ? `scan-${index}.zip` : `invoice-${index}.pdf`;
  const type = large ? 'application/zip' : 'application/pdf';
  const boundary = `_004_${mark}_`;
  const raw = Buffer.concat([
    Buffer.from(
      `${head}Content-Type: multipart/mixed;\r\n\tboundary="${boundary}"\r\n\r\n--${boundary}\r\n${body}\r\n--${boundary}\r\nContent-Type: ${type}; name="${filename}"\r\nContent-Description: ${filename}\r\nContent-Disposition: attachment; filename="${filename}"; size=${content.byteLength}\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
    ),
    base64Lines(content),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { kind, raw, attachment: { filename, size: content.byteLength, sha256 } };
}

/** In chunks: a large attachment is too long for one string. */
function base64Lines(content: Buffer): Buffer {
  const pieces: Buffer[] = [];
  const PIECE = 57 * 4096;
  for (let start = 0; start < content.byteLength; start += PIECE) {
    const text = content.subarray(start, start + PIECE).toString('base64');
    pieces.push(Buffer.from(text.replace(/.{1,76}/g, '$&\r\n'), 'latin1'));
  }
  const lines = Buffer.concat(pieces);
  return lines.subarray(0, lines.byteLength - 2);
}

function outlookHeaders(random: Random, sender: number, date: string): string {
  const client = `client${sender % 40}.example`;
  const hops = Array.from(
    { length: 4 },
    (_, hop) =>
      `Received: from MTA${hop}.mail.example (2603:10a6:${hex(random, 3)}:${hex(random, 2)}::${hex(random, 2)}) by\r\n MTA${hop + 1}.mail.example (2603:10a6:20b:${hex(random, 3)}::${hex(random, 2)}) with Microsoft SMTP Server (version=TLS1_2,\r\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.${Math.floor(random() * 9000)}.${Math.floor(random() * 40)}; ${date}\r\n`,
  );
  const signature = base64Lines(bytes(random, 256)).toString('latin1').replaceAll('\r\n', '\r\n\t');
  return `${hops.join('')}Authentication-Results: spf=pass (sender IP is 192.0.2.${Math.floor(random() * 255)})\r\n smtp.mailfrom=${client}; dkim=pass (signature was verified)\r\n header.d=${client};dmarc=pass action=none\r\n header.from=${client};compauth=pass reason=100\r\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${client};\r\n\ts=selector1; h=From:Date:Subject:Message-ID:Content-Type:MIME-Version;\r\n\tbh=${bytes(random, 32).toString('base64')};\r\n\tb=${signature}\r\n`;
}

function alternative(random: Random, text: string, html: string): string {
  const boundary = `_000_${hex(random, 24)}_`;
  const part = (type: string, content: string): string =>
    `--${boundary}\r\nContent-Type: ${type}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(content)}\r\n`;
  return `Content-Type: multipart/alternative;\r\n\tboundary="${boundary}"\r\n\r\n${part('text/plain', text)}${part('text/html', html)}--${boundary}--\r\n`;
}

function quotedChain(
  random: Random,
  length: number,
  name: string,
  subject: string,
): { text: string; html: string } {
  let text = '';
  let html = '';
  for (let left = length, depth = 1; left > 0 && depth <= 12; depth += 1) {
    const size = Math.min(left, between(900, 4400, random));
    const said = sentences(random, size);
    left -= size + 250;
    const sent = `Monday, 3 March 2025 1${depth % 10}:12`;
    text += `\n-----Original Message-----\nFrom: Support <support@contoso.example>\nSent: ${sent}\nTo: ${name}\nSubject: ${subject}\n\n${said}\n`;
    html += `<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>From:</b> Support &lt;support@contoso.example&gt;<br><b>Sent:</b> ${sent}<br><b>To:</b> ${name}<br><b>Subject:</b> ${subject}</p></div>\n${paragraphs(said)}\n`;
  }
  return { text, html };
}

const paragraphs = (text: string): string =>
  text
    .split(/\n+/)
    .map((line) => `<p class="MsoNormal">${line}<o:p></o:p></p>`)
    .join('\n');

function outlookHtml(text: string, quoted: string): string {
  const own = text
    .split(/\n+/)
    .map(
      (line) =>
        `<p class="MsoNormal"><span lang="EN-US" style="font-family:&quot;Calibri&quot;,sans-serif;font-size:11.0pt">${line}<o:p></o:p></span></p>`,
    )
    .join('\n');
  return `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">\n<style><!--\np.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif;}\na:link {color:#0563C1; text-decoration:underline;}\n--></style></head>\n<body lang="EN-US" link="#0563C1" vlink="#954F72"><div class="WordSection1">\n${own}\n${quoted}</div></body></html>`;
}

function sentences(random: Random, length: number): string {
  let text = '';
  while (text.length < length) {
    const words = Array.from({ length: 6 + Math.floor(random() * 14) }, () => pick(WORDS, random)).join(' ');
    text +=
      words.charAt(0).toUpperCase() +
      words.slice(1) +
      (random() < 0.2 ? '.\n\n' : random() < 0.3 ? '.\n' : '. ');
  }
  return text.trim();
}

function quotedPrintable(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const pieces: string[] = [];
      let current = '';
      for (const byte of Buffer.from(line)) {
        const plain = (byte >= 33 && byte <= 126 && byte !== 61) || byte === 32;
        const shown = plain
          ? String.fromCharCode(byte)
          : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        if (current.length + shown.length > 75) {
          pieces.push(`${current}=`);
          current = '';
        }
        current += shown;
      }
      pieces.push(current.endsWith(' ') ? `${current.slice(0, -1)}=20` : current);
      return pieces.join('\r\n');
    })
    .join('\r\n');
}

const encoded = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
}

function bytes(random: Random, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length + 4);
  for (let at = 0; at < length; at += 4) buffer.writeUInt32LE(Math.floor(random() * 4_294_967_296), at);
  return buffer.subarray(0, length);
}
