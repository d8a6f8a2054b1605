import { readJson, writeAtomically } from '../../process/state-file.ts';

/** What a folder looked like when it was last asked for changes, and when each email changed. */
export interface FolderLog {
  /** Number of the last change. */
  seq: number;
  emails: Record<string, { seq: number; born: number; isSeen: boolean; isGone?: true }>;
}

export interface Subscription {
  readonly id: string;
  readonly appId: string;
  /** Address of the mailbox. */
  readonly mailbox: string;
  /** Path of the folder; absent: the whole mailbox. */
  readonly folder?: string;
  /** As the app wrote it. */
  readonly resource: string;
  readonly changeTypes: readonly string[];
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl?: string;
  readonly clientState?: string;
  readonly immutable: boolean;
  readonly creatorId: string;
  /** ISO 8601. */
  expirationDateTime: string;
  /** No event reaches the app and nothing says so. */
  isSilent?: boolean;
}

interface Kept {
  /** `address|folder` → its log. */
  logs: Record<string, FolderLog>;
  /** Address → how often its delta tokens were expired. */
  epochs: Record<string, number>;
  subscriptions: Subscription[];
}

export interface MailState extends Kept {
  /** Writes what changed, when there is a file. */
  save(): void;
}

/** Opens the state of a file, or an empty one. */
export function openMailState(file: string | undefined): MailState {
  const kept: Kept = (file === undefined ? undefined : readJson<Kept>(file)) ?? {
    logs: {},
    epochs: {},
    subscriptions: [],
  };
  return Object.assign(kept, {
    save: () => {
      if (file !== undefined) writeAtomically(file, JSON.stringify(kept));
    },
  });
}
