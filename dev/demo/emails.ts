import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface NamedMail {
  name: string;
  raw: Uint8Array;
  /** Absent: now. */
  receivedAt?: Date;
}

/**
 * Delivers emails once: delivered emails are recorded in the state folder, so an email that became a ticket
 * is not delivered again by the next start.
 * @param source name under which the emails are recorded
 * @returns the number of emails delivered now
 */
export async function deliverOnce(
  stateDir: string,
  source: string,
  mails: readonly NamedMail[],
  deliver: (mail: NamedMail) => Promise<void>,
): Promise<number> {
  const file = join(stateDir, 'delivered.json');
  const delivered = new Set(await readDelivered(file));
  const before = delivered.size;
  try {
    for (const mail of mails) {
      const key = `${source}/${mail.name}`;
      if (delivered.has(key)) continue;
      await deliver(mail);
      delivered.add(key);
    }
  } finally {
    await writeFile(file, JSON.stringify([...delivered], null, 1));
  }
  return delivered.size - before;
}

async function readDelivered(file: string): Promise<string[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as string[];
  } catch {
    // The first start.
    return [];
  }
}

/**
 * Reads every file of a folder as one email, in order of name, including subfolders.
 * @throws Error with a readable message when the folder does not exist or has no files
 */
export async function mailsOfFolder(folder: string): Promise<NamedMail[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new Error(`There is no folder ${resolve(folder)} with emails to deliver.`);
  });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (files.length === 0) throw new Error(`The folder ${resolve(folder)} holds no email.`);
  const mails: NamedMail[] = [];
  for (const file of files.sort()) mails.push({ name: file, raw: await readFile(file) });
  return mails;
}
