/** The daily review deletes old drafts, and no attachment that an email of the ticket has. */
import { expect, test } from 'vitest';
import { reviewAll } from '../../functions/triggers/review-secrets.ts';
import type { ReplyAttachment } from '../../shared/replies/reply-attachments.ts';
import { email } from '../harness/memory/outbox-emails.ts';
import { ago, samplePostroom } from '../harness/pages/sample-postroom.ts';

const DAY = 24 * 60;

test('an old draft goes with its attachments, but not with those that an email of its ticket has too', async () => {
  const { services, blobs, file, mailbox } = samplePostroom();
  await mailbox();
  const ticketId = await file({ minutesAgo: 40 * DAY });
  const owner = { ticketId, personId: 'p' };
  const attach = (filename: string, personId = owner.personId): Promise<ReplyAttachment> =>
    services.drafts.attach(
      { ticketId, personId },
      { filename, contentType: 'text/plain', size: 3 },
      Buffer.from(filename.slice(0, 3)),
    );
  const [shared, own, recent] = [
    await attach('sent.txt'),
    await attach('own.txt'),
    await attach('new.txt', 'q'),
  ];
  const draft = { ...owner, personName: 'Sam', to: '', cc: '', bcc: '', text: '', quotes: false, seen: '' };
  const old = { ...draft, attachments: [shared, own], savedAt: ago(31 * DAY) };
  const young = { ...draft, personId: 'q', attachments: [recent], savedAt: ago(29 * DAY) };
  for (const each of [old, young])
    expect(await services.drafts.save(each, undefined)).toEqual({ kind: 'saved' });
  await services.outbox.queue(email('reply', { ticketId, attachments: [shared] }));

  await reviewAll(services);

  expect((await services.drafts.ofTicket(ticketId)).map(({ personId }) => personId)).toEqual(['q']);
  const kept = await Promise.all([shared, own, recent].map(({ blob }) => blobs.stream(blob)));
  expect(kept.map((bytes) => bytes !== undefined)).toEqual([true, false, true]);
});
