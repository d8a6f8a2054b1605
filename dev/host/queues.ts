import { setTimeout as pause } from 'node:timers/promises';
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { Core, HostLog, RegisteredFunction } from './core.ts';
import type { TypedData } from './core-types.ts';
import { resolveSettings } from './setting-names.ts';

/** `extensions.queues` of host.json; the defaults are the platform's. */
export interface QueueSettings {
  batchSize?: number;
  newBatchThreshold?: number;
  maxDequeueCount?: number;
  visibilityTimeout?: string;
}

export interface QueueTuning {
  /**
   * How long a message stays invisible while it is processed; renewed at half of it. The platform uses ten
   * minutes.
   */
  leaseSeconds?: number;
  /**
   * Longest pause between two reads of an empty queue. The platform waits up to a minute; here a person
   * would be waiting.
   */
  maxIdleMs?: number;
}

export interface Queues {
  /** Takes no more messages and waits for those being processed. */
  stop(): Promise<void>;
}

interface Reader {
  target: RegisteredFunction;
  queue: QueueClient;
  poison: QueueClient;
  batchSize: number;
  threshold: number;
  maxDequeueCount: number;
  retrySeconds: number;
  leaseSeconds: number;
  maxIdleMs: number;
}

/** Runs the queue functions as the platform's storage extension does: at least once, five tries, then the poison queue. */
export async function startQueues(
  core: Core,
  log: HostLog,
  settings: QueueSettings,
  tuning: QueueTuning = {},
): Promise<Queues> {
  const readers = await readersOf(core, settings, tuning);
  const stopping = new AbortController();
  const loops = readers.map((reader) => readQueue(reader, core, log, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Processes everything that is on the queues now, and what that adds. Never rejects. */
export async function drainQueues(core: Core, log: HostLog, settings: QueueSettings): Promise<void> {
  // One attempt: if storage is unavailable, the next minute tries again.
  const readers = await readersOf(core, settings, {}, 1);
  for (let left = true; left; ) {
    left = false;
    for (const reader of readers) {
      try {
        const { receivedMessageItems } = await reader.queue.receiveMessages({
          numberOfMessages: reader.batchSize,
          visibilityTimeout: reader.leaseSeconds,
        });
        left ||= receivedMessageItems.length > 0;
        await Promise.all(receivedMessageItems.map((message) => handleMessage(reader, core, log, message)));
      } catch (error) {
        if (statusOf(error) !== 404)
          log('error', `the queue does not answer: ${String(error)}`, reader.target.name);
      }
    }
  }
}

async function readersOf(
  core: Core,
  settings: QueueSettings,
  tuning: QueueTuning,
  maxTries = 4,
): Promise<Reader[]> {
  const targets = [...core.functions.values()].filter(({ trigger }) => trigger.type === 'queueTrigger');
  if (targets.length === 0) return [];
  // Loaded only if there is a queue function: it takes most of the host's start.
  const { QueueServiceClient } = await import('@azure/storage-queue');
  const { batchSize = 16, newBatchThreshold = Math.floor(batchSize / 2), maxDequeueCount = 5 } = settings;
  return targets.map((target): Reader => {
    const whose = `the queue function ${target.name}`;
    const connection = resolveSettings(`%${target.trigger.connection ?? 'AzureWebJobsStorage'}%`, whose);
    const service = QueueServiceClient.fromConnectionString(connection, { retryOptions: { maxTries } });
    const name = resolveSettings(target.trigger.queueName ?? '', whose);
    return {
      target,
      queue: service.getQueueClient(name),
      poison: service.getQueueClient(`${name}-poison`),
      batchSize: Math.min(batchSize, 32),
      threshold: newBatchThreshold,
      maxDequeueCount,
      retrySeconds: secondsOf(settings.visibilityTimeout),
      leaseSeconds: tuning.leaseSeconds ?? 600,
      maxIdleMs: tuning.maxIdleMs ?? 1_000,
    };
  });
}

async function readQueue(reader: Reader, core: Core, log: HostLog, stopping: AbortSignal): Promise<void> {
  const { target, queue, batchSize, threshold, leaseSeconds, maxIdleMs } = reader;
  const running = new Set<Promise<void>>();
  let idleMs = 50;
  while (!stopping.aborted) {
    let received = 0;
    if (running.size <= threshold) {
      try {
        const { receivedMessageItems } = await queue.receiveMessages({
          numberOfMessages: batchSize,
          visibilityTimeout: leaseSeconds,
          abortSignal: stopping,
        });
        received = receivedMessageItems.length;
        for (const message of receivedMessageItems) {
          const task = handleMessage(reader, core, log, message).finally(() => running.delete(task));
          running.add(task);
        }
      } catch (error) {
        if (stopping.aborted) break;
        // A queue that does not exist yet counts as empty.
        if (statusOf(error) !== 404) log('error', `the queue does not answer: ${String(error)}`, target.name);
        idleMs = maxIdleMs;
      }
    }
    idleMs = received > 0 ? 50 : Math.min(maxIdleMs, idleMs * 2);
    await pause(idleMs, undefined, { signal: stopping }).catch(() => undefined);
  }
  await Promise.all(running);
}

/** Never rejects: errors of the queue itself are logged, and the message reappears when its lease ends. */
async function handleMessage(
  reader: Reader,
  core: Core,
  log: HostLog,
  message: DequeuedMessageItem,
): Promise<void> {
  const { target, queue, poison, maxDequeueCount, retrySeconds, leaseSeconds } = reader;
  const { messageId, messageText, dequeueCount } = message;
  let popReceipt = message.popReceipt;
  const renew = async (): Promise<void> => {
    try {
      popReceipt =
        (await queue.updateMessage(messageId, popReceipt, messageText, leaseSeconds)).popReceipt ??
        popReceipt;
    } catch (error) {
      log('warning', `lost the lease of message ${messageId}: ${String(error)}`, target.name);
    }
  };
  let renewal = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewal.then(renew);
  }, leaseSeconds * 500);
  const settle = async (): Promise<void> => {
    clearInterval(timer);
    await renewal;
  };
  try {
    try {
      await core.invoke(target, invocationOf(message));
    } catch (error) {
      await settle();
      log('error', `try ${dequeueCount} of ${maxDequeueCount} failed: ${String(error)}`, target.name);
      if (dequeueCount < maxDequeueCount) {
        await queue.updateMessage(messageId, popReceipt, messageText, retrySeconds);
        return;
      }
      await poison.createIfNotExists();
      await poison.sendMessage(messageText, { messageTimeToLive: -1 });
      await queue.deleteMessage(messageId, popReceipt);
      log('warning', `message ${messageId} moved to ${poison.name}`, target.name);
      return;
    }
    await settle();
    await queue.deleteMessage(messageId, popReceipt);
  } catch (error) {
    log('error', `message ${messageId} was not settled: ${String(error)}`, target.name);
  } finally {
    clearInterval(timer);
  }
}

/** The arguments of a handler for a message, or for a text given to `POST /admin/functions/NAME`. */
export function invocationOf(
  message: Pick<DequeuedMessageItem, 'messageText'> & Partial<DequeuedMessageItem>,
): { data: TypedData; triggerMetadata: Record<string, TypedData> } {
  const text = Buffer.from(message.messageText, 'base64').toString('utf8');
  const json = (value: unknown): TypedData => ({ json: JSON.stringify(value) });
  return {
    data: { string: text },
    triggerMetadata: {
      QueueTrigger: { string: text },
      Id: { string: message.messageId ?? '' },
      PopReceipt: { string: message.popReceipt ?? '' },
      DequeueCount: json(message.dequeueCount ?? 1),
      InsertionTime: json(message.insertedOn ?? new Date()),
      ExpirationTime: json(message.expiresOn ?? new Date()),
      NextVisibleTime: json(message.nextVisibleOn ?? new Date()),
    },
  };
}

/** `hh:mm:ss` in seconds. */
function secondsOf(span: string | undefined): number {
  return (span ?? '').split(':').reduce((total, part) => total * 60 + Number(part), 0);
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
}
