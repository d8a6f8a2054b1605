import type { Account } from '../../../shared/accounts/account.ts';
import { grantedWays } from '../../../shared/accounts/account-resources.ts';
import { isMailAddress } from '../../../shared/consent/connect-form.ts';
import {
  type Mailbox,
  type MailLogin,
  sendingLoginOf,
  sendingProtocolOf,
  sendingProtocols,
} from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxAuthor } from '../../../shared/mailboxes/mailbox-entry.ts';
import {
  type AccountRules,
  loginFields,
  type MailboxFormResult,
  type MailProtocol,
  mailProtocols,
  parseMailboxForm,
  RELAY_CHOICE,
} from '../../../shared/mailboxes/mailbox-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import {
  type Preset,
  presetNamed,
  type ReadingProtocol,
  readingProtocols,
  traitsOf,
} from '../../../shared/providers/presets.ts';
import { mailServersOf, type Provider } from '../../../shared/providers/provider.ts';
import type { Services } from '../../services.ts';

/** An account that may sign in for a mailbox. */
export interface AccountChoice {
  /** `providerId.accountId` */
  value: string;
  label: string;
  account: Account;
  provider: Provider;
  /** Undefined for a demo provider without the demo. */
  preset: Preset | undefined;
  /** The servers that may receive its tokens. */
  servers: AccountRules['hosts'];
}

/** Every account of every provider, sorted by label. */
export async function accountChoices({ providers, accounts, config }: Services): Promise<AccountChoice[]> {
  const known = await providers.list();
  const choices = await Promise.all(
    known.map(async (provider) =>
      (await accounts.listOf(provider.id)).map((account) => choiceOf(config, provider, account)),
    ),
  );
  return choices.flat().toSorted((a, b) => a.label.localeCompare(b.label));
}

/** An account of this provider as a choice. Pure. */
export function choiceOf(config: Services['config'], provider: Provider, account: Account): AccountChoice {
  const preset = presetNamed(provider.preset, config, provider.cloud);
  return {
    value: `${account.providerId}.${account.accountId}`,
    label: `${account.user} (${provider.name})`,
    account,
    provider,
    preset,
    servers: {
      ...mailServersOf(provider, config),
      ...(preset?.graph && { graph: preset.graph, 'graph-send': preset.graph }),
    },
  };
}

/** The audit log names accounts as the form lists them. */
export const accountLabel =
  (choices: readonly AccountChoice[]): MailboxAuthor['accountName'] =>
  ({ providerId, accountId }) =>
    choices.find(({ value }) => value === `${providerId}.${accountId}`)?.label;

/**
 * False when mail permissions were granted but not this one. Unknown, and therefore true, for a custom
 * provider's scopes and for a response without mail scopes. What Exchange grants to an app is in no token: it
 * counts that a mailbox was opened with one.
 */
export function isGranted({ account, preset, provider }: AccountChoice, protocol: MailProtocol): boolean {
  const isOverGraph = protocol === 'graph' || protocol === 'graph-send';
  if (preset === undefined || traitsOf(provider).settingsFrom === 'admin') return !isOverGraph;
  const granted = grantedWays(account);
  if (account.kind === 'app' && isOverGraph) return account.graph !== undefined;
  if (account.kind === 'app' && granted.length === 0) return account.tokens.access !== undefined;
  return granted.length === 0 ? !isOverGraph : granted.includes(protocol);
}

/** The way to read that the account was granted, the usual one first. */
export const readingOf = (choice: AccountChoice): ReadingProtocol =>
  readingProtocols.find((protocol) => choice.servers[protocol] && isGranted(choice, protocol)) ?? 'imap';

/** The sign-in page of this account; for the account that fetches a mailbox, it reconnects the mailbox. */
export function signInAgainHref({ account, value }: AccountChoice, mailbox: Mailbox | undefined): string {
  const path = paths.connect({ id: account.providerId });
  return mailbox !== undefined && value === `${mailbox.providerId}.${mailbox.accountId}`
    ? `${path}?mailbox=${mailbox.id}`
    : `${path}?address=${encodeURIComponent(account.user)}`;
}

