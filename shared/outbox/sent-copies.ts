import { withTimeout } from '../platform/concurrency.ts';
import { describeError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { composeMime } from './compose-mime.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import type { SentFolder } from './sent-folder.ts';

/** For one copy, with the connection of the first one. */
const COPY_MS = 30_000;

/** The copies that a run of the outbox puts into the Sent folder of its mailbox, over one connection. */
export class SentCopies {
  readonly #mailboxId: string;
  readonly #open: (mailboxId: string) => Promise<SentFolder>;
  #folder: Promise<SentFolder> | undefined;

  constructor(mailboxId: string, open: (mailboxId: string) => Promise<SentFolder>) {
    this.#mailboxId = mailboxId;
    this.#open = open;
  }

  /** Adds a copy of what has left, with its hidden recipients, as mail programs do. Never rejects. */
  async keep(mail: OutgoingMail): Promise<void> {
    const append = async (): Promise<boolean> => {
      this.#folder ??= this.#open(this.#mailboxId);
      return (await this.#folder).keep(await composeMime(mail, { withBcc: true }));
    };
    try {
      await withTimeout(append(), COPY_MS, 'imap-unavailable');
    } catch (error) {
      log.warn('no copy in the Sent folder', { mailbox: this.#mailboxId, error: describeError(error) });
    }
  }

  async close(): Promise<void> {
    const folder = await this.#folder?.catch(() => undefined);
    await folder?.close();
  }
}
