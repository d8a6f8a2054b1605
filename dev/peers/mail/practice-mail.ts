import { filePart, mail, mailDate, multipart, type Part, plainPart, textPart, word } from './mime-writer.ts';
import { fadingPng, onePagePdf } from './practice-picture.ts';

export interface PracticeMail {
  /** A file name without its ending. */
  readonly name: string;
  readonly raw: Uint8Array;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * A dozen mails as a support desk gets them, dated before `now`, the oldest first, so that a reply comes
 * after what it answers. The same `now` and `to` give the same bytes.
 */
export function practiceMails(now: Date, to: string): PracticeMail[] {
  const world: World = { to, before: (milliseconds) => new Date(now.getTime() - milliseconds) };
  const [question, addition, thanks] = replyChain(world);
  return [
    newsletter(world),
    question,
    addition,
    japanese(world),
    umlauts(world),
    thanks,
    outlookReply(world),
    invitation(world),
    bounce(world),
    inlinePicture(world),
    pdfInvoice(world),
    oddFileName(world),
    plainQuestion(world),
  ];
}

interface World {
  readonly to: string;
  before(milliseconds: number): Date;
}

interface Letter {
  readonly from: string;
  readonly subject: string;
  readonly id: string;
  readonly ago: number;
  /** Hours east of Greenwich. */
  readonly zone: number;
  readonly more?: Readonly<Record<string, string>>;
}

function write({ to, before }: World, name: string, letter: Letter, body: Part): PracticeMail {
  const headers = {
    From: letter.from,
    To: to,
    Subject: word(letter.subject),
    Date: mailDate(before(letter.ago), letter.zone),
    'Message-ID': `<${letter.id}>`,
    ...letter.more,
  };
  return { name, raw: mail(headers, body) };
}

function plainQuestion(world: World): PracticeMail {
  const text = `Hello,

I ordered two desk lamps yesterday (order 4711) and noticed that the parcel
would go to our old office. Could you please send it to this address instead?

    Fabrikam Studio
    12 Lavender Lane, 3rd floor

Thank you!
Priya
`;
  const letter: Letter = {
    from: 'Priya Nair <priya.nair@fabrikam.example>',
    subject: 'Can I change the delivery address of order 4711?',
    id: 'order-4711@fabrikam.example',
    ago: 9 * minute,
    zone: 5,
  };
  return write(world, 'plain-question', letter, plainPart('text/plain; charset=us-ascii', text));
}

function inlinePicture(world: World): PracticeMail {
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

function pdfInvoice(world: World): PracticeMail {
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

/** The parent, an answer to it, and an answer to that, by two people of the same company. */
function replyChain(world: World): [PracticeMail, PracticeMail, PracticeMail] {
  const [first, second, third] = ['slow-1', 'slow-2', 'slow-3'].map((id) => `${id}@adatum.example`);
  const subject = 'The web shop is slow in the evening';
  const jo = 'Jo Berg <jo.berg@adatum.example>';
  const lee = 'Lee Okafor <lee.okafor@adatum.example>';
  const question =
    'Hello,\n\nbetween 19:00 and 21:00 each page takes about ten seconds.\nDo others see this too?\n\nJo\n';
  const addition = 'One more detail: only the basket is slow, the catalogue is fine.\n\nLee\n';
  const quote = (text: string) => text.trimEnd().replace(/^/gm, '> ').replace(/^> $/gm, '>');
  const answer = `${addition}\nOn Monday, Jo Berg wrote:\n${quote(question)}\n`;
  const last = `Thanks, Lee. It was fast again last night; I will keep watching.\n\nJo\n\nOn Tuesday, Lee Okafor wrote:\n${quote(answer)}\n`;
  const references = (...ids: (string | undefined)[]) => ({
    'In-Reply-To': `<${ids.at(-1)}>`,
    References: ids.map((id) => `<${id}>`).join(' '),
  });
  return [
    write(
      world,
      'thread-1',
      { from: jo, subject, id: String(first), ago: 2 * day, zone: 1 },
      textPart(question),
    ),
    write(
      world,
      'thread-2',
      {
        from: lee,
        subject: `Re: ${subject}`,
        id: String(second),
        ago: 30 * hour,
        zone: 1,
        more: references(first),
      },
      textPart(answer, 'plain', '; format=flowed'),
    ),
    write(
      world,
      'thread-3',
      {
        from: jo,
        subject: `Re: ${subject}`,
        id: String(third),
        ago: 8 * hour,
        zone: 1,
        more: references(first, second),
      },
      textPart(last),
    ),
  ];
}

/** ISO-2022-JP, the charset of many Japanese mail programs; the bytes are given, since Node does not write it. */
function japanese(world: World): PracticeMail {
  // "こんにちは。" ("Hello.") and "ありがとう" ("Thank you"), JIS X 0208 between two escape sequences.
  const hello = '\x1b$B$3$s$K$A$O!#\x1b(B';
  const thanks = '\x1b$B$"$j$,$H$&\x1b(B';
  const text = `${hello}\n\nThe manual of the lamp, is there one in Japanese?\n\n${thanks}\nHaruka Sato\n`;
  const letter: Letter = {
    from: `${word('佐藤 春香')} <haruka.sato@tailspin.example>`,
    subject: '取扱説明書について',
    id: 'manual-jp@tailspin.example',
    ago: 26 * hour,
    zone: 9,
  };
  return write(world, 'japanese', letter, plainPart('text/plain; charset=ISO-2022-JP', text));
}

function umlauts(world: World): PracticeMail {
  const text = `Sehr geehrte Damen und Herren,

die Rückgabe der Büroleuchte hat geklappt, nur die Gutschrift über 49,90 €
fehlt noch. Könnten Sie bitte prüfen, ob sie schon unterwegs ist? In der langen Zeile steht absichtlich mehr Text, als in eine Zeile von 76 Zeichen passt.

Mit freundlichen Grüßen
Jürgen Groß
`;
  const letter: Letter = {
    from: `${word('Jürgen Groß')} <juergen.gross@proseware.example>`,
    subject: 'Gutschrift für die Rückgabe fehlt noch',
    id: 'gutschrift-815@proseware.example',
    ago: 20 * hour,
    zone: 1,
  };
  return write(world, 'umlauts', letter, textPart(text));
}

/** As Outlook writes it: the answer on top, the whole thread below, no quote marks. */
function outlookReply(world: World): PracticeMail {
  const older = [5, 4, 3, 2, 1].map(
    (age) => `<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">
<p class="MsoNormal"><b>From:</b> Support Desk<br><b>Sent:</b> ${age + 1} days ago<br><b>Subject:</b> RE: Access for new colleagues</p></div>
<p class="MsoNormal">Step ${6 - age} is done: account ${6 - age} of 5 was created and its owner informed.</p>`,
  );
  const html = `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style>p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:"Calibri",sans-serif}</style></head>
<body lang="EN-GB"><div class="WordSection1">
<p class="MsoNormal">Hello,<o:p></o:p></p>
<p class="MsoNormal">four of the five can sign in. Only Dana Wells still sees &#8220;account not found&#8221;.<o:p></o:p></p>
<p class="MsoNormal">Kind regards<br>Robin</p>
${older.reverse().join('\n')}
</div></body></html>
`;
  const letter: Letter = {
    from: '"Reyes, Robin" <robin.reyes@woodgrove.example>',
    subject: 'RE: Access for new colleagues',
    id: 'PR3P192MB0042.practice@woodgrove.example',
    ago: 3 * hour,
    zone: 0,
    more: {
      'In-Reply-To': '<access-5@contoso.example>',
      References: '<access-1@contoso.example> <access-3@contoso.example>\r\n\t<access-5@contoso.example>',
      'Thread-Topic': 'Access for new colleagues',
      'Thread-Index': 'AdrBKcY2kq5xPr1vQqGm0wAAAAAA',
      'X-MS-Has-Attach': '',
    },
  };
  const text =
    'Hello,\n\nfour of the five can sign in. Only Dana Wells still sees "account not found".\n\nKind regards\nRobin\n';
  return write(
    world,
    'outlook-reply',
    letter,
    multipart('alternative', [textPart(text), textPart(html, 'html')]),
  );
}

function invitation(world: World): PracticeMail {
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

function bounce(world: World): PracticeMail {
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

/** What a sender hopes for: a remote picture, a script, a form. All of it must stay harmless. */
function newsletter(world: World): PracticeMail {
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

/** A file name with a path, quotes and other letters, written in pieces (RFC 2231 §3, §4). */
function oddFileName(world: World): PracticeMail {
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
