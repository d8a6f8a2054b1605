import type { Account, AccountRef } from '../../shared/accounts/account.ts';
import { redirectUriOf } from '../../shared/consent/start-consent.ts';
import { explain } from '../../shared/explanations/explain.ts';
import type { ExplainContext, Explanation } from '../../shared/explanations/explanation.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import type { Services } from '../services.ts';

export type Registration = Pick<Provider, 'cloud' | 'tenant' | 'clientId' | 'preflight'>;

/** What an error is about, as far as the page knows. */
interface About {
  provider: Registration | undefined;
  redirectUri: string | undefined;
  /** Address of the mailbox. */
  mailbox?: string | undefined;
  account?: Pick<Account, 'kind' | 'identity' | 'user'> | undefined;
}

/** With what explanations are filled, and whose pages their links lead to: this very app, mailbox, account and cloud. */
export function explainContext({ provider, redirectUri, mailbox, account }: About): ExplainContext {
  const isApp = account?.kind === 'app';
  const objectId = account?.identity.objectId;
  const userId = isApp ? undefined : objectId;
  const isOwn = account !== undefined && account.user.toLowerCase() === mailbox?.toLowerCase();
  return {
    clientId: provider === undefined || provider.clientId === '' ? undefined : provider.clientId,
    tenant: provider?.tenant,
    cloud: provider?.cloud,
    objectId: (isApp ? objectId : undefined) ?? provider?.preflight?.enterpriseId,
    userId,
    mailboxId: isOwn ? userId : undefined,
    mailbox,
    redirectUri,
  };
}

type Known = Pick<Services, 'config' | 'providers' | 'accounts'>;

/** The same for a mailbox and the account with which one of its protocols signs in. */
export async function contextOfLogin(
  { config, providers, accounts }: Known,
  mailbox: string,
  login: AccountRef | undefined,
): Promise<ExplainContext> {
  if (login === undefined)
    return explainContext({ provider: undefined, redirectUri: redirectUriOf(config, undefined), mailbox });
  const { providerId, accountId } = login;
  const [provider, stored] = await Promise.all([
    providers.get(providerId),
    accounts.get({ providerId, accountId }),
  ]);
  const redirectUri = redirectUriOf(config, provider);
  return explainContext({ provider, redirectUri, mailbox, account: stored?.account });
}

/** What went wrong with a mailbox for who signs in there; its links lead to their own pages. */
export async function explainForMailbox(
  known: Known,
  mailbox: string,
  login: AccountRef | undefined,
  text: string,
): Promise<Explanation> {
  return explain({ text, context: await contextOfLogin(known, mailbox, login) });
}

/** What a preflight was told, explained for this registration. */
export function explainFor(provider: Provider, evidence: string, redirectUri: string): Explanation {
  return explain({ text: evidence, context: explainContext({ provider, redirectUri }) });
}
