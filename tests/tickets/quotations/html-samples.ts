import { attributions, outlookFields } from './attributions.ts';
import { answer, question, type Sample } from './sample.ts';

const escaped = (text: string): string => text.replace(/</g, '&lt;').replace(/>/g, '&gt;');

const byAttribution = attributions.map(([client, ...lines], place): Sample => {
  const line = escaped(lines.join(' '));
  const body = [
    // Gmail
    `<div dir="ltr">${answer}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">${line}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"><div dir="ltr">${question}<br><br>Ada</div></blockquote></div>`,
    // Apple Mail
    `<html><body style="overflow-wrap: break-word;">${answer}<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite"><div>${line}</div><br class="Apple-interchange-newline"><div>${question}</div></blockquote></div><br></body></html>`,
    // Thunderbird
    `<html><body text="#000000" bgcolor="#FFFFFF"><p>${answer}</p><div class="moz-cite-prefix">${line}<br></div><blockquote type="cite" cite="mid:1@contoso.example"><p>${question}</p></blockquote></body></html>`,
    // Yahoo Mail and others that do not use a block
    `<div class="ydp1"><div>${answer}</div><div><br></div></div><div id="yahoo_quoted_1" class="yahoo_quoted"><div style="font-family:Arial"><div>${line}</div><div><br></div><div>${question}</div></div></div>`,
  ][place % 4];
  return {
    name: `${client}, in HTML`,
    body: body ?? '',
    wanted: [answer],
    folded: [lines[0] ?? '', question],
  };
});

const byFields = outlookFields.map(([language, from, sent, to, subject], place): Sample => {
  const body = [
    // Outlook on Windows
    `<html><head><style>p.MsoNormal{margin:0}</style></head><body lang="EN-GB"><div class="WordSection1"><p class="MsoNormal"><span style="font-size:11.0pt">${answer}<o:p></o:p></span></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b><span>${from}:</span></b><span> Ada Byron &lt;ada@contoso.example&gt; <br><b>${sent}:</b> Tuesday, 5 March 2024 09:14<br><b>${to}:</b> support@fabrikam.example<br><b>${subject}:</b> Printer<o:p></o:p></span></p></div></div><p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal">${question}<o:p></o:p></p></div></body></html>`,
    // Outlook on the web
    `<html><body dir="ltr"><div class="elementToProof" style="font-family:Aptos">${answer}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>${from}:</b> Ada Byron &lt;ada@contoso.example&gt;<br><b>${sent}:</b> Tuesday, March 5, 2024 9:14 AM<br><b>${to}:</b> support@fabrikam.example &lt;support@fabrikam.example&gt;<br><b>${subject}:</b> Printer</font><div>&nbsp;</div></div><div>${question}</div></body></html>`,
  ][place % 2];
  return {
    name: `Outlook in ${language}, in HTML`,
    body: body ?? '',
    wanted: [answer],
    folded: ['Ada Byron', question],
  };
});

