import { createOutboxStore } from '../../shared/outbox/outbox-store.ts';
import { azureQueues } from '../../shared/platform/azure-queues.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Certificates } from '../emulators/certificates.ts';
import { type ExchangeSkin, startExchangeSkin } from '../emulators/mail/exchange-skin.ts';
import type { Fault } from '../emulators/mail/exchange-texts.ts';
import type { Endpoint } from '../emulators/mail/mail-world.ts';

/** The server for outgoing mail of the mailbox that the faults affect. */
export interface OutgoingServer extends Endpoint {
  readonly faults: Fault[];
  /** Nothing listens at its port while it is away. */
  setAway(isAway: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startOutgoingServer(target: Endpoint, tls: Certificates): Promise<OutgoingServer> {
  let skin: ExchangeSkin | undefined = await startExchangeSkin({ protocol: 'smtp', target, tls });
  const { host, port } = skin;
  const stop = async (): Promise<void> => {
    await skin?.stop();
    skin = undefined;
  };
  return {
    host,
    port,
    get faults() {
      return skin?.faults ?? [];
    },
    async setAway(isAway) {
      if (isAway) await stop();
      else skin ??= await startExchangeSkin({ protocol: 'smtp', target, tls, port });
    },
    stop,
  };
}

/** Of the reply. Its recipient is the mailbox itself, where its arrivals are counted. */
export const REPLY_ID = '<drill.reply@contoso.example>';

/** Puts a reply of this mailbox into the outbox, for the next run of the monitor. */
export async function queueReply(storage: string, mailboxId: string, now: Date): Promise<void> {
  const place = { kind: 'connection-string', connectionString: storage } as const;
  const outbox = createOutboxStore({
    tables: azureTables(place, openSeam),
    queues: azureQueues(place, openSeam),
    seam: { now: () => now.getTime() },
  });
  const createdAt = now.toISOString();
  await outbox.queue({
    ticketId: 'drill',
    id: 'reply',
    kind: 'reply',
    mailboxId,
    createdAt,
    from: { address: 'support@contoso.example' },
    to: ['support@contoso.example'],
    cc: [],
    bcc: [],
    subject: 'A reply of the drill',
    text: { kind: 'inline', text: 'Hello\n' },
    attachments: [],
    messageId: REPLY_ID,
    references: [],
    headers: {},
    delivery: { status: { state: 'queued', due: createdAt }, attempts: 0 },
  });
}
