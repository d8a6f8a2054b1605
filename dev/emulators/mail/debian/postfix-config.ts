import type { EmulatedMailbox } from '../mail-world.ts';

export interface PostfixPlan {
  readonly etc: string;
  readonly queue: string;
  readonly data: string;
  readonly log: string;
  /** Dovecot's socket for sign-ins. */
  readonly authSocket: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ports: { readonly smtp: number; readonly drop: number; readonly lmtp: number };
  readonly mailboxes: readonly EmulatedMailbox[];
}

/** The files Postfix is started with, by path relative to `etc`. */
export function postfixFiles(plan: PostfixPlan): Map<string, string> {
  return new Map([
    ['main.cf', mainConfig(plan)],
    ['master.cf', services(plan)],
    ['mailboxes', plan.mailboxes.map(({ address }) => `${address} ${address}\n`.toLowerCase()).join('')],
  ]);
}

function mainConfig(plan: PostfixPlan): string {
  const domains = new Set(plan.mailboxes.map(({ address }) => address.slice(address.indexOf('@') + 1)));
  const dovecot = `lmtp:inet:127.0.0.1:${plan.ports.lmtp}`;
  return `compatibility_level = 3.6
queue_directory = ${plan.queue}
data_directory = ${plan.data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${plan.log}/postfix.log
maillog_file_prefixes = ${plan.log}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.contoso.example
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
lmtp_host_lookup = native
smtpd_peername_lookup = no
tls_random_source = dev:/dev/urandom

# The demo domains have the demo mailboxes and no others (550 at RCPT). Everything else goes to
# Dovecot too, which knows nobody outside: Postfix then sends a real bounce.
virtual_mailbox_domains = ${[...domains].join(' ').toLowerCase()}
virtual_mailbox_maps = texthash:${plan.etc}/mailboxes
virtual_transport = ${dovecot}
default_transport = ${dovecot}
always_add_missing_headers = yes

smtpd_banner = mail.contoso.example ESMTP mail server emulator
smtpd_tls_cert_file = ${plan.certFile}
smtpd_tls_key_file = ${plan.keyFile}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${plan.authSocket}
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_sender_login_maps = texthash:${plan.etc}/mailboxes
smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
# An access token of 2.5 kB makes an AUTH line of 3.5 kB; the default of 2,048 would refuse it.
line_length_limit = 16384
# 100 MB and room for base64.
message_size_limit = 157286400
virtual_mailbox_limit = 0
mailbox_size_limit = 0
`;
}

/** `drop` takes mail without a sign-in, for the demo mailboxes only. */
function services(plan: PostfixPlan): string {
  const drop = [
    'smtpd_sasl_auth_enable=no',
    'smtpd_tls_security_level=none',
    'smtpd_client_restrictions=',
    'smtpd_sender_restrictions=',
    'smtpd_relay_restrictions=reject_unauth_destination',
    'smtpd_recipient_restrictions=reject_unlisted_recipient,reject_unauth_destination',
  ];
  return `127.0.0.1:${plan.ports.smtp} inet n - n - - smtpd
127.0.0.1:${plan.ports.drop} inet n - n - - smtpd
${drop.map((setting) => `  -o ${setting}`).join('\n')}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
flush unix n - n 1000? 0 flush
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
`;
}
