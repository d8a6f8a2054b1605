import { exchangeCapabilities, type EmulatedMailbox, standardFolders } from '../mail-world.ts';

export interface DovecotPlan {
  /** Configuration, keys, logs. */
  readonly etc: string;
  /** Unix sockets: a short path, since `sun_path` holds 108 bytes. */
  readonly run: string;
  readonly log: string;
  readonly mail: string;
  readonly issuer: string;
  readonly uid: number;
  readonly gid: number;
  readonly ports: { readonly imap: number; readonly pop3: number; readonly lmtp: number };
  readonly mailboxes: readonly EmulatedMailbox[];
}

const loopback = '127.0.0.1';

/** The files Dovecot is started with, by path relative to `etc`. */
export function dovecotFiles(plan: DovecotPlan): Map<string, string> {
  const files = new Map<string, string>();
  files.set('own.oauth2', tokenRule(plan, { whose: 'upn', opens: '%Lu' }));
  const rules: Rule[] = [{ file: 'own.oauth2', mailbox: undefined }];
  for (const [index, grant] of [...grantsOf(plan.mailboxes)].entries()) {
    const file = `grant-${index}.oauth2`;
    files.set(file, tokenRule(plan, grant));
    rules.push({ file, mailbox: grant.opens });
  }
  files.set('users', users(plan));
  files.set('dovecot.conf', mainConfig(plan, rules));
  return files;
}

/** A file of rules, and the one mailbox that it is asked about. */
interface Rule {
  file: string;
  mailbox: string | undefined;
}

/** Who may open what. The claim `whose` has to be there, and `only`, when it is set, to have this value. */
interface Grant {
  whose: 'upn' | 'oid';
  opens: string;
  only?: { claim: 'upn' | 'idtyp'; is: string };
}

function* grantsOf(mailboxes: readonly EmulatedMailbox[]): Generator<Grant> {
  for (const { address, delegates = [], openToApps } of mailboxes) {
    const opens = address.toLowerCase();
    for (const delegate of delegates)
      yield { whose: 'upn', opens, only: { claim: 'upn', is: delegate.toLowerCase() } };
    // An app’s token has no name of a user. Every token says in `idtyp` whose it is; one without would pass here.
    if (openToApps !== false) yield { whose: 'oid', opens, only: { claim: 'idtyp', is: 'app' } };
  }
}

/**
 * One rule a grant: who signs in becomes `username_format`. For the owner that is the token's own name; for a
 * delegate or an app it is the mailbox as a constant, and a claim must be theirs (`active_attribute`).
 */
function tokenRule(plan: DovecotPlan, { whose, opens, only }: Grant): string {
  const lines = [
    'introspection_mode = local',
    `local_validation_key_dict = fs:posix:prefix=${plan.etc}/keys/`,
    `issuers = ${plan.issuer}`,
    `username_attribute = ${whose}`,
    `username_format = ${opens}`,
  ];
  if (only !== undefined) lines.push(`active_attribute = ${only.claim}`, `active_value = ${only.is}`);
  return `${lines.join('\n')}\n`;
}

/** A rule's constant name would let its holder in whatever mailbox was asked for: the filter says which one it is about. */
const passdbOf = ({ file, mailbox }: Rule, etc: string): string[] => [
  'driver = oauth2',
  'mechanisms = xoauth2',
  `args = ${etc}/${file}`,
  ...(mailbox === undefined ? [] : [`username_filter = ${mailbox}`]),
];

function users(plan: DovecotPlan): string {
  return plan.mailboxes
    .map(({ address }) => address.toLowerCase())
    .map((address) => `${address}::${plan.uid}:${plan.gid}::${plan.mail}/${address}::\n`)
    .join('');
}

function mainConfig(plan: DovecotPlan, rules: readonly Rule[]): string {
  const { etc, run, log, ports } = plan;
  return `instance_name = postroom-${ports.imap}
base_dir = ${run}
state_dir = ${etc}
protocols = imap pop3 lmtp
listen = ${loopback}
log_path = ${log}/dovecot.log
auth_verbose = yes
hostname = mail.contoso.example
login_greeting = The mail emulator is ready.

ssl = required
ssl_cert = <${etc}/server.pem
ssl_key = <${etc}/server.key

auth_mechanisms = xoauth2
# A refused sign-in must not slow the next one: tests refuse many.
auth_failure_delay = 0
auth_cache_size = 0
${rules.map((rule) => block('passdb', passdbOf(rule, etc))).join('\n')}
${block('userdb', ['driver = passwd-file', `args = username_format=%Lu ${etc}/users`])}

imap_capability = ${exchangeCapabilities.join(' ')}
pop3_uidl_format = %v-%u
mail_location = maildir:~/Maildir
# The kernel keeps what a killed process wrote; only a power cut could lose mail, and this is demo mail.
mail_fsync = never
mail_max_userip_connections = 200
first_valid_uid = 1
recipient_delimiter = +
namespace inbox {
  inbox = yes
  separator = /
${standardFolders.map((name) => `  mailbox "${name}" {\n    auto = subscribe\n  }`).join('\n')}
}
protocol lmtp {
  postmaster_address = postmaster@contoso.example
}

service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${ports.imap}
    ssl = yes
  }
  service_count = 0
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    port = ${ports.pop3}
    ssl = yes
  }
  service_count = 0
}
service lmtp {
  inet_listener lmtp {
    address = ${loopback}
    port = ${ports.lmtp}
  }
}
service imap {
  service_count = 50
}
service auth {
  unix_listener auth-postfix {
    mode = 0666
  }
}
# Without this a failed sign-in costs the next one from the same address several seconds.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
default_process_limit = 200
default_client_limit = 2000
`;
}

function block(name: string, settings: readonly string[]): string {
  return `${name} {\n${settings.map((setting) => `  ${setting}`).join('\n')}\n}`;
}
