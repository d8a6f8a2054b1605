import type { Account } from '../accounts/account.ts';
import { grantedWays } from '../accounts/account-resources.ts';
import { isMicrosoftShaped } from '../accounts/issuer-rules.ts';
import { type Mailbox, sendingProtocolOf } from '../mailboxes/mailbox.ts';
import { isLoginOf, loginsOf } from '../mailboxes/mailbox-logins.ts';
import { type Protocol, protocols, serverProtocols } from '../providers/presets.ts';
import { type Resource, resourcesOf } from '../providers/protocol-access.ts';
import type { Provider } from '../providers/provider.ts';
import type { ConnectRequest } from './consent.ts';

/** The resources of a consent; its code is redeemed for the first. Pure. */
export const resourcesAsked = (provider: Provider, asked: readonly Protocol[]): readonly Resource[] =>
  isMicrosoftShaped(provider) ? resourcesOf(asked) : ['outlook'];

/**
 * The request to ask the person of an account for further ways, by one sign-in. It asks for those already
 * granted too, so that nothing that works stops; Microsoft shows only the new ones. Pure.
 */
export function requestFurtherWays(
  account: Account,
  further: readonly Protocol[],
  mailbox: { address: string; shared: boolean },
): ConnectRequest {
  const granted = grantedWays(account);
  const before: readonly Protocol[] = granted.length === 0 ? serverProtocols : granted;
  const asked = protocols.filter((one) => before.includes(one) || further.includes(one));
  return {
    providerId: account.providerId,
    ...mailbox,
    signIn: account.user,
    chooseAccount: false,
    protocols: withoutImplied(asked),
    reconnect: undefined,
    replacement: { kind: 'this', accountId: account.accountId },
  };
}

/**
 * The ways in which mailboxes use an account, to be asked for when its person signs in again: how each is read,
 * whether it sends, and push if that was granted. Pure.
 * @param mailboxes all, including those of other accounts
 */
export function waysInUse(
  account: Pick<Account, 'providerId' | 'accountId' | 'scopes'>,
  mailboxes: readonly Mailbox[],
): readonly Protocol[] {
  const used = new Set<Protocol>(grantedWays(account).filter((one) => one === 'graph-push'));
  for (const mailbox of mailboxes) {
    const { reading, sending } = loginsOf(mailbox);
    if (isLoginOf(reading, account)) used.add(mailbox.protocol);
    if (sending !== undefined && isLoginOf(sending, account)) used.add(sendingProtocolOf(sending));
  }
  return withoutImplied(protocols.filter((one) => used.has(one)));
}

/** Whoever may read over Graph also learns of new mail: no scope of its own is needed for that. */
const withoutImplied = (asked: readonly Protocol[]): readonly Protocol[] =>
  asked.filter((one) => one !== 'graph-push' || !asked.includes('graph'));
