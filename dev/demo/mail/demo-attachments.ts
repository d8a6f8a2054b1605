import { type DemoMail, day, hour, type Letter, minute, type World, write } from './demo-letter.ts';
import { fadingPng, onePagePdf } from './demo-picture.ts';
import { filePart, mailDate, multipart, plainPart, textPart, word } from './mime-writer.ts';

export function inlinePicture(world: World): DemoMail {
  const html = `<html><body>
<p>Hi there,</p>
<p>since this morning my lamp glows <b>orange at the bottom</b> although I set it to white. This is what I see:</p>
<p><img src="cid:lamp@northwind.example" alt="A colour running from white to orange" width="160" height="120"></p>
<p>Is that a setting, or is it broken?</p>
<p>Best regards<br>Tom&aacute;s</p>
</body></html>
`;
  const picture = filePart(
    'image/png; name="lamp.png"',
    fadingPng(160, 120, [250, 250, 245], [240, 140, 40]),
    ['Content-ID: <lamp@northwind.example>', 'Content-Disposition: inline; filename="lamp.png"'],
  );
  const text =
    'Hi there,\n\nsince this morning my lamp glows orange at the bottom. See the picture.\n\nTomás\n';
  const body = multipart('alternative', [
    textPart(text),
    multipart('related; type="text/html"', [textPart(html, 'html'), picture]),
  ]);
  const letter: Letter = {
    from: `${word('Tomás Herrera')} <tomas@northwind.example>`,
    subject: 'My lamp is orange 🧡',
    id: 'lamp-orange@northwind.example',
    ago: 55 * minute,
    zone: 1,
  };
  return write(world, 'inline-picture', letter, body);
}

export function pdfInvoice(world: World): DemoMail {
  const text =
    'Dear team,\n\nplease find our invoice attached. The amount on page 1 differs from your order.\n\nWingtip Accounting\n';
  const pdf = filePart('application/pdf; name="invoice-2026-1187.pdf"', onePagePdf('Invoice 2026-1187'), [
    'Content-Disposition: attachment; filename="invoice-2026-1187.pdf"',
  ]);
  const letter: Letter = {
    from: 'Wingtip Accounting <accounting@wingtip.example>',
    subject: 'Invoice 2026-1187: amount differs',
    id: 'invoice-1187@wingtip.example',
    ago: 40 * minute,
    zone: 0,
  };
  return write(world, 'pdf-invoice', letter, multipart('mixed', [textPart(text), pdf]));
}

