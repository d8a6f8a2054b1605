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
    this.#makeFolder(home);
    this.prepareFolder(path.join(home, 'Maildir'));
  }

  /** Creates one Maildir: the mailbox's own, or a folder inside it. */
  prepareFolder(maildir: string): void {
    for (const part of ['', 'tmp', 'new', 'cur']) this.#makeFolder(path.join(maildir, part));
  }

  #makeFolder(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chownSync(folder, this.#owner.uid, this.#owner.gid);
  }

  async deliver(address: string, raws: readonly Uint8Array[], receivedAt?: Date): Promise<void> {
    const maildir = path.join(this.#mailRoot, address, 'Maildir');
    for (const raw of raws) await this.add(maildir, raw, { receivedAt });
  }

  /** Dovecot uses a file's modification time as INTERNALDATE. The result is the file's name without its flags. */
  async add(
    maildir: string,
    raw: Uint8Array,
    { receivedAt, isSeen = false }: { receivedAt?: Date | undefined; isSeen?: boolean },
  ): Promise<string> {
    const name = this.uniqueName();
    const written = path.join(maildir, 'tmp', name);
    await writeFile(written, raw, { mode: 0o600 });
    chownSync(written, this.#owner.uid, this.#owner.gid);
    if (receivedAt !== undefined) await utimes(written, receivedAt, receivedAt);
    await rename(
      written,
      isSeen ? path.join(maildir, 'cur', `${name}:2,S`) : path.join(maildir, 'new', name),
    );
    return name;
  }

  /** A file name that no other delivery uses. */
  uniqueName(): string {
    this.#lastMicroseconds = Math.max(this.#lastMicroseconds + 1, Date.now() * 1000);
    const seconds = Math.floor(this.#lastMicroseconds / 1_000_000);
    const rest = String(this.#lastMicroseconds % 1_000_000).padStart(6, '0');
    return `${seconds}.M${rest}P${process.pid}.demo`;
  }
}
