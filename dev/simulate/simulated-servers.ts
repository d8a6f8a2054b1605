import { type Inbox, InboxError } from '../../shared/mailboxes/inbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import { MemoryFolder, openMemoryInbox } from '../../tests/harness/memory/memory-inbox.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Behavior of a mail server. `slow`: ten times as slow; `down`: nobody answers. */
export type ServerKind = 'usual' | 'slow' | 'down';

const SIGN_IN_MS = 600;
const COMMAND_MS = 50;
const SLOW = 10;
/** How long a connection waits (CONNECT_MS of shared/mailboxes/open-imap-inbox.ts). */
const UNANSWERED_MS = 20_000;
const SPREAD = 0.5;

export interface ServerShares {
  slow: number;
  down: number;
}

/** The kind of a mailbox's server, by its place among all (0 to 1). Pure. */
export function serverKindOf(place: number, { slow, down }: ServerShares): ServerKind {
  if (place < down) return 'down';
  return place < down + slow ? 'slow' : 'usual';
}

/** Mailboxes in memory at servers with the latency of the internet. */
export class SimulatedServers {
  readonly #folders = new Map<string, MemoryFolder>();
  /** Milliseconds from the arrival of each email until it was marked as read. */
  readonly delays: number[] = [];
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #seam: Seam;

  constructor(clock: VirtualClock, seam: Seam, random: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.#seam = seam;
  }

  async open(mailbox: Pick<Mailbox, 'id' | 'host'>): Promise<Inbox> {
    const kind = /^(usual|slow|down)\./.exec(mailbox.host)?.[1];
    if (kind === 'down') {
      await this.#clock.sleep(UNANSWERED_MS);
      const said = 'Failed to establish connection in required time';
      throw new InboxError('unavailable', said, { said });
    }
    const factor = kind === 'slow' ? SLOW : 1;
    const folder = this.#folderOf(mailbox.id);
    const seam: Seam = {
      now: this.#seam.now,
      call: async (point, effect) => {
        await this.#clock.sleep(factor * this.#latency(point === 'imap.connect' ? SIGN_IN_MS : COMMAND_MS));
        if (point === 'imap.store') this.#noteMarked(folder);
        return this.#seam.call(point, effect);
      },
    };
    return openMemoryInbox(folder, seam);
  }

  /** @param at milliseconds since the epoch */
  deliverAt(mailboxId: string, raw: Uint8Array, at: number): void {
    void this.#clock.sleep(at - this.#clock.now).then(() => {
      this.#folderOf(mailboxId).deliver(raw, new Date(at).toISOString());
    });
  }

  #folderOf(mailboxId: string): MemoryFolder {
    const folder = this.#folders.get(mailboxId) ?? new MemoryFolder();
    this.#folders.set(mailboxId, folder);
    return folder;
  }

  /** Log-normal: one in a hundred takes three times as long as the median, and longer. */
  #latency(medianMs: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return medianMs * Math.exp(SPREAD * normal);
  }

  #noteMarked(folder: MemoryFolder): void {
    for (const { seen, receivedAt } of folder.mails)
      if (!seen) this.delays.push(this.#clock.now - Date.parse(receivedAt));
  }
}
