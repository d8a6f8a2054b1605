import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeFolderName, encodeFolderName } from '../folder-name.ts';
import { standardFolders } from '../mail-world.ts';
import type { EmailFile, MailboxFiles } from '../mailbox-files.ts';
import type { MaildirDelivery } from './maildir.ts';

/** How often a change is looked for while somebody listens. */
const POLL_MS = 100;

/**
 * Access to a mailbox of Dovecot through its files, as Maildir allows to any program
 * (https://cr.yp.to/proto/maildir.html; folders: Maildir++, a dot before each name). The part of a file's
 * name before the colon is the email's identity, what follows are its flags.
 */
export function maildirMailbox(address: string, mailRoot: string, delivery: MaildirDelivery): MailboxFiles {
  const root = path.join(mailRoot, address, 'Maildir');
  const placeOf = (folder: string): string =>
    folder.toUpperCase() === 'INBOX'
      ? root
      : path.join(root, `.${folder.split('/').map(encodeFolderName).join('.')}`);

  async function folders(): Promise<readonly string[]> {
    const made = (await readdir(root, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && entry.name.startsWith('.'))
      .map(({ name }) => name.slice(1).split('.').map(decodeFolderName).join('/'));
    return [...new Set(['INBOX', ...standardFolders, ...made])];
  }

  /** The files of a folder with their keys. Undefined: no such folder. */
  async function filesOf(folder: string): Promise<{ file: string; key: string }[] | undefined> {
    if (!(await folders()).includes(folder)) return undefined;
    const place = placeOf(folder);
    const found = new Map<string, string>();
    // In this order: Dovecot moves a file from `new` to `cur`, never back, so none is overlooked.
    for (const part of ['new', 'cur'])
      for (const name of await namesIn(path.join(place, part)))
        found.set(keyOf(name), path.join(place, part, name));
    return [...found].map(([key, file]) => ({ key, file }));
  }

  const fileOf = async ({ folder, key }: EmailFile): Promise<string | undefined> =>
    (await filesOf(folder))?.find((candidate) => candidate.key === key)?.file;

  /** Dovecot renames a file for each flag: the second look finds it under its new name. */
  async function withFile<T>(email: EmailFile, act: (file: string) => Promise<T>): Promise<T | undefined> {
    for (let tries = 0; tries < 3; tries++) {
      const file = await fileOf(email);
      if (file === undefined) return undefined;
      try {
        return await act(file);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return undefined;
  }

  return {
    address,
    folders,
    async createFolder(folder) {
      if ((await folders()).includes(folder)) return false;
      delivery.prepareFolder(placeOf(folder));
      return true;
    },
    async emails(folder) {
      for (let tries = 1; ; tries++) {
        const files = await filesOf(folder);
        if (files === undefined) return undefined;
        const described = await Promise.all(files.map(({ file, key }) => describe(folder, file, key)));
        const emails = described.filter((email) => email !== undefined);
        // A file that was renamed meanwhile is still there, under another name.
        if (emails.length < files.length && tries < 5) continue;
        // The name begins with the time of delivery.
        return emails.sort((a, b) => (a.key < b.key ? -1 : 1));
      }
    },
    async find(key, inFolder) {
      for (const folder of inFolder === undefined ? await folders() : [inFolder]) {
        const found = (await filesOf(folder))?.find((candidate) => candidate.key === key);
        if (found !== undefined) return describe(folder, found.file, key);
      }
      return undefined;
    },
    read: (email) => withFile(email, async (file) => withCrlf(await readFile(file))),
    async add(folder, raw, options) {
      delivery.prepareFolder(placeOf(folder));
      return delivery.add(placeOf(folder), raw, options);
    },
    async setSeen(email, isSeen) {
      const done = await withFile(email, async (file) => {
        await rename(file, path.join(placeOf(email.folder), 'cur', nameWith(file, isSeen)));
        return true;
      });
      return done === true;
    },
    async move(email, folder) {
      if (!(await folders()).includes(folder)) return false;
      if (folder === email.folder) return true;
      delivery.prepareFolder(placeOf(folder));
      // A copy that Dovecot made there has the same name and must not be replaced.
      const isTaken = (await filesOf(folder))?.some(({ key }) => key === email.key) === true;
      const done = await withFile(email, async (file) => {
        const part = path.basename(path.dirname(file));
        const name = path.basename(file);
        const target = isTaken ? name.replace(email.key, delivery.uniqueName()) : name;
        await rename(file, path.join(placeOf(folder), part, target));
        return true;
      });
      return done === true;
    },
    async remove(email) {
      const done = await withFile(email, async (file) => {
        await rm(file);
        return true;
      });
      return done === true;
    },
    onChange(listener) {
      let before: string | undefined;
      const timer = setInterval(() => {
        folders()
          .then((all) => Promise.all(all.map((folder) => changedAt(placeOf(folder)))))
          .then((times) => {
            const now = times.join();
            // Also at the first look: something may have happened before it.
            if (before !== now) listener();
            before = now;
          })
          .catch((error: unknown) => console.error('mailbox of', address, error));
      }, POLL_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

const keyOf = (name: string): string => path.basename(name).split(':')[0] ?? '';

/** Dovecot keeps line ends as LF and sends them as CRLF. */
const withCrlf = (raw: Buffer): Buffer =>
  Buffer.from(raw.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'), 'latin1');

const flagsOf = (file: string): string => /:2,([A-Za-z]*)$/.exec(file)?.[1] ?? '';

/** The file's name with or without `S`; flags stand in the order of their letters. */
function nameWith(file: string, isSeen: boolean): string {
  const flags = new Set(flagsOf(file));
  if (isSeen) flags.add('S');
  else flags.delete('S');
  return `${keyOf(file)}:2,${[...flags].sort().join('')}`;
}

async function describe(folder: string, file: string, key: string): Promise<EmailFile | undefined> {
  try {
    const { size: stored, mtimeMs } = await stat(file);
    // Dovecot notes the size with CRLF line ends in the name of what it wrote itself.
    const size = Number(/,W=(\d+)/.exec(key)?.[1] ?? stored);
    return { folder, key, size, receivedAt: Math.floor(mtimeMs), isSeen: flagsOf(file).includes('S') };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    // A standard folder is made at its first use.
    if (isMissing(error)) return [];
    throw error;
  }
}

async function changedAt(maildir: string): Promise<string> {
  const parts = ['new', 'cur'].map((part) => path.join(maildir, part)).filter(existsSync);
  const found = await Promise.all(parts.map((part) => stat(part)));
  return found.map(({ mtimeMs }) => mtimeMs).join('/');
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
