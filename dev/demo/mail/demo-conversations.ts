import { type DemoMail, day, hour, type Letter, minute, type World, write } from './demo-letter.ts';
import { multipart, plainPart, textPart, word } from './mime-writer.ts';

export function plainQuestion(world: World): DemoMail {
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

/** The first email, a reply to it, and a reply to the reply, by two people of one company. */
export function replyChain(world: World): [DemoMail, DemoMail, DemoMail] {
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
      { from: jo, subject, id: String(first), ago: 2 * day, zone: 1, more: { Cc: lee } },
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

/**
 * ISO-2022-JP, the charset of many Japanese mail programs. The bytes are given because Node cannot encode
 * it.
 */
export function japanese(world: World): DemoMail {
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

export function umlauts(world: World): DemoMail {
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

/** As Outlook writes it: the reply on top, the whole thread below, no quote marks. */
export function outlookReply(world: World): DemoMail {
  const older = [5, 4, 3, 2, 1].map(
    (age) => `<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">
<p class="MsoNormal"><b>From:</b> Support Postroom<br><b>Sent:</b> ${age + 1} days ago<br><b>Subject:</b> RE: Access for new colleagues</p></div>
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
    id: 'PR3P192MB0042.demo@woodgrove.example',
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
