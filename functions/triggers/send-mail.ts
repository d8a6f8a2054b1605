import { z } from 'zod';
import type { OutboxJob } from '../../shared/outbox/outbox-store.ts';
import { sendEmails } from '../../shared/outbox/send-emails.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { log } from '../../shared/platform/log.ts';
import { services } from '../services.ts';

const outboxJob: z.ZodType<OutboxJob> = z.object({
  mailboxId: z.string().min(1),
  due: z.array(z.string().min(1)).max(100),
});

/**
 * @throws PostroomError `bad-message` for a message that no version of Postroom sends; the host moves it to
 * the poison queue
 */
export function parseOutboxJob(message: unknown): OutboxJob {
  const parsed = outboxJob.safeParse(message);
  if (!parsed.success)
    throw new PostroomError('bad-message', 'A message of outbox is not { mailboxId, due }');
  return parsed.data;
}

/** A message of the queue `outbox`: emails of one mailbox. After an error, the host delivers it again. */
export async function sendMail(message: unknown): Promise<void> {
  const job = parseOutboxJob(message);
  const report = await sendEmails(services().sending, job);
  if (Object.values(report).some((count) => count > 0))
    log.info('emails sent', { mailbox: job.mailboxId, ...report });
}
