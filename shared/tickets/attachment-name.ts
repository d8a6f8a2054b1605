import { mediaTypeOf, safeFilename } from './download-headers.ts';

/** Names for attachments without a filename, by media type. */
const NAMES: Readonly<Record<string, string>> = {
  'application/ics': 'invite.ics',
  'application/msword': 'document.doc',
  'application/ms-tnef': 'winmail.dat',
  'application/pdf': 'document.pdf',
  'application/pgp-encrypted': 'encrypted.asc',
  'application/pgp-keys': 'key.asc',
  'application/pgp-signature': 'signature.asc',
  'application/pkcs7-mime': 'smime.p7m',
  'application/pkcs7-signature': 'smime.p7s',
  'application/x-microsoft-rpmsg-message': 'message.rpmsg',
  'application/x-pkcs7-mime': 'smime.p7m',
  'application/x-pkcs7-signature': 'smime.p7s',
  'application/rtf': 'document.rtf',
  'application/vnd.ms-excel': 'table.xls',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'slides.pptx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'table.xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'document.docx',
  'application/json': 'data.json',
  'application/xml': 'data.xml',
  'application/zip': 'archive.zip',
  'message/delivery-status': 'delivery-status.txt',
  'message/disposition-notification': 'read-receipt.txt',
  'message/feedback-report': 'feedback-report.txt',
  'message/global': 'message.eml',
  'message/global-delivery-status': 'delivery-status.txt',
  'message/global-headers': 'headers.txt',
  'message/rfc822': 'message.eml',
  'text/calendar': 'invite.ics',
  'text/csv': 'table.csv',
  'text/html': 'page.html',
  'text/plain': 'text.txt',
  'text/rfc822-headers': 'headers.txt',
  'text/vcard': 'contact.vcf',
  'text/rtf': 'document.rtf',
  'text/x-amp-html': 'page.html',
  'text/x-vcard': 'contact.vcf',
};
/** Top-level types whose attachments share a name; the subtype becomes the extension. */
const FAMILIES: Readonly<Record<string, string>> = { audio: 'audio', image: 'image', video: 'video' };

/** The name of an attachment on pages and in downloads: its own, made safe, or one derived from its type. */
export function attachmentName(file: { filename: string | undefined; contentType: string }): string {
  const own = file.filename?.trim() ?? '';
  if (own !== '') return safeFilename(own);
  const type = mediaTypeOf(file.contentType);
  const known = Object.hasOwn(NAMES, type) ? NAMES[type] : undefined;
  const [family = '', kind = ''] = type.split('/');
  const ofFamily = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined;
  // The suffix after `+` is dropped: `svg+xml` becomes `svg`.
  const ending = /^(?:x-)?([a-z0-9]{2,5})(?:\+|$)/.exec(kind)?.[1];
  return known ?? (ofFamily !== undefined && ending !== undefined ? `${ofFamily}.${ending}` : 'attachment');
}
