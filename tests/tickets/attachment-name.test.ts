import { expect, test } from 'vitest';
import { attachmentName } from '../../shared/tickets/attachment-name.ts';

test.each([
  [undefined, 'text/calendar; method=REQUEST', 'invite.ics'],
  [undefined, 'application/ics', 'invite.ics'],
  [undefined, 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'document.docx'],
  [undefined, 'message/rfc822', 'message.eml'],
  ['', 'message/delivery-status', 'delivery-status.txt'],
  ['  ', 'application/pgp-signature', 'signature.asc'],
  [undefined, 'IMAGE/PNG', 'image.png'],
  [undefined, 'image/svg+xml', 'image.svg'],
  [undefined, 'image/x-icon', 'image.icon'],
  [undefined, 'audio/aac', 'audio.aac'],
  [undefined, 'video/mp4', 'video.mp4'],
  [undefined, 'image/x', 'attachment'],
  [undefined, 'video/quicktime', 'attachment'],
  [undefined, 'image/vnd.ms-photo', 'attachment'],
  [undefined, 'image/../x', 'attachment'],
  [undefined, 'image', 'attachment'],
  [undefined, 'font/woff2', 'attachment'],
  [undefined, 'constructor/png', 'attachment'],
  [undefined, 'constructor', 'attachment'],
  [undefined, 'application/octet-stream', 'attachment'],
  ['../report.pdf', 'text/calendar', 'report.pdf'],
])('a part called %j of type %s is offered as %s', (filename, contentType, name) => {
  expect(attachmentName({ filename, contentType })).toBe(name);
});