export function invitation(world: World): DemoMail {
  const stamp = (time: Date) => time.toISOString().replace(/[-:]|\.\d+/g, '');
  const calendar = [
    'BEGIN:VCALENDAR',
    'PRODID:-//Relecloud//Calendar//EN',
    'VERSION:2.0',
    'METHOD:REQUEST',
    'BEGIN:VEVENT',
    'UID:kick-off@relecloud.example',
    `DTSTAMP:${stamp(world.before(2 * hour))}`,
    `DTSTART:${stamp(world.before(-2 * day))}`,
    `DTEND:${stamp(world.before(-2 * day - hour))}`,
    'SUMMARY:Kick-off: new support hours',
    'ORGANIZER;CN=Sasha Lind:mailto:sasha.lind@relecloud.example',
    `ATTENDEE;RSVP=TRUE:mailto:${world.to}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ].join('\r\n');
  const letter: Letter = {
    from: 'Sasha Lind <sasha.lind@relecloud.example>',
    subject: 'Invitation: Kick-off: new support hours',
    id: 'kick-off@relecloud.example',
    ago: 2 * hour,
    zone: 2,
  };
  const body = multipart('alternative', [
    textPart('Hello,\n\nlet us speak about the new support hours the day after tomorrow.\n\nSasha\n'),
    plainPart('text/calendar; charset=utf-8; method=REQUEST', calendar),
  ]);
  return write(world, 'invitation', letter, body);
}

export function bounce(world: World): DemoMail {
  const report = [
    'Reporting-MTA: dns; mx.litware.example',
    `Arrival-Date: ${mailDate(world.before(95 * minute), 0)}`,
    '',
    'Final-Recipient: rfc822; moved.away@litware.example',
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 <moved.away@litware.example>: user unknown',
  ].join('\r\n');
  const original = [
    `From: ${world.to}`,
    'To: moved.away@litware.example',
    'Subject: Your new desk lamp is on its way',
    'Message-ID: <on-its-way@contoso.example>',
  ].join('\r\n');
  const body = multipart('report; report-type=delivery-status', [
    textPart(
      'Your message to moved.away@litware.example could not be delivered: the address is not known here.\n',
    ),
    plainPart('message/delivery-status', report),
    plainPart('text/rfc822-headers', original),
  ]);
  const letter: Letter = {
    from: 'Mail Delivery System <mailer-daemon@mx.litware.example>',
    subject: 'Undelivered Mail Returned to Sender',
    id: 'bounce-1@mx.litware.example',
    ago: 94 * minute,
    zone: 0,
    more: { 'Return-Path': '<>', 'Auto-Submitted': 'auto-replied' },
  };
  return write(world, 'bounce', letter, body);
}

/** An HTML email with a remote picture, a script and a form. All of it must be harmless. */
export function newsletter(world: World): DemoMail {
  const html = `<html><head><script>document.title = 'a script ran';</script></head>
<body style="margin:0;background:#f4f1ea" onload="document.title = 'a handler ran'">
<table width="100%"><tr><td align="center">
<img src="https://pixel.lucerne.example/open.gif?id=1" width="1" height="1" alt="">
<img src="https://pictures.lucerne.example/header.png" alt="Lucerne Light Letter" width="600">
<h1 style="font-family:Georgia">Five ideas for a brighter desk</h1>
<p>Hello! The days grow shorter, the lamps grow warmer.</p>
<p><a href="https://shop.lucerne.example/ideas?utm_source=mail">See all five ideas</a></p>
<p><a href="javascript:void(document.title = 'a link ran')">This link should do nothing</a></p>
<form action="https://shop.lucerne.example/win"><input name="mail"><button>Win a lamp</button></form>
<p style="font-size:11px"><a href="https://shop.lucerne.example/unsubscribe">Unsubscribe</a></p>
</td></tr></table></body></html>
`;
  const letter: Letter = {
    from: '"Lucerne Light Letter" <letter@lucerne.example>',
    subject: 'Five ideas for a brighter desk 💡',
    id: 'letter-48@lucerne.example',
    ago: 3 * day,
    zone: 1,
    more: {
      Precedence: 'bulk',
      'List-ID': 'Light Letter <letter.lucerne.example>',
      'List-Unsubscribe': '<https://shop.lucerne.example/unsubscribe>',
    },
  };
  return write(world, 'newsletter', letter, textPart(html, 'html'));
}

/** A file name with a path, quotes and non-ASCII letters, split into parameters (RFC 2231 §3, §4). */
export function oddFileName(world: World): DemoMail {
  const log = 'time,sensor,celsius\r\n08:00,1,21.5\r\n08:10,1,21.7\r\n';
  const file = filePart('text/csv; charset=us-ascii', Buffer.from(log), [
    "Content-Disposition: attachment;\r\n filename*0*=UTF-8''..%2FMesswerte%20K%C3%BCche%20;\r\n filename*1*=%22Nr.%201%22%20%E2%80%93%20;\r\n filename*2=final.csv",
  ]);
  const letter: Letter = {
    from: 'Ada Fields <ada@blueyonder.example>',
    subject: 'Log file of the sensor',
    id: 'sensor-log@blueyonder.example',
    ago: 25 * minute,
    zone: -5,
  };
  const text = 'Hi,\n\nas you asked: the log of this morning.\n\nAda\n';
  return write(world, 'odd-file-name', letter, multipart('mixed', [textPart(text), file]));
}
