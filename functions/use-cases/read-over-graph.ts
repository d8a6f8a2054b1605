import type { Account } from '../../shared/accounts/account.ts';
import { grantedWays } from '../../shared/accounts/account-resources.ts';
import type { ConnectRequest } from '../../shared/consent/consent.ts';
import { requestFurtherWays } from '../../shared/consent/further-ways.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { MailboxAuthor } from '../../shared/mailboxes/mailbox-entry.ts';
import { saveMailbox } from '../../shared/mailboxes/save-mailbox.ts';
import type { Code } from '../../shared/platform/problem.ts';
import { type MailHost, presetNamed } from '../../shared/providers/presets.ts';
import { protocolAccess } from '../../shared/providers/protocol-access.ts';
import type { Services } from '../services.ts';

export type GraphPlan =
  /** The mailbox as it is read over Microsoft Graph. */
  | { kind: 'switch'; mailbox: Mailbox }
  /** The person has to allow it first, by one sign-in. */
  | { kind: 'ask'; connectRequest: ConnectRequest }
  /** The provider has no Microsoft Graph, or the account is gone. */
  | { kind: 'none' };

/**
 * How a mailbox comes to be read over Microsoft Graph instead of its present protocol. What Exchange grants to
 * an app is in no token, so an app just tries. Pure.
 * @param graph where the provider's Graph is
 */
export function planGraph(
  mailbox: Mailbox,
  account: Account | undefined,
  graph: MailHost | undefined,
): GraphPlan {
  if (account === undefined || graph === undefined) return { kind: 'none' };
  const shared = account.user.toLowerCase() !== mailbox.address.toLowerCase();
  if (account.kind === 'app' || mayReadOverGraph(account, shared))
    return { kind: 'switch', mailbox: { ...mailbox, protocol: 'graph', ...graph } };
  const { id: mailboxId, address, accountId } = mailbox;
  return {
    kind: 'ask',
    connectRequest: {
      ...requestFurtherWays(account, ['graph'], { address, shared }),
      reconnect: { mailboxId, accountId, readOver: 'graph' },
    },
  };
}

/** A mailbox of somebody else needs a permission of its own. */
function mayReadOverGraph(account: Account, shared: boolean): boolean {
  const needed = shared ? protocolAccess.graph.shared : protocolAccess.graph.own;
  return (
    grantedWays(account).includes('graph') &&
    account.scopes.some((scope) => scope.slice(scope.lastIndexOf('/') + 1) === needed?.name)
  );
}

export type GraphSwitch =
  | { kind: 'switched' }
  | Exclude<GraphPlan, { kind: 'switch' }>
  /** Nothing was changed. `isApp`: the app itself signs in, and needs a right of its own. */
  | { kind: 'not-opened'; code: Code; isApp: boolean };

/**
 * Reads a mailbox over Microsoft Graph from now on, if it opens there. The next fetch starts within a minute; the
 * content keys of the ledger tell it what was imported before.
 */
export async function switchToGraph(
  services: Services,
  mailbox: Mailbox,
  author: MailboxAuthor,
): Promise<GraphSwitch> {
  const [stored, provider] = await Promise.all([
    services.accounts.get(mailbox),
    services.providers.get(mailbox.providerId),
  ]);
  const preset = provider && presetNamed(provider.preset, services.config, provider.cloud);
  const plan = planGraph(mailbox, stored?.account, preset?.graph);
  if (plan.kind !== 'switch') return plan;
  let code: Code = 'graph-no-access';
  const saved = await saveMailbox(
    {
      ...services,
      async open(one) {
        const opened = await services.verifyMailbox(services.intake, one);
        if (opened.kind === 'failed') ({ code } = opened);
        return opened;
      },
    },
    { mailbox: plan.mailbox, before: mailbox, ...author },
    { evenIfNotOpened: false },
  );
  if (saved.kind === 'saved') return { kind: 'switched' };
  return { kind: 'not-opened', code, isApp: stored !== undefined && stored.account.kind === 'app' };
}
