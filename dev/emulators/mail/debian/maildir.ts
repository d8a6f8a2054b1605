import { chownSync, mkdirSync } from 'node:fs';
import { rename, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Adds emails to a Maildir as its format requires: written to `tmp/`, then renamed into `new/`, so no
 * reader sees a partial email (https://cr.yp.to/proto/maildir.html). Dovecot numbers new files by the time
 * in their names; a strictly increasing microsecond counter keeps the given order.
 */
export class MaildirDelivery {
  readonly #mailRoot: string;
  readonly #owner: { readonly uid: number; readonly gid: number };
  #lastMicroseconds = 0;

  constructor(mailRoot: string, owner: { uid: number; gid: number }) {
    this.#mailRoot = mailRoot;
    this.#owner = owner;
  }

  /** Creates the folders of a mailbox, so that mail can be delivered before the first sign-in. */
  prepare(address: string): void {
    const home = path.join(this.#mailRoot, address);
    for (const folder of [
      home,
      ...['', 'tmp', 'new', 'cur'].map((part) => path.join(home, 'Maildir', part)),
    ]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chownSync(folder, this.#owner.uid, this.#owner.gid);
    }
  }

  /** Dovecot uses a file's modification time as INTERNALDATE. */
  async deliver(address: string, raws: readonly Uint8Array[], receivedAt?: Date): Promise<void> {
    const maildir = path.join(this.#mailRoot, address, 'Maildir');
    for (const raw of raws) {
      const name = this.#uniqueName();
      const written = path.join(maildir, 'tmp', name);
      await writeFile(written, raw, { mode: 0o600 });
      chownSync(written, this.#owner.uid, this.#owner.gid);
      if (receivedAt !== undefined) await utimes(written, receivedAt, receivedAt);
      await rename(written, path.join(maildir, 'new', name));
    }
  }

  #uniqueName(): string {
    this.#lastMicroseconds = Math.max(this.#lastMicroseconds + 1, Date.now() * 1000);
    const seconds = Math.floor(this.#lastMicroseconds / 1_000_000);
    const rest = String(this.#lastMicroseconds % 1_000_000).padStart(6, '0');
    return `${seconds}.M${rest}P${process.pid}.demo`;
  }
}
