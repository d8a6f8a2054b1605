/**
 * Small emails of the kinds that make filing hard: threads (a reply to every third email), exact copies, a reused
 * Message-ID, attachments, emails without a Message-ID. The same count gives the same bytes.
 */
export function smallMails(count: number): Buffer[] {
  const mails: Buffer[] = [];
  for (let index = 0; index < count; index += 1)
    mails.push(index % 19 === 18 ? (mails[index - 7] ?? Buffer.of()) : smallMail(index));
  return mails;
}

function smallMail(index: number): Buffer {
  const replies = index % 3 === 2;
  const parent = index - (index % 3);
  const person = `Person ${parent} <person${parent}@customer.example>`;
  const id = index % 23 === 22 ? 'always-the-same' : `small-${index}`;
  const headers = [
    `From: ${person}`,
    'To: support@contoso.example',
    `Subject: ${replies ? `Re: Question ${parent}` : `Question ${index}`}`,
    `Date: ${new Date(Date.UTC(2026, 10, 1) + index * 60_000).toUTCString().replace('GMT', '+0000')}`,
    ...(index % 11 === 10 ? [] : [`Message-ID: <${id}@customer.example>`]),
    ...(replies ? [`In-Reply-To: <small-${parent}@customer.example>`] : []),
    'MIME-Version: 1.0',
  ];
  const text = `Hello,\r\n\r\nthis is mail number ${index}.\r\n`;
  if (index % 5 !== 4) return Buffer.from([...headers, 'Content-Type: text/plain', '', text].join('\r\n'));
  const file = Buffer.alloc(3000, `file of mail ${index} `).toString('base64').replace(/.{76}/g, '$&\r\n');
  return Buffer.from(
    [
      ...headers,
      'Content-Type: multipart/mixed; boundary=edge',
      '',
      '--edge',
      'Content-Type: text/plain',
      '',
      text,
      '--edge',
      'Content-Type: application/octet-stream; name=notes.bin',
      'Content-Disposition: attachment; filename=notes.bin',
      'Content-Transfer-Encoding: base64',
      '',
      file,
      '--edge--',
      '',
    ].join('\r\n'),
  );
}