const clients: Sample[] = [
  {
    name: 'a signature of Gmail',
    body: `<div dir="ltr">${answer}<br clear="all"><br><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature"><div>Bob Stone<br>+1 555 0100</div></div></div>`,
    wanted: [answer],
    folded: ['Bob Stone', '+1 555 0100'],
  },
  {
    name: 'a signature of Thunderbird above the quotation',
    body: `<p>${answer}</p><pre class="moz-signature" cols="72">-- \nBob Stone\n+1 555 0100</pre><div class="moz-cite-prefix">On 05/03/2024 09:14, Ada Byron wrote:<br></div><blockquote type="cite" cite="mid:1@contoso.example"><p>${question}</p></blockquote>`,
    wanted: [answer],
    folded: ['+1 555 0100', question],
  },
  {
    name: 'a signature of Outlook on the web',
    body: `<div>${answer}</div><div id="Signature"><div>Bob Stone</div><div>Fabrikam</div></div>`,
    wanted: [answer],
    folded: ['Bob Stone', 'Fabrikam'],
  },
  {
    name: 'a signature of Outlook for iOS',
    body: `<div dir="ltr">${answer}</div><div id="ms-outlook-mobile-signature"><div><br></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><hr><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Ada Byron &lt;ada@contoso.example&gt;<br><b>Sent:</b> Tuesday, March 5, 2024 9:14 AM<br><b>To:</b> support@fabrikam.example<br><b>Subject:</b> Printer</div><div>${question}</div>`,
    wanted: [answer],
    folded: ['Outlook for iOS', question],
  },
  {
    name: 'an iPhone',
    body: `<html><body dir="auto">${answer}<br><br><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 5 Mar 2024, at 09:14, Ada Byron &lt;ada@contoso.example&gt; wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">${question}</div></blockquote></body></html>`,
    wanted: [answer],
    folded: ['Sent from my iPhone', 'Ada Byron', question],
  },
  {
    name: 'AOL',
    body: `<div>${answer}</div><br><br><div style="font-family:arial">-----Original Message-----<br>From: Ada Byron &lt;ada@contoso.example&gt;<br>To: support@fabrikam.example<br>Sent: Tue, Mar 5, 2024 9:14 am<br>Subject: Printer<br><br><div>${question}</div></div>`,
    wanted: [answer],
    folded: ['Original Message', question],
  },
  {
    name: 'Hotmail',
    body: `<div dir="ltr">${answer}<br><br><div><hr id="stopSpelling">Date: Tue, 5 Mar 2024 09:14:22 +0100<br>Subject: Printer<br>From: ada@contoso.example<br>To: support@fabrikam.example<br><br>${question}</div></div>`,
    wanted: [answer],
    folded: ['Date: Tue', question],
  },
  {
    name: 'Zimbra',
    body: `<div style="font-family: Arial">${answer}<br><br><hr id="zwchr"><b>From: </b>ada@contoso.example<br><b>To: </b>support@fabrikam.example<br><b>Sent: </b>Tuesday, March 5, 2024 9:14:22 AM<br><b>Subject: </b>Printer<br><br>${question}</div>`,
    wanted: [answer],
    folded: ['ada@contoso.example', question],
  },
  {
    name: 'Proton Mail',
    body: `<div>${answer}</div><div class="protonmail_quote">On Tuesday, March 5th, 2024 at 09:14, Ada Byron &lt;ada@contoso.example&gt; wrote:<br><blockquote class="protonmail_quote" type="cite">${question}</blockquote></div>`,
    wanted: [answer],
    folded: ['Ada Byron', question],
  },
  {
    name: 'GMX',
    body: `<div>${answer}</div><div>&nbsp;<div name="quote" style="margin:10px 5px;padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div><b>Gesendet:</b>&nbsp;Dienstag, 05. März 2024 um 09:14 Uhr<br><b>Von:</b>&nbsp;"Ada Byron" &lt;ada@contoso.example&gt;<br><b>An:</b>&nbsp;support@fabrikam.example<br><b>Betreff:</b>&nbsp;Drucker</div><div>${question}</div></div></div>`,
    wanted: [answer],
    folded: ['Ada Byron', question],
  },
  {
    name: 'Gmail in a language that nobody knows',
    body: `<div dir="ltr">${answer}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Ada Byron &lt;<a href="mailto:ada@contoso.example">ada@contoso.example</a>&gt; xyzzy 5 foo 2024 9:14<br></div><blockquote class="gmail_quote"><div>${question}</div></blockquote></div>`,
    wanted: [answer],
    folded: ['xyzzy', question],
  },
  {
    name: 'a quotation within a table',
    body: `<table><tr><td><div>${answer}</div><div>On 05/03/2024 09:14, Ada Byron wrote:</div><blockquote type="cite">${question}</blockquote></td></tr></table>`,
    wanted: [answer],
    folded: ['Ada Byron', question],
  },
  {
    name: 'a counting pixel behind the quotation',
    body: `<div>${answer}</div><div>On 05/03/2024 09:14, Ada Byron wrote:</div><blockquote type="cite">${question}</blockquote><img src="https://track.example/p.gif" width="1" height="1">`,
    wanted: [answer],
    folded: [question],
  },
  {
    name: 'the answer right above',
    body: `${answer}<br>On 05/03/2024 09:14, Ada Byron wrote:<br><blockquote type="cite">${question}</blockquote>`,
    wanted: [answer],
    folded: ['Ada Byron', question],
  },
  {
    name: 'text with signs in HTML',
    body: `<div>${answer}<br><br>&gt; Subject: Printer<br>&gt; From: ada@contoso.example<br>&gt; <br>&gt; ${question}<br></div>`,
    wanted: [answer],
    folded: ['Subject: Printer', question],
  },
];

export const htmlSamples: readonly Sample[] = [...byAttribution, ...byFields, ...clients];

const intact = (name: string, body: string, wanted: string[], subject?: string): Sample => ({
  name,
  body,
  wanted,
  folded: [],
  ...(subject === undefined ? {} : { subject }),
});

const cited = `<div>On 05/03/2024 09:14, Ada Byron wrote:</div><blockquote type="cite">${question}</blockquote>`;
const block = `<div style="border-top:solid #E1E1E1 1.0pt"><b>From:</b> Ada Byron &lt;ada@contoso.example&gt;<br><b>Sent:</b> Tuesday, 5 March 2024 09:14<br><b>To:</b> bob@fabrikam.example<br><b>Subject:</b> Printer</div>`;

