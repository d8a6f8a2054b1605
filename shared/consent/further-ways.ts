import type { Account } from '../accounts/account.ts';
import { grantedWays } from '../accounts/account-resources.ts';
import { isMicrosoftShaped } from '../accounts/issuer-rules.ts';
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
    // Whoever may read over Graph also learns of new mail: no scope of its own is needed for that.
    protocols: asked.filter((one) => one !== 'graph-push' || !asked.includes('graph')),
    reconnect: undefined,
    replacement: { kind: 'this', accountId: account.accountId },
  };
}
