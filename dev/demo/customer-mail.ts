import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MailboxFiles } from '../emulators/mail/mailbox-files.ts';
import { writeAtomically } from '../emulators/process/state-file.ts';

/**
 * Copies each email of a mailbox into a folder, as one file, for the page of the host: the host is another process.
 * A file's name begins with the time of arrival, so that names sort.
 * @returns ends it
 */
export function copyMail(inbox: MailboxFiles, folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const copied = new Set(readdirSync(folder));
  let work = Promise.resolve();
  const copy = async (): Promise<void> => {
    for (const email of (await inbox.emails('INBOX')) ?? []) {
      const name = `${email.receivedAt}-${email.key.replace(/\W/g, '_')}.eml`;
      const raw = copied.has(name) ? undefined : await inbox.read(email);
      if (raw === undefined) continue;
      writeAtomically(join(folder, name), raw);
      copied.add(name);
    }
  };
  const soon = (): void => {
    // An email that vanished meanwhile is looked for again at the next change.
    work = work.then(copy).catch(() => {});
  };
  soon();
  return inbox.onChange(soon);
}
