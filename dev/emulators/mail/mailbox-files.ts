/** An email as it lies in a folder. A copy is another email. */
export interface EmailFile {
  /** Path of the folder's display names: `INBOX`, `Archive/2026`. */
  readonly folder: string;
  /**
   * Unique in the folder and never used again; stays the same when `move` puts the email into another folder.
   * Dovecot gives a copy in another folder the same key.
   */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** INTERNALDATE, milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly isSeen: boolean;
}

/**
 * Direct access to a mailbox of the mail server emulator, for what shows the same mail as IMAP and POP3 do
 * by other means: Microsoft Graph. A folder or an email that is gone is undefined or false, never an error.
 */
export interface MailboxFiles {
  /** Lower case. */
  readonly address: string;
  /** Paths of all folders, the standard ones always among them. */
  folders(): Promise<readonly string[]>;
  /** False: a folder of this path exists already. */
  createFolder(path: string): Promise<boolean>;
  /** In the order of arrival. Undefined: no such folder. */
  emails(folder: string): Promise<readonly EmailFile[] | undefined>;
  /** In this folder, or wherever it lies. */
  find(key: string, folder?: string): Promise<EmailFile | undefined>;
  read(email: EmailFile): Promise<Buffer | undefined>;
  /** The result is the email's key. */
  add(folder: string, raw: Uint8Array, options: { receivedAt: Date; isSeen: boolean }): Promise<string>;
  setSeen(email: EmailFile, isSeen: boolean): Promise<boolean>;
  move(email: EmailFile, folder: string): Promise<boolean>;
  remove(email: EmailFile): Promise<boolean>;
  /** Calls back soon after any change; the result ends it. */
  onChange(listener: () => void): () => void;
}
