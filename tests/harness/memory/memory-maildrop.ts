import type { Inbox } from '../../../shared/mailboxes/inbox.ts';
import { Pop3Error } from '../../../shared/mailboxes/pop3-errors.ts';
import { openMaildrop } from '../../../shared/mailboxes/pop3-inbox.ts';
import type { Pop3Maildrop } from '../../../shared/mailboxes/pop3-session.ts';
import type { Seam } from '../../../shared/platform/seam.ts';
import type { FolderMail, MemoryFolder } from './memory-inbox.ts';

const PIECE = 256 * 1024;

/**
 * The product's POP3 inbox over a session in memory, with the seam points of POP3. The session sees the email
 * that was there when it was opened; deletions take effect at QUIT.
 */
export const openMemoryMaildrop = (folder: MemoryFolder, seam: Seam): Promise<Inbox> =>
  openMaildrop(() => connectMaildrop(folder, seam), seam);

async function connectMaildrop(folder: MemoryFolder, seam: Seam): Promise<Pop3Maildrop> {
  await seam.call('pop3.connect', async () => {});
  const mails = await seam.call('pop3.sign-in', async () =>
    // The server renumbers by giving every message another UIDL.
    folder.mails.map((mail) => ({ mail, uidl: `${folder.uidValidity}-${mail.uid}` })),
  );
  const deleted = new Set<FolderMail>();
  let isOpen = true;
  const call = <T>(operation: string, effect: () => T): Promise<T> =>
    seam.call(`pop3.${operation}`, async () => {
      if (!isOpen) throw new Pop3Error('unavailable', 'the connection is closed');
      return effect();
    });
  const at = (number: number): FolderMail | undefined => {
    const mail = mails[number - 1]?.mail;
    return mail !== undefined && folder.mails.includes(mail) && !deleted.has(mail) ? mail : undefined;
  };
  const each = (numbers: readonly number[], use: (number: number, mail: FolderMail) => void): void => {
    for (const number of numbers) {
      const mail = at(number);
      if (mail !== undefined) use(number, mail);
    }
  };
  const existing = (number: number): FolderMail => {
    const mail = at(number);
    if (mail === undefined) throw new Pop3Error('refused', '-ERR no such message');
    return mail;
  };

  return {
    mails: () => call('uidl', () => mails.map(({ uidl }, index) => ({ number: index + 1, uidl }))),
    sizes: () =>
      call('list', () => new Map(mails.map(({ mail }, index) => [index + 1, mail.raw.byteLength]))),
    headers: (numbers, use) =>
      call('top', () => each(numbers, (number, mail) => use(number, headOf(mail.raw)))),
    beginning: (number) => call('top', () => existing(number).raw),
    whole: (numbers, use) => call('retrieve', () => each(numbers, (number, mail) => use(number, mail.raw))),
    async *mail(number) {
      const { raw } = await call('retrieve', () => existing(number));
      for (let start = 0; start < raw.byteLength; start += PIECE) {
        if (!isOpen) throw new Pop3Error('unavailable', 'the connection is closed');
        yield raw.subarray(start, start + PIECE);
      }
    },
    removeAll: (numbers) => call('delete', () => each(numbers, (_, mail) => deleted.add(mail))),
    async quit() {
      await call('quit', () => {
        const gone = folder.mails.filter((mail) => deleted.has(mail));
        for (const mail of gone) mail.settled = true;
        folder.mails = folder.mails.filter((mail) => !deleted.has(mail));
        folder.removed.push(...gone);
      });
      isOpen = false;
    },
    close() {
      isOpen = false;
    },
  };
}

function headOf(raw: Uint8Array): Uint8Array {
  const end = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).indexOf('\r\n\r\n');
  return end === -1 ? raw : raw.subarray(0, end + 4);
}
