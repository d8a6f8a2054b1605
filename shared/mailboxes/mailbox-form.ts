import type { Mailbox } from './mailbox.ts';

export interface MailboxFormRules {
  /** Hosts a token of the chosen provider may be sent to, with the port a new form proposes; undefined: any allowed one. */
  hosts: Partial<Record<Mailbox['protocol'], { host: string; port: number }>> | undefined;
  /** A sentence when a host may not be reached. */
  hostProblem: (host: string) => string | undefined;
  /** Other ports than the one of IMAP over TLS; on a developer's machine only. */
  anyPort: boolean;
  isMailAddress: (text: string) => boolean;
}

export type MailboxSettings = Omit<Mailbox, 'id' | 'enabled' | 'createdAt'>;
export type MailboxFormResult =
  | { kind: 'valid'; settings: MailboxSettings }
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

const IMAP_OVER_TLS = 993;
const MINUTES_A_DAY = 1440;

/** Checks what was typed for a mailbox. Pure. `account` comes as `providerId.accountId`. */
export function parseMailboxForm(
  typed: Readonly<Record<string, string>>,
  rules: MailboxFormRules,
): MailboxFormResult {
  const errors: Record<string, string> = {};
  const field = (name: string): string => (typed[name] ?? '').trim();

  const address = field('address');
  if (!rules.isMailAddress(address))
    errors['address'] = 'Enter the address of the mailbox, for example support@example.org.';
  const [providerId = '', accountId = ''] = field('account').split('.');
  if (providerId === '' || accountId === '') errors['account'] = 'Choose the account that signs in.';

  const host = field('host').toLowerCase();
  const bound = rules.hosts?.imap;
  const hostWrong = hostProblemOf(host, rules, bound?.host);
  if (hostWrong !== undefined) errors['host'] = hostWrong;
  const port = Number(field('port'));
  const portWrong = portProblem(port, rules.anyPort, [bound?.port, IMAP_OVER_TLS]);
  if (portWrong !== undefined) errors['port'] = portWrong;

  const folder = field('folder');
  const folderWrong = folderProblem(folder);
  if (folderWrong !== undefined) errors['folder'] = folderWrong;

  const after = afterFetchOf(field('after'), field('moveFolder'), folder, errors);
  const intervalMinutes = Number(field('interval'));
  if (!Number.isInteger(intervalMinutes) || intervalMinutes < 1 || intervalMinutes > MINUTES_A_DAY)
    errors['interval'] = 'Enter the minutes between two fetches, from 1 to 1440.';

  if (Object.keys(errors).length > 0) return { kind: 'invalid', errors };
  return {
    kind: 'valid',
    settings: {
      address,
      protocol: 'imap',
      host,
      port,
      folder,
      providerId,
      accountId,
      intervalMinutes,
      afterFetch: after,
    },
  };
}

/** A token may go to its provider's own servers only (RFC 9700 section 4.9). */
function hostProblemOf(host: string, rules: MailboxFormRules, bound: string | undefined): string | undefined {
  if (host === '') return 'Enter the name of the mail server.';
  if (rules.hosts === undefined) return rules.hostProblem(host);
  if (bound === undefined) return 'This provider has no IMAP server.';
  return host === bound.toLowerCase()
    ? undefined
    : `The sign-in of this provider may only be used at ${bound}.`;
}

function portProblem(
  port: number,
  any: boolean,
  allowed: readonly (number | undefined)[],
): string | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'Enter a port, usually 993.';
  return any || allowed.includes(port) ? undefined : 'Only the port for IMAP over TLS can be used: 993.';
}

function folderProblem(folder: string): string | undefined {
  if (folder === '') return 'Enter the folder, usually INBOX.';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters end an IMAP command
  return folder.length > 255 || /[\u0000-\u001f\u007f]/.test(folder)
    ? 'Enter the name of a folder as the mailbox shows it.'
    : undefined;
}

function afterFetchOf(
  choice: string,
  moveFolder: string,
  folder: string,
  errors: Record<string, string>,
): Mailbox['afterFetch'] {
  if (choice === 'delete') return { kind: 'delete' };
  if (choice !== 'move') return { kind: 'mark-seen' };
  const wrong = folderProblem(moveFolder);
  if (wrong !== undefined) errors['moveFolder'] = wrong;
  else if (moveFolder === folder)
    errors['moveFolder'] = 'Choose another folder than the one that is fetched.';
  return { kind: 'move', folder: moveFolder };
}
