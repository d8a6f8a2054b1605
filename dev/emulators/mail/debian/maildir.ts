import { chownSync, mkdirSync } from 'node:fs';
import { rename, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Puts emails into a Maildir as its format wants it: written in `tmp/`, then renamed into `new/`, so that
 * nobody sees half an email (https://cr.yp.to/proto/maildir.html). Dovecot numbers new files by the time in
 * their names; a counter of microseconds that never stands still keeps the order given.
 */
export class MaildirDelivery {
  readonly #mailRoot: string;
  readonly #owner: { readonly uid: number; readonly gid: number };
  #lastMicroseconds = 0;

  constructor(mailRoot: string, owner: { uid: number; gid: number }) {
    this.#mailRoot = mailRoot;
    this.#owner = owner;
  }

  /** Makes the folders of a mailbox, so that the first delivery may come before the first sign-in. */
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

  /** Dovecot takes a file's time of change for the mail's INTERNALDATE. */
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
