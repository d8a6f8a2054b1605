import { decodeFolderName, encodeFolderName } from '../folder-name.ts';
import type { EmailFile, MailboxFiles } from '../mailbox-files.ts';
import type { StoredMail } from './journal.ts';
import type { Folder, MailStore } from './mail-store.ts';

/** Access to a mailbox of the npm mail server; sessions that have it open see each change. */
export function mailboxOf(address: string, store: MailStore, now: () => number): MailboxFiles {
  const folderOf = (path: string): Folder | undefined => store.folder(encodeFolderName(path));
  const locate = (email: EmailFile): { folder: Folder; mail: StoredMail } | undefined => {
    const folder = folderOf(email.folder);
    const mail = folder?.mails.find((candidate) => keyOf(candidate) === email.key);
    return folder === undefined || mail === undefined ? undefined : { folder, mail };
  };
  return {
    address,
    folders: async () => store.folders().map(({ name }) => decodeFolderName(name)),
    async createFolder(path) {
      if (folderOf(path) !== undefined) return false;
      store.create(encodeFolderName(path), now());
      return true;
    },
    emails: async (path) => {
      const folder = folderOf(path);
      return folder?.mails.map((mail) => describe(folder, mail));
    },
    async find(key, path) {
      const wanted = path === undefined ? undefined : folderOf(path);
      for (const folder of wanted === undefined ? store.folders() : [wanted]) {
        const mail = folder.mails.find((candidate) => keyOf(candidate) === key);
        if (mail !== undefined) return describe(folder, mail);
      }
      return undefined;
    },
    async read(email) {
      const found = locate(email);
      return found === undefined ? undefined : store.read(found.mail);
    },
    async add(path, raw, { receivedAt, isSeen }) {
      const folder = folderOf(path);
      if (folder === undefined) throw new Error(`The mailbox ${address} has no folder ${path}.`);
      const flags = isSeen ? ['\\Seen'] : [];
      return keyOf(store.append(folder, raw, { date: receivedAt.getTime(), flags }));
    },
    async setSeen(email, isSeen) {
      const found = locate(email);
      if (found === undefined) return false;
      const others = found.mail.flags.filter((flag) => flag !== '\\Seen');
      const flags = isSeen ? [...others, '\\Seen'] : others;
      store.setFlags(found.folder, [{ uid: found.mail.uid, flags }]);
      return true;
    },
    async move(email, path) {
      const found = locate(email);
      const target = folderOf(path);
      if (found === undefined || target === undefined) return false;
      if (target !== found.folder) store.move(found.folder, [found.mail.uid], target);
      return true;
    },
    async remove(email) {
      const found = locate(email);
      if (found === undefined) return false;
      store.remove(found.folder, [found.mail.uid]);
      return true;
    },
    onChange: (listener) => store.onChange(listener),
  };
}

/** A file's name may be used again after a restart: the time of arrival tells its emails apart. */
const keyOf = ({ file, copy, date }: StoredMail): string =>
  `${file}-${date}${copy === undefined ? '' : `-${copy}`}`;

const describe = (folder: Folder, mail: StoredMail): EmailFile => ({
  folder: decodeFolderName(folder.name),
  key: keyOf(mail),
  size: mail.size,
  receivedAt: mail.date,
  isSeen: mail.flags.includes('\\Seen'),
});
