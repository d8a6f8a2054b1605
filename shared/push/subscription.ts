import type { AccountRef } from '../accounts/account.ts';
import type { Code } from '../platform/problem.ts';

/**
 * `living`: the mail server announces new email, so that looking for it can wait. `in-doubt`: perhaps it does;
 * looking does not wait. `refused`: Microsoft Graph does not allow it. `off`: not possible for this mailbox.
 */
export const pushStates = ['living', 'in-doubt', 'refused', 'off'] as const;

/** What a subscription is made for. If it changes, the subscription is replaced. */
export interface PushTarget extends AccountRef {
  /** What Graph watches, such as `me/mailFolders('inbox')/messages`. */
  resource: string;
}

/** A subscription that Microsoft Graph keeps. */
export interface Subscription extends PushTarget {
  /** Graph's ID. */
  subscriptionId: string;
  /** ISO times. */
  createdAt: string;
  renewedAt: string;
  expiresAt: string;
}

/** The push of one mailbox. */
export interface Push {
  mailboxId: string;
  state: (typeof pushStates)[number];
  /** ISO time of the last change of the state. */
  since: string;
  /** Why it is not living, in a sentence for a person. */
  reason?: string | undefined;
  /** The code of a fault; absent if nothing is wrong, as for a mailbox without the permission. */
  code?: Code | undefined;
  subscription?: Subscription | undefined;
  /** Hashes of the values that an event may carry; two while a subscription is replaced. */
  clientStates: readonly string[];
  /** The settings of the mailbox that were decided on: see `settingsOf`. */
  settings: string;
  /** Consecutive failed requests to Graph. */
  failures: number;
  /** ISO time of the next decision, if nothing else happens. */
  nextAt: string;
}

/** The last event of a mailbox that was answered with a fetch. ISO times. */
export interface Wake {
  mailboxId: string;
  eventAt: string;
  /** When its fetch may start: later, if another had just been queued. */
  fetchAt: string;
}
