/** The product with acknowledgements, agent alerts and recognition of its own emails, as functions/services.ts builds it. */

import { createAcknowledgements } from '../../../functions/use-cases/acknowledge-tickets.ts';
import { createAgentNews } from '../../../functions/use-cases/alert-agents.ts';
import { createAgentQueueStore } from '../../../shared/agent-alerts/agent-queue-store.ts';
import { fetchShard, type ShardDeps } from '../../../shared/intake/fetch-shard.ts';
import { recentAddresses } from '../../../shared/mailboxes/own-address.ts';
import { createMessageIds } from '../../../shared/outbox/message-id.ts';
import { createOutboxStore } from '../../../shared/outbox/outbox-store.ts';
import { defaultTemplates } from '../../../shared/templates/default-templates.ts';
import type { FaultySeam } from './faulty-seam.ts';
import type { Design } from './intake-world.ts';
import { MemoryQueues } from './memory-queues.ts';
import type { MemoryVault } from './memory-vault.ts';

export const acknowledgement = { language: 'en', ...defaultTemplates.en } as const;

/** The dependencies of an intake that answers. @param vault with the key of Message-IDs, the same in every run */
export function answeringDeps(
  deps: ShardDeps,
  seam: FaultySeam,
  vault: MemoryVault,
): Pick<ShardDeps, 'sentEmailOf' | 'acknowledgements' | 'agentNews'> {
  const messageIds = createMessageIds(vault.behind(seam), seam);
  const outbox = createOutboxStore({ tables: deps.tables, queues: new MemoryQueues(seam), seam });
  const ownAddresses = recentAddresses(deps.mailboxes, seam);
  return {
    sentEmailOf: messageIds.read,
    acknowledgements: createAcknowledgements({ ...deps, outbox, messageIds, ownAddresses }),
    agentNews: createAgentNews(createAgentQueueStore(deps.tables), ownAddresses),
  };
}

export const answering =
  (vault: MemoryVault): Design =>
  (deps, shard, { seam }) =>
    fetchShard({ ...deps, ...answeringDeps(deps, seam, vault) }, shard);