/** Nothing of these may be folded. */
export const intactHtml: readonly Sample[] = [
  intact('an answer below', `${cited}<p>${answer}</p>`, [question, answer]),
  intact(
    'an answer below in Gmail',
    `<div class="gmail_quote"><div class="gmail_attr">On Tue, Mar 5, 2024 at 9:14 AM Ada &lt;ada@contoso.example&gt; wrote:<br></div><blockquote class="gmail_quote">${question}</blockquote><div>${answer}</div></div>`,
    [question, answer],
  ),
  intact(
    'answers in between',
    `<p>Hello,</p>${cited}<p>Yes.</p><blockquote type="cite">Does it scan?</blockquote><p>No.</p>`,
    ['Yes.', 'No.', question],
  ),
  intact(
    'answers in between in Gmail',
    `<div>Hello</div><div class="gmail_quote"><div class="gmail_attr">On Tue, Mar 5, 2024 at 9:14 AM Ada &lt;ada@contoso.example&gt; wrote:<br></div><blockquote class="gmail_quote">Does it print?</blockquote><div>Yes.</div><blockquote class="gmail_quote">Does it scan?</blockquote><div>No.</div></div>`,
    ['Yes.', 'No.'],
  ),
  intact(
    'answers that are announced',
    `<p>Please find my replies inline in red.</p>${block}<p>Does it print? <span style="color:red">Yes.</span></p>`,
    ['Yes.'],
    'RE: Printer',
  ),
  intact(
    'answers that are announced within the quotation',
    `<p>My comments below.</p>${cited.replace(question, `${question} <b>Yes.</b>`)}`,
    ['Yes.'],
  ),
  intact(
    'an answer that is a picture',
    `<p>Hello,</p>${cited}<img src="data:image/png;base64,iVBORw0KGgo=" alt="the page" width="300" height="200">`,
    [question],
  ),
  intact('nothing but a quotation', cited, [question]),
  intact(
    'nothing but a block of Gmail',
    `<div class="gmail_quote"><div>When I print, it stops.</div><div>What now?</div></div>`,
    ['What now?'],
  ),
  intact(
    'a forward of Gmail',
    `<div dir="ltr">Please take care of this.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: Ada Byron &lt;ada@contoso.example&gt;<br>Date: Tue, Mar 5, 2024 at 9:14 AM<br>Subject: Printer<br>To: &lt;bob@fabrikam.example&gt;<br></div><br><div>${question}</div></div>`,
    ['Forwarded message', question],
  ),
  intact(
    'a forward of Apple Mail',
    `<div>Please take care of this.</div><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br><div><b>From: </b>Ada Byron &lt;ada@contoso.example&gt;</div><div><b>Subject: </b>Printer</div><div><b>Date: </b>5 March 2024 at 09:14:00 CET</div><div><b>To: </b>bob@fabrikam.example</div><br><div>${question}</div></blockquote></div>`,
    [question],
  ),
  intact(
    'a forward of Thunderbird',
    `<p>Please take care of this.</p><div class="moz-forward-container"><br>-------- Forwarded Message --------<table class="moz-email-headers-table"><tbody><tr><th>Subject: </th><td>Printer</td></tr><tr><th>Date: </th><td>Tue, 5 Mar 2024 09:14:00 +0100</td></tr><tr><th>From: </th><td>Ada Byron &lt;ada@contoso.example&gt;</td></tr><tr><th>To: </th><td>bob@fabrikam.example</td></tr></tbody></table><br>${question}</div>`,
    [question],
  ),
  intact(
    'a forward of Outlook',
    `<p>Please take care of this.</p>${block}<p>${question}</p>`,
    ['Ada Byron', question],
    'FW: Printer',
  ),
  intact(
    'a forward of Outlook in German',
    `<p>Bitte übernehmen.</p>${block}<p>${question}</p>`,
    ['Ada Byron', question],
    'WG: Drucker',
  ),
  intact('a block that indents', `<p>Please do this:</p><blockquote>Restart the server.</blockquote>`, [
    'Restart the server.',
  ]),
  intact(
    'a block with a border',
    `<p>The manual says</p><blockquote style="margin:0 0 0 40px;border:none;padding:0">Turn it off and on.</blockquote>`,
    ['Turn it off and on.'],
  ),
  intact(
    'a message that is introduced',
    `<p>I get this message again and again:</p>${block}<p>Your mailbox is full.</p>`,
    ['Your mailbox is full.'],
  ),
  intact(
    'a table of a journey',
    `<table><tr><td>From:</td><td>Berlin</td></tr><tr><td>To:</td><td>Paris</td></tr><tr><td>Date:</td><td>5 March 2024</td></tr></table><p>Two passengers.</p>`,
    ['Berlin', 'Two passengers.'],
  ),
  intact('a rule between paragraphs', '<p>First question.</p><hr><p>Second question.</p>', [
    'Second question.',
  ]),
  intact(
    'an answer below a signature',
    `<div>Hello,</div><div class="gmail_signature">Bob Stone</div><div>${answer}</div>`,
    ['Hello,', 'Bob Stone', answer],
  ),
  intact(
    'a letter that was written into the signature',
    `<div>Hello,</div><div class="gmail_signature">${Array.from({ length: 21 }, (_, line) => `<div>Sentence ${line}.</div>`).join('')}</div>`,
    ['Sentence 0.', 'Sentence 20.'],
  ),
  intact(
    'an answer below a block that is not marked',
    `<p>Hello</p><div>On 05/03/2024 09:14, Ada Byron wrote:</div><blockquote>${question}</blockquote><p>${answer}</p>`,
    ['Hello', question, answer],
  ),
  intact('an empty message', '<p>&nbsp;</p>', []),
];
