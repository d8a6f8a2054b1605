import { ago, type SamplePostroom } from '../pages/sample-postroom.ts';

/** The smallest picture: one red pixel. */
export const redPixel: Uint8Array = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

/** An installation on a typical weekday: three mailboxes, conversations, attachments, an unimported email. */
export async function fillPostroom(
  postroom: SamplePostroom,
): Promise<{ conversation: string; newsletter: string }> {
  await postroom.mailbox();
  await postroom.mailbox({ id: 'billing', address: 'billing@contoso.example' });
  await postroom.mailbox({ id: 'old', address: 'old-desk@contoso.example', enabled: false });
  const successes = new Map([
    ['support', ago(1)],
    ['billing', ago(2)],
    ['old', ago(60 * 24 * 12)],
  ]);
  await postroom.mailboxes.saveSuccesses(0, successes);
  const cursor = { validity: '1', position: { uid: 9 }, left: [], waiting: [] };
  await postroom.mailboxes.saveCursor('support', { ...cursor, lastMailAt: ago(4) });
  await postroom.mailboxes.saveCursor('billing', { ...cursor, lastMailAt: ago(190) });

  await postroom.file({
    from: { name: 'Tomás Ferreira', address: 'tomas@northwind.example' },
    subject: 'Invoice 2026-1187 shows the old address',
    text: 'Hello,\n\ncould you send it again with the new address? We moved in October.\n\nTomás',
    minutesAgo: 60 * 24 * 3,
  });
  const newsletter = await postroom.file({
    from: { name: 'Litware Status', address: 'status@litware.example' },
    subject: 'Planned maintenance on Saturday',
    text: '',
    html: '<h2 style="color:#0b5">Planned maintenance</h2><p>Our service is down <b>Saturday 02:00–04:00 UTC</b>.</p><img src="https://tracker.example/open.gif" width="1" height="1" alt=""><table border="1" cellpadding="6"><tr><th>Region</th><th>From</th></tr><tr><td>Europe</td><td>02:00</td></tr></table><p><a href="https://status.litware.example/">Status page</a></p>',
    minutesAgo: 60 * 26,
  });
  const conversation = await postroom.file(
    {
      subject: 'The label printer in the warehouse stopped in the middle of a shift and now blinks red',
      text: 'Hi,\n\nthe label printer on the second floor stopped at about nine. It blinks red, three times, pause, three times. I switched it off and on again, which did not help, and the roll is new.\n\nA photo is attached. We can work with the one on the first floor until noon.\n\nThank you\nAda',
      html: '<p>Hi,</p><p>the label printer on the second floor stopped at about nine. It blinks <b style="color:#c00">red</b>, three times, pause, three times.</p><p><img src="cid:photo@fabrikam" width="120" height="80" alt="The printer, blinking"></p><p>Thank you<br>Ada</p>',
      cc: [{ name: 'Warehouse', address: 'warehouse@fabrikam.example' }],
      minutesAgo: 140,
      files: [
        { filename: 'photo.png', contentType: 'image/png', contentId: '<photo@fabrikam>', bytes: redPixel },
        {
          filename: 'printer log.txt',
          contentType: 'text/plain',
          bytes: Buffer.from('E-303\n'.repeat(4000)),
        },
      ],
      notes: ['One header was longer than 64 KB and was cut; the original has all of it.'],
      follows: { id: 't000001', number: 1 },
    },
    {
      from: { name: 'Mira Sund', address: 'mira@contoso.example' },
      to: [{ name: 'Ada Byron', address: 'ada@fabrikam.example' }],
      subject: 'Re: The label printer in the warehouse stopped',
      text: 'Hello Ada,\n\nthree times red means that the cutter is jammed. Open the lid and push the blue lever to the left.\n\nMira\n\nOn 24 Nov 2026, Ada Byron wrote:\n> the label printer on the second floor stopped at about nine.\n> It blinks red.\n',
      minutesAgo: 95,
    },
    {
      subject: 'Re: The label printer in the warehouse stopped',
      text: 'That was it. It prints again, thank you!\n',
      minutesAgo: 4,
    },
  );
  for (const [name, subject, text, minutesAgo] of others)
    await postroom.file({
      from: { name, address: `${name.split(' ')[0]?.toLowerCase()}@fabrikam.example` },
      subject,
      text,
      minutesAgo,
    });
  const closed = await postroom.file({
    subject: 'Password of the guest network',
    text: 'Found it.',
    minutesAgo: 60 * 80,
  });
  await postroom.tickets.setStatus(closed, 'closed');

  const rawBlob = 'raw/support/quarantined.eml';
  await postroom.blobs.putOnce(rawBlob, Buffer.from('Subject: bomb\r\n\r\n'));
  const entry = { from: 'offers@tailspin.example', size: 48_213, rawBlob, place: 'at|1|7' };
  await postroom.quarantine.put('support', [
    {
      ...entry,
      contentKey: 'aa',
      kind: 'quarantined',
      reason: 'More than 1,000 parts.',
      at: ago(300),
      subject: 'Your order',
    },
    {
      ...entry,
      contentKey: 'bb',
      kind: 'skipped',
      reason: 'Copy of #3, which is already here.',
      at: ago(500),
      subject: 'Re: printer',
    },
  ]);
  await postroom.quarantine.put('billing', [
    {
      ...entry,
      contentKey: 'cc',
      kind: 'quarantined',
      reason: 'Larger than 100 MB; it was left on the mail server.',
      at: ago(60 * 50),
      subject: 'Scans of the whole year',
      size: 130_000_000,
      rawBlob: undefined,
    },
  ]);
  return { conversation, newsletter };
}

const others: readonly [string, string, string, number][] = [
  [
    'Yuki Tanaka',
    'New colleague starts on Monday',
    'Please prepare a laptop and a badge for Ines Roth, who starts in accounting on Monday.',
    12,
  ],
  [
    'Omar Haddad',
    'VPN drops every ten minutes',
    'Since the update yesterday my connection drops every ten minutes, at home and in the hotel.',
    47,
  ],
  ['Zoë Lind', '', 'Can somebody call me back about the meeting room screens?', 66],
  [
    'Priya Nair',
    'Request: access to the sales reports of last year',
    'My manager agreed, her approval is below.',
    60 * 20,
  ],
];
