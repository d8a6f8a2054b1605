import { defaultHandling, handlings, type SetClass, setClasses } from '../message-class/message-class.ts';
import { type ReadingProtocol, readingProtocols } from '../providers/presets.ts';
import { afterFetchKinds, afterFetchProblem } from './after-fetch.ts';
import {
  isSameFolder,
  type Mailbox,
  type MailLogin,
  type Sending,
  type SendingProtocol,
  type SendingWay,
  sendingProtocols,
} from './mailbox.ts';

/** The protocols of a mailbox: one that reads, and one that sends. */
export type MailProtocol = ReadingProtocol | SendingProtocol;

/** Every way to read or send. */
export type MailWay = ReadingProtocol | SendingWay;

/** What the form needs to know about a chosen account. */
export interface AccountRules {
  providerId: string;
  accountId: string;
  /**
   * The mail servers of its provider, the only ones that receive its tokens. Without `port`, the usual
   * ports are allowed.
   */
  hosts: Partial<Record<MailProtocol, { host: string; port?: number }>>;
  /** False when the sign-in did not include this permission. */
  granted: (protocol: MailProtocol) => boolean;
}

export interface MailboxFormRules {
  /** Undefined: there is no such account. */
  account: (value: string) => AccountRules | undefined;
  /** False: there is no SMTP relay that can be used, nor does the mailbox send over one already. */
  relay: boolean;
  /** Allows other ports than those of mail over TLS; only on a developer's machine. */
  anyPort: boolean;
  isMailAddress: (text: string) => boolean;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The answers have a form of their own (`answer-settings.ts`). */
export type MailboxSettings = Omit<Mailbox, 'id' | 'enabled' | 'createdAt' | 'answers'>;
export type MailboxFormResult =
  | { kind: 'valid'; settings: MailboxSettings }
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

const MINUTES_A_DAY = 1440;

/** The names of the protocols, and the allowed ports: implicit TLS, or STARTTLS for 587. */
export const mailProtocols = {
  imap: { name: 'IMAP', ports: [993] },
  pop3: { name: 'POP3', ports: [995] },
  graph: { name: 'Microsoft Graph', ports: [443] },
  smtp: { name: 'SMTP', ports: [587, 465] },
  'graph-send': { name: 'Microsoft Graph', ports: [443] },
} as const;

export const nameOfWay = (way: MailWay): string => (way === 'relay' ? 'SMTP relay' : mailProtocols[way].name);

/** Chosen in place of an account: the SMTP relay, which needs none. */
export const RELAY_CHOICE = 'relay';

/** The form fields of a login. */
export const loginFields = {
  reading: { account: 'account', host: 'host', port: 'port' },
  sending: { account: 'smtpAccount', host: 'smtpHost', port: 'smtpPort' },
} as const;
export const isSending = (protocol: MailWay): protocol is SendingWay =>
  protocol === 'relay' || sendingProtocols.some((one) => one === protocol);
const fieldsOf = (protocol: MailProtocol) => loginFields[isSending(protocol) ? 'sending' : 'reading'];

type Typed = (name: string) => string;
type Errors = Record<string, string>;

/**
 * Validates the mailbox form. Pure. Sending is optional: choose neither an account nor the relay. An empty host or port means the
 * provider's.
 */
export function parseMailboxForm(
  typed: Readonly<Record<string, string>>,
  rules: MailboxFormRules,
): MailboxFormResult {
  const errors: Errors = {};
  const field: Typed = (name) => (typed[name] ?? '').trim();

  const address = field('address');
  if (!rules.isMailAddress(address))
    errors['address'] = 'Enter the address of the mailbox, for example support@example.org.';
  const protocol = readingProtocols.find((one) => one === (field('protocol') || 'imap'));
  if (protocol === undefined) errors['protocol'] = 'Choose one of the list.';
  const reading = protocol && loginOf(protocol, field, rules, errors);
  const sending = field(loginFields.sending.account) === '' ? undefined : sendingOf(field, rules, errors);

  const folder = field('folder');
  const folderWrong = folderProblem(folder);
  if (folderWrong !== undefined) errors['folder'] = folderWrong;

  const afterFetch = afterFetchOf(field, folder, protocol, errors);
  const fetchSince = field('first') === 'since' ? fetchSinceOf(field('since'), rules.now, errors) : undefined;
  const classes = classesOf(field, errors);
  const intervalMinutes = Number(field('interval'));
  if (!Number.isInteger(intervalMinutes) || intervalMinutes < 1 || intervalMinutes > MINUTES_A_DAY)
    errors['interval'] = 'Enter a number of minutes from 1 to 1440.';

  const colleaguesJoin = field('colleaguesJoin') !== '' || undefined;

  if (protocol === undefined || reading === undefined || Object.keys(errors).length > 0)
    return { kind: 'invalid', errors };
  return {
    kind: 'valid',
    settings: {
      address,
      protocol,
      ...reading,
      folder,
      intervalMinutes,
      afterFetch,
      colleaguesJoin,
      // Only new mailboxes have this field. Without it, the value does not change.
      ...('first' in typed && { fetchSince }),
      classes,
      sending,
    },
  };
}

function sendingOf(field: Typed, rules: MailboxFormRules, errors: Errors): Sending | undefined {
  if (field(loginFields.sending.account) === RELAY_CHOICE) {
    if (rules.relay) return { protocol: 'relay' };
    errors[loginFields.sending.account] = 'There is no SMTP relay. Set it up first.';
    return undefined;
  }
  const protocol = sendingProtocols.find((one) => one === (field('sendingProtocol') || 'smtp'));
  if (protocol === undefined) {
    errors['sendingProtocol'] = 'Choose one of the list.';
    return undefined;
  }
  const login = loginOf(protocol, field, rules, errors);
  return login && (protocol === 'smtp' ? login : { ...login, protocol });
}

function loginOf(
  protocol: MailProtocol,
  field: Typed,
  rules: MailboxFormRules,
  errors: Errors,
): MailLogin | undefined {
  const names = { ...fieldsOf(protocol), ...mailProtocols[protocol] };
  const account = rules.account(field(names.account));
  if (account === undefined) errors[names.account] = 'Choose the account that signs in.';
  else if (!account.granted(protocol))
    errors[names.account] =
      `${names.name} was not granted to this account. Reconnect it, or choose another one.`;

  const bound = account?.hosts[protocol];
  const host = field(names.host).toLowerCase() || (bound?.host ?? '');
  const hostWrong = hostProblemOf(host, protocol, account, bound);
  if (hostWrong !== undefined) errors[names.host] = hostWrong;
  const port = field(names.port) === '' ? (bound?.port ?? names.ports[0]) : Number(field(names.port));
  const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535;
  if (!isPort || (!rules.anyPort && !portsOf(protocol, bound).includes(port)))
    errors[names.port] = `Enter ${portsInWords(protocol, bound)}.`;
  if (account === undefined) return undefined;
  return { host, port, providerId: account.providerId, accountId: account.accountId };
}

/** The allowed ports of a protocol at a server: its own, or those with TLS. Pure. */
export const portsOf = (protocol: MailProtocol, bound: { port?: number } | undefined): readonly number[] =>
  bound?.port === undefined ? mailProtocols[protocol].ports : [bound.port];

/** The same as text for hints and errors: "587 or 465". Pure. */
export const portsInWords = (protocol: MailProtocol, bound: { port?: number } | undefined): string =>
  portsOf(protocol, bound).join(' or ');

/** A token may only be sent to its provider's servers (RFC 9700 section 4.9). */
function hostProblemOf(
  host: string,
  protocol: MailProtocol,
  account: AccountRules | undefined,
  bound: { host: string } | undefined,
): string | undefined {
  if (account === undefined) return host === '' ? 'Enter the name of the mail server.' : undefined;
  if (bound === undefined)
    return `This provider has no ${mailProtocols[protocol].name} server. Add one to the provider first.`;
  return host === bound.host.toLowerCase() ? undefined : `This provider only allows ${bound.host}.`;
}

function folderProblem(folder: string): string | undefined {
  if (folder === '') return 'Enter the folder, usually INBOX.';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters end an IMAP command
  return folder.length > 255 || /[\u0000-\u001f\u007f]/.test(folder)
    ? 'Enter the folder’s name as the mailbox shows it.'
    : undefined;
}

/** The form field name of a class. */
export const classField = (messageClass: SetClass): string => `class-${messageClass}`;

/** Only the deviations from the defaults, so that a mailbox follows the defaults otherwise. */
function classesOf(field: Typed, errors: Errors): Mailbox['classes'] {
  const chosen = setClasses.flatMap((one) => {
    const typed = field(classField(one));
    const handling = handlings.find((each) => each === typed);
    if (typed !== '' && handling === undefined) errors[classField(one)] = 'Choose one of the list.';
    return handling === undefined || handling === defaultHandling[one] ? [] : [[one, handling] as const];
  });
  return chosen.length === 0 ? undefined : Object.fromEntries(chosen);
}

const EARLIEST = '1990-01-01';

function fetchSinceOf(typed: string, now: number, errors: Errors): string | undefined {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(typed) ? new Date(`${typed}T00:00:00.000Z`) : undefined;
  // JavaScript converts 30 February to a day in March.
  const isDay = at !== undefined && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(typed);
  if (!isDay) errors['since'] = 'Enter the first day to import email of.';
  else if (at.getTime() > now) errors['since'] = 'Enter a day that is not in the future.';
  else if (typed < EARLIEST) errors['since'] = 'Enter a day after 1990.';
  return typed;
}

const MOST_DAYS = 3650;

function afterFetchOf(
  field: Typed,
  folder: string,
  protocol: ReadingProtocol | undefined,
  errors: Errors,
): Mailbox['afterFetch'] {
  // Where nothing can be marked as read, the first choice of the form means: it stays as it is.
  const marks = protocol === undefined || afterFetchKinds[protocol].includes('mark-seen');
  const choice = !marks && ['', 'mark-seen'].includes(field('after')) ? 'leave' : field('after');
  const moveFolder = field('moveFolder');
  if (choice === 'delete' || choice === 'leave') return { kind: choice };
  if (choice === 'delete-later') {
    const days = Number(field('deleteDays'));
    if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS)
      errors['deleteDays'] = `Enter a number of days from 1 to ${MOST_DAYS}.`;
    return { kind: 'delete-later', days };
  }
  if (choice !== 'move') return { kind: 'mark-seen' };
  const move = { kind: 'move', folder: moveFolder } as const;
  const refused = protocol && afterFetchProblem({ protocol, afterFetch: move });
  if (refused !== undefined) errors['after'] = refused;
  const wrong =
    moveFolder === ''
      ? 'Enter the folder to move email to, for example Processed.'
      : folderProblem(moveFolder);
  if (wrong !== undefined) errors['moveFolder'] = wrong;
  else if (isSameFolder(moveFolder, folder))
    errors['moveFolder'] = 'Choose a different folder than the one to import from.';
  return move;
}
