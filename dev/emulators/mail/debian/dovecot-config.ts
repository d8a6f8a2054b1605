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

/** The files Dovecot is started with, by path relative to `etc`. */
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

/** Who may open what. The claim `nameClaim` has to be there, and `only`, when it is set, to have this value. */
interface Grant {
  nameClaim: 'upn' | 'oid';
  opens: string;
  only?: { claim: 'upn' | 'idtyp'; is: string };
  /** The one mailbox that the rule is asked about; absent: every one. */
  mailbox?: string;
}

function* grantsOf(mailboxes: readonly EmulatedMailbox[]): Generator<Grant> {
  // Everybody's own mailbox: `%Lu` is the name in the token, in small letters.
  yield { nameClaim: 'upn', opens: '%Lu' };
  for (const { address, delegates = [], openToApps } of mailboxes) {
    const opens = address.toLowerCase();
    for (const delegate of delegates)
      yield {
        ...{ nameClaim: 'upn', opens, mailbox: opens },
        only: { claim: 'upn', is: delegate.toLowerCase() },
      };
    // An app’s token has no name of a user. Every token says in `idtyp` whose it is; one without would pass here.
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
