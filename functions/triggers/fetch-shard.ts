import { z } from 'zod';
import { runTask } from '../../shared/intake/fetch-again.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { mapLimited } from '../../shared/platform/concurrency.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { maintainPush } from '../../shared/push/maintain-push.ts';
import { type Services, services } from '../services.ts';

const TASKS_AT_ONCE = 5;

const shardMessage = z.object({
  shard: z.number().int().nonnegative(),
  mailboxIds: z.array(z.string().min(1)).max(100),
  task: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('check') }),
      z.object({ kind: z.literal('fetch-missing') }),
      z.object({ kind: z.literal('again'), refs: z.array(z.string()), by: z.string() }),
      z.object({ kind: z.literal('new-mail'), tries: z.int().optional() }),
      z.object({
        kind: z.literal('keep-push'),
        event: z.enum(['reauthorizationRequired', 'subscriptionRemoved']),
      }),
    ])
    .optional(),
});

/** A message of the queue `fetch-shard`: up to 100 mailboxes for one run, or another task for one mailbox. */
export type ShardMessage = z.infer<typeof shardMessage>;

/**
 * @throws PostroomError `bad-message` for a message that no version of Postroom sends; the host moves it to
 * the poison queue
 */
export function parseShardMessage(message: unknown): ShardMessage {
  const parsed = shardMessage.safeParse(message);
  if (!parsed.success)
    throw new PostroomError('bad-message', 'A message of fetch-shard is not { shard, mailboxIds }');
  return parsed.data;
}

/** Fetches the mailboxes of one shard. After an error, the host delivers the message again. */
export async function runShard(message: unknown): Promise<void> {
  const { task, ...shard } = parseShardMessage(message);
  const all = services();
  if (task === undefined) await fetchShard(all.intake, shard);
  else await mapLimited(shard.mailboxIds, TASKS_AT_ONCE, (id) => runOne(all, id, task));
}

async function runOne(
  { intake, push }: Pick<Services, 'intake' | 'push'>,
  mailboxId: string,
  task: NonNullable<ShardMessage['task']>,
): Promise<void> {
  if (task.kind !== 'keep-push') return runTask(intake, mailboxId, task);
  await maintainPush(push, mailboxId, await push.mailboxes.get(mailboxId), task.event);
}
