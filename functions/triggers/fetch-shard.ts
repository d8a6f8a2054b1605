import { z } from 'zod';
import { runTask } from '../../shared/intake/fetch-again.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { services } from '../services.ts';

const shardMessage = z.object({
  shard: z.number().int().nonnegative(),
  mailboxIds: z.array(z.string().min(1)).max(100),
  task: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('check') }),
      z.object({ kind: z.literal('fetch-missing') }),
      z.object({ kind: z.literal('again'), uids: z.array(z.int()), by: z.string() }),
    ])
    .optional(),
});

/** One message of the queue `fetch-shard`: up to 100 mailboxes that are fetched by one run, or something else about one. */
export type ShardMessage = z.infer<typeof shardMessage>;

/** @throws PostroomError `bad-message` for what no version of ours has sent; the host moves it to the poison queue. */
export function parseShardMessage(message: unknown): ShardMessage {
  const parsed = shardMessage.safeParse(message);
  if (!parsed.success)
    throw new PostroomError('bad-message', 'A message of fetch-shard is not { shard, mailboxIds }');
  return parsed.data;
}

/** Fetches the mailboxes of one shard. An error goes back to the host, which delivers the message again. */
export async function runShard(message: unknown): Promise<void> {
  const { task, ...shard } = parseShardMessage(message);
  const { intake } = services();
  if (task === undefined) await fetchShard(intake, shard);
  else for (const mailboxId of shard.mailboxIds) await runTask(intake, mailboxId, task);
}
