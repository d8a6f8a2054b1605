import type { Account, AccountRef } from '../../../shared/accounts/account.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import { inDemoWords } from '../../../shared/explanations/demo-words.ts';
import { explainText } from '../../../shared/explanations/explain.ts';
import type { ExplainContext, Explanation } from '../../../shared/explanations/explanation.ts';
import type { Mailbox, MailboxHealth } from '../../../shared/mailboxes/mailbox.ts';
import type { Config } from '../../../shared/platform/config.ts';
import { isOfDemo, type Provider } from '../../../shared/providers/provider.ts';
import type { Services } from '../../services.ts';

export type Registration = Pick<Provider, 'cloud' | 'tenant' | 'clientId' | 'preflight'>;

/** What the page knows about an error's subject. */
interface Ids {
  provider: Registration | undefined;
  redirectUri: string | undefined;
  /** Address of the mailbox. */
  mailbox?: string | undefined;
  account?: Pick<Account, 'kind' | 'identity' | 'user'> | undefined;
}

interface About extends Ids {
  config: Pick<Config, 'demo'>;
  provider: (Registration & Pick<Provider, 'preset'>) | undefined;
}

/** The values for explanations and their links: this app, mailbox, account and cloud. */
export function explainContext({ config, ...ids }: About): ExplainContext {
  return { ...idsOf(ids), demo: isOfDemo(config, ids.provider) };
}

/** Only the ids, for a link to a portal. */
export function idsOf({ provider, redirectUri, mailbox, account }: Ids): ExplainContext {
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
    return explainContext({
      config,
      provider: undefined,
      redirectUri: redirectUriOf(config, undefined),
      mailbox,
    });
  const { providerId, accountId } = login;
  const [provider, stored] = await Promise.all([
    providers.get(providerId),
    accounts.get({ providerId, accountId }),
  ]);
  const redirectUri = redirectUriOf(config, provider);
  return explainContext({ config, provider, redirectUri, mailbox, account: stored?.account });
}

/** Explains a mailbox's failure for the account that signs in; links lead to their own pages. */
export async function explainForMailbox(
  known: Known,
  mailbox: string,
  login: AccountRef | undefined,
  text: string,
): Promise<Explanation> {
  return explainText({ text, context: await contextOfLogin(known, mailbox, login) });
}

/** A server's message or a stored problem, as a page shows it. */
export const messageHere = (
  config: Pick<Config, 'demo'>,
  provider: Pick<Provider, 'preset'> | undefined,
  words: string,
): string => (isOfDemo(config, provider) ? inDemoWords(words) : words);

/** The stored health, with each problem reworded for the demo where it applies. */
export function healthHere(
  config: Pick<Config, 'demo'>,
  mailboxes: readonly Mailbox[],
  health: ReadonlyMap<string, MailboxHealth>,
  providers: readonly Provider[],
): ReadonlyMap<string, MailboxHealth> {
  const providerOf = (id: string): Provider | undefined => {
    const mailbox = mailboxes.find((one) => one.id === id);
    return providers.find((one) => one.id === mailbox?.providerId);
  };
  return new Map(
    [...health].map(([id, one]) => [
      id,
      one.problem === undefined ? one : { ...one, problem: messageHere(config, providerOf(id), one.problem) },
    ]),
  );
}

/** Explains a preflight's failure for this registration. */
export function explainFor(
  config: Pick<Config, 'demo'>,
  provider: Provider,
  evidence: string,
  redirectUri: string,
): Explanation {
  return explainText({ text: evidence, context: explainContext({ config, provider, redirectUri }) });
}
