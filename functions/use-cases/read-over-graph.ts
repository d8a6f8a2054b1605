import type { Account, AccountRef } from '../../shared/accounts/account.ts';
import { grantedWays } from '../../shared/accounts/account-resources.ts';
import type { ConnectRequest, GraphWay } from '../../shared/consent/consent.ts';
import { requestFurtherWays } from '../../shared/consent/further-ways.ts';
import { queueTask } from '../../shared/intake/fetch-again.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { MailboxAuthor } from '../../shared/mailboxes/mailbox-entry.ts';
import { type FetchState, lastSuccessOf } from '../../shared/mailboxes/mailbox-store.ts';
import { saveMailbox } from '../../shared/mailboxes/save-mailbox.ts';
import type { Code } from '../../shared/platform/problem.ts';
import { type MailHost, presetNamed } from '../../shared/providers/presets.ts';
import { protocolAccess } from '../../shared/providers/protocol-access.ts';
import type { Services } from '../services.ts';

export type GraphPlan =
  /** The mailbox as it is read, or sends, over Microsoft Graph. */
  | { kind: 'switch'; mailbox: Mailbox }
  /** The person has to allow it first, by one sign-in. */
  | { kind: 'ask'; connectRequest: ConnectRequest }
  /** The provider has no Microsoft Graph, or the account is gone. */
  | { kind: 'none' };

/**
 * How a mailbox comes to be read over Microsoft Graph instead of its present protocol, or to send over it. What
 * Exchange grants to an app is in no token, so an app just tries. Pure.
 * @param account the one that reads, or sends
 * @param graph where the provider's Graph is
 */
export function planGraph(
  mailbox: Mailbox,
  account: Account | undefined,
  graph: MailHost | undefined,
  way: GraphWay = 'graph',
): GraphPlan {
  if (account === undefined || graph === undefined) return { kind: 'none' };
  const shared = account.user.toLowerCase() !== mailbox.address.toLowerCase();
  const { providerId, accountId } = account;
  if (account.kind === 'app' || isGranted(account, way, shared))
    return {
      kind: 'switch',
      mailbox:
        way === 'graph'
          ? { ...mailbox, protocol: way, ...graph }
          : { ...mailbox, sending: { protocol: way, ...graph, providerId, accountId } },
    };
  const { id: mailboxId, address } = mailbox;
  return {
    kind: 'ask',
    connectRequest: {
      ...requestFurtherWays(account, [way], { address, shared }),
      reconnect: { mailboxId, accountId, switchTo: way },
    },
  };
}

/** A mailbox of somebody else needs a permission of its own. */
function isGranted(account: Account, way: GraphWay, shared: boolean): boolean {
  const needed = shared ? protocolAccess[way].shared : protocolAccess[way].own;
  return (
    grantedWays(account).includes(way) &&
    account.scopes.some((scope) => scope.slice(scope.lastIndexOf('/') + 1) === needed?.name)
  );
}

/**
 * The first day of the first fetch over Graph: that of the last success, so that email which somebody has read
 * while the old way was closed is imported, too, and little of what was imported is downloaded again. Where
 * messages were still waiting, the mailbox's own setting decides. Pure.
 * @param now milliseconds since the epoch
 */
export function fetchSinceAfterSwitch(
  { id, fetchSince }: Mailbox,
  state: Pick<FetchState, 'cursors' | 'successes' | 'shards'>,
  now: number,
): string | undefined {
  const cursor = state.cursors.get(id);
  const last = lastSuccessOf(state, id, now)?.slice(0, 10);
  const isComplete =
    cursor !== undefined &&
    cursor.first === undefined &&
    cursor.waiting.length === 0 &&
    (cursor.unfetched ?? []).length === 0 &&
    (cursor.backlog ?? 0) === 0;
  if (!isComplete || last === undefined) return fetchSince;
  return fetchSince !== undefined && fetchSince > last ? fetchSince : last;
}

export type GraphSwitch =
  | { kind: 'switched' }
  | Exclude<GraphPlan, { kind: 'switch' }>
  /** Nothing was changed. `isApp`: the app itself signs in, and needs a right of its own. */
  | { kind: 'not-opened'; code: Code; isApp: boolean };

/**
 * Reads a mailbox over Microsoft Graph from now on, if it opens there, and fetches it at once, whatever its interval.
 * The content keys of the ledger tell the fetch what was imported before.
 */
export async function switchToGraph(
  services: Services,
  mailbox: Mailbox,
  author: MailboxAuthor,
): Promise<GraphSwitch> {
  const { account, graph } = await graphOf(services, mailbox);
  const plan = planGraph(mailbox, account, graph);
  if (plan.kind !== 'switch') return plan;
  const fetchSince = fetchSinceAfterSwitch(
    mailbox,
    await services.mailboxes.fetchState(),
    services.seam.now(),
  );
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
    { mailbox: { ...plan.mailbox, fetchSince }, before: mailbox, ...author },
    { evenIfNotOpened: false },
  );
  if (saved.kind === 'saved') {
    await queueTask(services.queues, mailbox.id, { kind: 'new-mail' });
    return { kind: 'switched' };
  }
  return { kind: 'not-opened', code, isApp: account?.kind === 'app' };
}

/** An account, and where its provider's Microsoft Graph is. */
export async function graphOf(
  { accounts, providers, config }: Pick<Services, 'accounts' | 'providers' | 'config'>,
  ref: AccountRef,
): Promise<{ account: Account | undefined; graph: MailHost | undefined }> {
  const [stored, provider] = await Promise.all([accounts.get(ref), providers.get(ref.providerId)]);
  const preset = provider && presetNamed(provider.preset, config, provider.cloud);
  return { account: stored?.account, graph: preset?.graph };
}
