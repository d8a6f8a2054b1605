import { randomUUID } from 'node:crypto';
import { readEntity } from './mime-structure.ts';

/** A delivery status notification (RFC 3464) for a recipient outside of the demo. */
export function bounce(failed: { sender: string; recipient: string; raw: Buffer; now: number }): Buffer {
  const { sender, recipient, raw, now } = failed;
  const boundary = `=_bounce_${randomUUID()}`;
  const date = new Date(now).toUTCString().replace('GMT', '+0000');
  const reason = `550 5.1.1 <${recipient}> is outside of the demo`;
  const lines = [
    'Return-Path: <>',
    'From: Mail Delivery System <mailer-daemon@mail.contoso.example>',
    `To: ${sender}`,
    'Subject: Undelivered Mail Returned to Sender',
    `Date: ${date}`,
    `Message-ID: <${randomUUID()}@mail.contoso.example>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'This is the mail server emulator.',
    '',
    'Your message could not be delivered to one or more recipients:',
    '',
    `<${recipient}>: ${reason}`,
    '',
    `--${boundary}`,
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.contoso.example',
    `Arrival-Date: ${date}`,
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    `Diagnostic-Code: smtp; ${reason}`,
    '',
    `--${boundary}`,
    'Content-Type: text/rfc822-headers',
    '',
    `${raw.toString('latin1', 0, readEntity(raw).bodyStart)}`,
    `--${boundary}--`,
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}
