import type { MailState } from './mail-state.ts';
import type { LifecycleEvent, Notifier, PushFault } from './notify.ts';

/** What a test or a drill may do to mail over Graph. Refusals and delays of requests: the faults of graph.ts. */
export type MailTrouble =
  /** Every delta token of the mailbox is refused with 410 from now on. */
  | { action: 'expire-delta'; mailbox: string }
  /** Push dies without a word, or lives again. */
  | { action: 'silence-push'; mailbox: string; isSilent: boolean }
  | ({ action: 'push-fault' } & PushFault)
  | { action: 'forge-push'; mailbox: string; clientState: string }
  | { action: 'lifecycle'; mailbox: string; event: LifecycleEvent };

/** @throws Error that lists the valid names, for any other action */
export function makeTrouble(trouble: MailTrouble, state: MailState, notifier: Notifier): void {
  switch (trouble.action) {
    case 'expire-delta':
      state.epochs[trouble.mailbox] = (state.epochs[trouble.mailbox] ?? 0) + 1;
      state.save();
      return;
    case 'silence-push':
      for (const one of state.subscriptions)
        if (one.mailbox === trouble.mailbox) one.isSilent = trouble.isSilent;
      state.save();
      return;
    case 'push-fault': {
      const { kind, times, delay } = trouble;
      notifier.faults.push({ kind, times, ...(delay !== undefined && { delay }) });
      return;
    }
    case 'forge-push':
      notifier.forge(trouble.mailbox, trouble.clientState);
      return;
    case 'lifecycle':
      notifier.lifecycle(trouble.mailbox, trouble.event);
      return;
    default:
      throw new Error('The actions are expire-delta, silence-push, push-fault, forge-push and lifecycle.');
  }
}
