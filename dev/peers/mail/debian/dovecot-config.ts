import { exchangeCapabilities, type PracticeMailbox, standardFolders } from '../mail-world.ts';

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
  readonly mailboxes: readonly PracticeMailbox[];
}

const loopback = '127.0.0.1';

/** The files Dovecot is started with, by path relative to `etc`. */
export function dovecotFiles(plan: DovecotPlan): Map<string, string> {
  const files = new Map<string, string>();
  const grants = [...sharedGrants(plan.mailboxes)];
  files.set('own.oauth2', tokenRule(plan, { upn: undefined, opens: '%Lu' }));
  for (const [index, grant] of grants.entries()) {
    files.set(`shared-${index}.oauth2`, tokenRule(plan, { upn: grant.delegate, opens: grant.mailbox }));
  }
  files.set('users', users(plan));
  const rules = ['own.oauth2', ...grants.map((_grant, index) => `shared-${index}.oauth2`)];
  files.set('dovecot.conf', mainConfig(plan, rules));
  return files;
}

function* sharedGrants(mailboxes: readonly PracticeMailbox[]) {
  for (const { address, delegates = [] } of mailboxes) {
    for (const delegate of delegates) {
      yield { mailbox: address.toLowerCase(), delegate: delegate.toLowerCase() };
    }
  }
}

/**
 * One rule a grant: Dovecot compares `username_format` with the user who signs in. For the owner it is the
 * token's own name; for a delegate it is the shared mailbox as a constant, and the claim `upn` must be the
 * delegate's (`active_attribute`).
 */
function tokenRule(plan: DovecotPlan, grant: { upn: string | undefined; opens: string }): string {
  const lines = [
    'introspection_mode = local',
    `local_validation_key_dict = fs:posix:prefix=${plan.etc}/keys/`,
    `issuers = ${plan.issuer}`,
    'username_attribute = upn',
    `username_format = ${grant.opens}`,
  ];
  if (grant.upn !== undefined) lines.push('active_attribute = upn', `active_value = ${grant.upn}`);
  return `${lines.join('\n')}\n`;
}

function users(plan: DovecotPlan): string {
  return plan.mailboxes
    .map(({ address }) => address.toLowerCase())
    .map((address) => `${address}::${plan.uid}:${plan.gid}::${plan.mail}/${address}::\n`)
    .join('');
}

function mainConfig(plan: DovecotPlan, rules: readonly string[]): string {
  const { etc, run, log, ports } = plan;
  return `instance_name = postroom-${ports.imap}
base_dir = ${run}
state_dir = ${etc}
protocols = imap pop3 lmtp
listen = ${loopback}
log_path = ${log}/dovecot.log
auth_verbose = yes
hostname = mail.contoso.example
login_greeting = The practice mail service is ready.

ssl = required
ssl_cert = <${etc}/server.pem
ssl_key = <${etc}/server.key

auth_mechanisms = xoauth2
# A refused sign-in must not slow the next one: tests refuse many.
auth_failure_delay = 0
auth_cache_size = 0
${rules.map((file) => block('passdb', ['driver = oauth2', 'mechanisms = xoauth2', `args = ${etc}/${file}`])).join('\n')}
${block('userdb', ['driver = passwd-file', `args = username_format=%Lu ${etc}/users`])}

imap_capability = ${exchangeCapabilities.join(' ')}
pop3_uidl_format = %v-%u
mail_location = maildir:~/Maildir
# The kernel keeps what a killed process wrote; only a power cut could lose mail, and this is practice mail.
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
