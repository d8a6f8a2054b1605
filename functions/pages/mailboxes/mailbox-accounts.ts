import type { Account } from '../../../shared/accounts/account.ts';
import { isMailAddress } from '../../../shared/consent/connect-form.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import {
  loginFields,
  type MailboxFormResult,
  type MailProtocol,
  parseMailboxForm,
} from '../../../shared/mailboxes/mailbox-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { type Preset, presetNamed } from '../../../shared/providers/presets.ts';
import { type MailServers, mailServersOf, type Provider } from '../../../shared/providers/provider.ts';
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
  /** The mail servers that may receive its tokens. */
  servers: MailServers;
}

/** Every account of every provider, sorted by label. */
export async function accountChoices({ providers, accounts, config }: Services): Promise<AccountChoice[]> {
  const known = await providers.list();
  const choices = await Promise.all(
    known.map(async (provider) => {
      const preset = presetNamed(provider.preset, config, provider.cloud);
      const servers = mailServersOf(provider, config);
      return (await accounts.listOf(provider.id)).map((account) => ({
        value: `${account.providerId}.${account.accountId}`,
        label: `${account.user} (${provider.name})`,
        account,
        provider,
        preset,
        servers,
      }));
    }),
  );
  return choices.flat().toSorted((a, b) => a.label.localeCompare(b.label));
}

const permissionOf = (scope: string): string => scope.toLowerCase().replace(/^.*\//, '');

/**
 * False when mail permissions were granted but not this one. Unknown, and therefore true, for a custom
 * provider's scopes and for a response without mail scopes.
 */
export function isGranted({ account, preset }: AccountChoice, protocol: MailProtocol): boolean {
  const all = new Set((preset?.mailScopes(['imap', 'pop3', 'smtp']) ?? []).map(permissionOf));
  const brought = account.scopes.map(permissionOf);
  if (!brought.some((permission) => all.has(permission))) return true;
  return (preset?.mailScopes([protocol]) ?? []).every((scope) => brought.includes(permissionOf(scope)));
}

/** The sign-in page of this account; for the account that fetches a mailbox, it reconnects the mailbox. */
export function signInAgainHref({ account, value }: AccountChoice, mailbox: Mailbox | undefined): string {
  const path = paths.connect({ id: account.providerId });
  return mailbox !== undefined && value === `${mailbox.providerId}.${mailbox.accountId}`
    ? `${path}?mailbox=${mailbox.id}`
    : `${path}?address=${encodeURIComponent(account.user)}`;
}

/** The proposed settings of a new mailbox of this account, with the provider's servers. */
export function proposedFields(chosen: AccountChoice): Record<string, string> {
  const sends = chosen.servers.smtp !== undefined && isGranted(chosen, 'smtp');
  return {
    address: chosen.account.address,
    account: chosen.value,
    ...serverFields(chosen, 'imap'),
    smtpAccount: sends ? chosen.value : '',
    ...serverFields(chosen, 'smtp'),
    pop3Account: '',
    ...serverFields(chosen, 'pop3'),
    folder: 'INBOX',
    after: 'mark-seen',
    deleteDays: '30',
    first: 'unread',
    since: '',
    interval: '1',
  };
}

function serverFields({ servers }: AccountChoice, protocol: MailProtocol): Record<string, string> {
  const { host, port, ports } = loginFields[protocol];
  const server = servers[protocol];
  return { [host]: server?.host ?? '', [port]: String(server?.port ?? ports[0]) };
}

/** The form fields of a stored mailbox. */
export function fieldsOf(mailbox: Mailbox): Record<string, string> {
  const { afterFetch, pop3, sending } = mailbox;
  const login = (protocol: MailProtocol, value: Mailbox | Mailbox['pop3']): Record<string, string> => {
    const { account, host, port } = loginFields[protocol];
    return value === undefined
      ? { [account]: '' }
      : {
          [account]: `${value.providerId}.${value.accountId}`,
          [host]: value.host,
          [port]: String(value.port),
        };
  };
  return {
    address: mailbox.address,
    ...login('imap', mailbox),
    ...login('pop3', pop3),
    ...login('smtp', sending),
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
 * Validates the mailbox form against the existing accounts and the hosts that may receive their tokens.
 */
export function readMailboxForm(
  { config, seam }: Pick<Services, 'config' | 'seam'>,
  typed: Readonly<Record<string, string>>,
  choices: readonly AccountChoice[],
): MailboxFormResult {
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
    anyPort: config.local,
    isMailAddress,
    now: seam.now(),
  });
}
