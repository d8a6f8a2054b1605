import { type EmulatedMailbox, exchangeCapabilities } from '../mail-world.ts';
import { fillConfig } from './fill-config.ts';

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

/** Dovecot's configuration files, by path relative to `etc`. */
export function dovecotFiles(plan: DovecotPlan): Map<string, string> {
  const { etc, run, log, ports, issuer } = plan;
  const files = new Map<string, string>();
  const passdbs: string[] = [];
  for (const [index, { nameClaim, opens, only, mailbox }] of [...grantsOf(plan.mailboxes)].entries()) {
    const file = `grant-${index}.oauth2`;
    const filter = { onlyClaim: only?.claim ?? '', onlyValue: only?.is ?? '' };
    files.set(file, fillConfig('token-rule.conf', { etc, issuer, nameClaim, opens, ...filter }));
    passdbs.push(fillConfig('passdb.conf', { etc, file, mailbox: mailbox ?? '' }));
  }
  files.set('users', users(plan));
  const capabilities = exchangeCapabilities.join(' ');
  const { imap: imapPort, pop3: pop3Port, lmtp: lmtpPort } = ports;
  files.set(
    'dovecot.conf',
    fillConfig('dovecot.conf', {
      ...{ etc, run, log, imapPort, pop3Port, lmtpPort, capabilities },
      passdbs: passdbs.join(''),
    }),
  );
  return files;
}

/** An access rule. The claim `nameClaim` must exist and, if `only` is set, have this value. */
interface Grant {
  nameClaim: 'upn' | 'oid';
  opens: string;
  only?: { claim: 'upn' | 'idtyp'; is: string };
  /** The one mailbox of the rule; absent: all. */
  mailbox?: string;
}

function* grantsOf(mailboxes: readonly EmulatedMailbox[]): Generator<Grant> {
  // Each user's own mailbox: `%Lu` is the name in the token, in lower case.
  yield { nameClaim: 'upn', opens: '%Lu' };
  for (const { address, delegates = [], openToApps } of mailboxes) {
    const opens = address.toLowerCase();
    for (const delegate of delegates)
      yield {
        ...{ nameClaim: 'upn', opens, mailbox: opens },
        only: { claim: 'upn', is: delegate.toLowerCase() },
      };
    // An app’s token has no user name. Every token states its kind in `idtyp`; one without it would pass
    // here.
    if (openToApps !== false)
      yield { nameClaim: 'oid', opens, mailbox: opens, only: { claim: 'idtyp', is: 'app' } };
  }
}

/** A table for `passwd-file`: one line a mailbox. */
function users(plan: DovecotPlan): string {
  return plan.mailboxes
    .map(({ address }) => address.toLowerCase())
    .map((address) => `${address}::${plan.uid}:${plan.gid}::${plan.mail}/${address}::\n`)
    .join('');
}