/** The proposed settings of a new mailbox of this account, with the provider's servers. */
export function proposedFields(chosen: AccountChoice): Record<string, string> {
  const sendingProtocol = sendingProtocols.find(
    (protocol) => chosen.servers[protocol] && isGranted(chosen, protocol),
  );
  return {
    address: chosen.account.address,
    account: chosen.value,
    protocol: readingOf(chosen),
    sendingProtocol: sendingProtocol ?? 'smtp',
    smtpAccount: sendingProtocol === undefined ? '' : chosen.value,
    folder: 'INBOX',
    after: 'mark-seen',
    deleteDays: '30',
    first: 'unread',
    since: '',
    interval: '1',
  };
}

/** The form fields of a stored mailbox. The server is empty where it is the provider's. */
export function fieldsOf(mailbox: Mailbox, choices: readonly AccountChoice[]): Record<string, string> {
  const { afterFetch, protocol } = mailbox;
  const sender = sendingLoginOf(mailbox);
  const sendingProtocol = sender === undefined ? 'smtp' : sendingProtocolOf(sender);
  const login = (
    names: (typeof loginFields)[keyof typeof loginFields],
    way: MailProtocol,
    value: MailLogin | undefined,
  ): Record<string, string> => {
    if (value === undefined) return { [names.account]: '' };
    const account = `${value.providerId}.${value.accountId}`;
    const server = choices.find((choice) => choice.value === account)?.servers[way];
    const usualPort = server?.port ?? mailProtocols[way].ports[0];
    return {
      [names.account]: account,
      [names.host]: value.host === server?.host ? '' : value.host,
      [names.port]: value.port === usualPort ? '' : String(value.port),
    };
  };
  return {
    address: mailbox.address,
    protocol,
    ...login(loginFields.reading, protocol, mailbox),
    sendingProtocol,
    ...login(loginFields.sending, sendingProtocol, sender),
    ...(mailbox.sending?.protocol === 'relay' && { [loginFields.sending.account]: RELAY_CHOICE }),
    folder: mailbox.folder,
    after: afterFetch.kind,
    moveFolder: afterFetch.kind === 'move' ? afterFetch.folder : '',
    deleteDays: afterFetch.kind === 'delete-later' ? String(afterFetch.days) : '30',
    first: mailbox.fetchSince === undefined ? 'unread' : 'since',
    since: mailbox.fetchSince ?? '',
    ...Object.fromEntries(
      Object.entries(mailbox.classes ?? {}).map(([one, handling]) => [`class-${one}`, handling]),
    ),
    interval: String(mailbox.intervalMinutes),
    colleaguesJoin: mailbox.colleaguesJoin === true ? 'on' : '',
  };
}

/**
 * Validates the mailbox form against the existing accounts, the hosts that may receive their tokens, and the relay.
 * @param before the stored mailbox, which keeps the relay whatever becomes of its address; undefined for a new one
 */
export async function readMailboxForm(
  { config, seam, channelSecrets }: Pick<Services, 'config' | 'seam' | 'channelSecrets'>,
  typed: Readonly<Record<string, string>>,
  choices: readonly AccountChoice[],
  before: Mailbox | undefined,
): Promise<MailboxFormResult> {
  const relay = before?.sending?.protocol === 'relay' || (await channelSecrets.read()).relay.kind === 'ready';
  return parseMailboxForm(typed, {
    account(value) {
      const choice = choices.find((one) => one.value === value);
      if (choice === undefined) return undefined;
      const { providerId, accountId } = choice.account;
      return {
        providerId,
        accountId,
        hosts: choice.servers,
        granted: (protocol) => isGranted(choice, protocol),
      };
    },
    relay,
    anyPort: config.local,
    isMailAddress,
    now: seam.now(),
  });
}
