import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { answersWithin, freePort } from '../free-port.ts';
import { destinationOf, type MailServer, type MailServerOptions } from '../mail-world.ts';
import { Daemon, endLeftover } from './daemon.ts';
import { dovecotFiles } from './dovecot-config.ts';
import { MaildirDelivery } from './maildir.ts';
import { maildirMailbox } from './maildir-mailbox.ts';
import { postfixFiles } from './postfix-config.ts';

const host = '127.0.0.1';
const startTimeout = 15_000;

/**
 * Debian's Dovecot (IMAP, POP3, LMTP) and Postfix (submission, bounces), private to one state folder.
 * Requires root because Postfix does. Tokens are verified by the key only, without their scope (Dovecot
 * reads the claim `scope`, Entra writes `scp`).
 */
export async function startDebianServer(options: MailServerOptions): Promise<MailServer> {
  const stateDir = path.resolve(options.stateDir);
  const mailUser = systemUser('mail');
  const places = makePlaces(stateDir);
  checkReachable(places.mail, mailUser);
  chownSync(places.mail, mailUser.uid, mailUser.gid);
  await endLeftover(path.join(places.run, 'master.pid'), places.etc);
  await endLeftover(path.join(places.queue, 'pid', 'master.pid'), places.postfixEtc);

  const wanted = options.ports ?? {};
  const ports = {
    imap: wanted.imap || (await freePort()),
    pop3: wanted.pop3 || (await freePort()),
    smtp: wanted.smtp || (await freePort()),
    drop: wanted.drop || (await freePort()),
    lmtp: wanted.lmtp || (await freePort()),
  };
  for (const [name, port] of Object.entries(ports)) {
    if (!(await answersWithin(port, 0))) continue;
    rmSync(places.run, { recursive: true, force: true });
    throw new Error(`The mail server cannot listen on port ${port} (${name}); free it or choose another.`);
  }
  const delivery = new MaildirDelivery(places.mail, mailUser);
  for (const { address } of options.mailboxes) delivery.prepare(address.toLowerCase());

  writeFiles(places.etc, certificateAndKey(options));
  writeFiles(
    places.etc,
    dovecotFiles({ ...places, ...mailUser, ports, issuer: options.issuer, mailboxes: options.mailboxes }),
  );
  writeFiles(
    places.postfixEtc,
    postfixFiles({
      etc: places.postfixEtc,
      queue: places.queue,
      data: places.data,
      log: places.log,
      authSocket: path.join(places.run, 'auth-postfix'),
      certFile: path.join(places.etc, 'server.pem'),
      keyFile: path.join(places.etc, 'server.key'),
      ports,
      mailboxes: options.mailboxes,
      catchAll: options.catchAll,
    }),
  );
  preparePostfix(places);

  const output = path.join(places.log, 'start.log');
  const dovecot = new Daemon(
    'Dovecot',
    ['/usr/sbin/dovecot', '-F', '-c', path.join(places.etc, 'dovecot.conf')],
    output,
    daemonEnvironment,
  );
  const postfix = new Daemon(
    'Postfix',
    ['/usr/lib/postfix/sbin/master', '-d', '-c', places.postfixEtc],
    output,
    {
      ...daemonEnvironment,
      MAIL_CONFIG: places.postfixEtc,
    },
  );
  const stop = async () => {
    await Promise.all([postfix.stop(), dovecot.stop()]);
    rmSync(places.run, { recursive: true, force: true });
  };
  for (const [name, port] of Object.entries(ports)) {
    if (await answersWithin(port, startTimeout)) continue;
    const state = `${dovecot.describe()}, ${postfix.describe()}`;
    await stop();
    throw new Error(
      `The mail server's port ${port} (${name}) does not answer: ${state}. See the logs in ${places.log}.`,
    );
  }

  const known = new Set(options.mailboxes.map(({ address }) => address.toLowerCase()));
  const deliverMany = async (address: string, raws: readonly Uint8Array[], receivedAt?: Date) => {
    const mailbox = address.toLowerCase();
    if (!known.has(mailbox)) throw new Error(`No demo mailbox ${mailbox}; name it in \`mailboxes\` first.`);
    await delivery.deliver(mailbox, raws, receivedAt);
  };
  return {
    kind: 'debian',
    imap: { host, port: ports.imap },
    pop3: { host, port: ports.pop3 },
    smtp: { host, port: ports.smtp },
    drop: { host, port: ports.drop },
    deliver: (address, raw, receivedAt) => deliverMany(address, [raw], receivedAt),
    deliverMany: (address, raws) => deliverMany(address, raws),
    destinationOf: (address) => destinationOf(address, { mailboxes: known, catchAll: options.catchAll }),
    mailbox(address) {
      const mailbox = address.toLowerCase();
      return known.has(mailbox) ? maildirMailbox(mailbox, places.mail, delivery) : undefined;
    },
    stop,
  };
}

/** Our environment (proxies, keys, Node options) does not reach the daemons. */
const daemonEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

type Places = ReturnType<typeof makePlaces>;

function makePlaces(stateDir: string) {
  const short = createHash('sha256').update(stateDir).digest('hex').slice(0, 10);
  const temporary = tmpdir().length <= 40 ? tmpdir() : '/tmp';
  const places = {
    etc: path.join(stateDir, 'dovecot'),
    mail: path.join(stateDir, 'mail'),
    log: path.join(stateDir, 'log'),
    postfixEtc: path.join(stateDir, 'postfix'),
    queue: path.join(stateDir, 'queue'),
    data: path.join(stateDir, 'postfix-data'),
    run: path.join(temporary, `postroom-${short}`),
  };
  mkdirSync(stateDir, { recursive: true });
  // Dovecot and Postfix drop root and must still reach their folders below.
  chmodSync(stateDir, 0o711);
  for (const folder of Object.values(places)) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
  }
  return places;
}

function checkReachable(folder: string, user: { uid: number; gid: number }): void {
  const seen = spawnSync('/usr/bin/test', ['-x', folder], { ...user, env: daemonEnvironment, cwd: '/' });
  if (seen.status === 0) return;
  throw new Error(
    `The mail programs run as the user "mail", who cannot enter ${folder}. ` +
      'Use a state folder outside of private folders such as /root, or the mail server of kind npm.',
  );
}

function certificateAndKey({ tls, signingKey }: MailServerOptions): Map<string, string> {
  if (!/^[\w.-]+$/.test(signingKey.kid)) {
    throw new Error(
      'The signing key needs a kid of letters, digits, dots, dashes and underscores: it names a file.',
    );
  }
  return new Map([
    ['server.pem', tls.cert],
    ['server.key', tls.key],
    [`keys/default/RS256/${signingKey.kid}`, signingKey.publicPem],
  ]);
}

function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  // A key of an earlier start must not remain valid.
  if ([...files.keys()].some((name) => name.startsWith('keys/'))) {
    rmSync(path.join(folder, 'keys'), { recursive: true, force: true });
  }
  for (const [name, text] of files) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: name.endsWith('.key') ? 0o600 : 0o644 });
    // Postfix waits until a file is two seconds old, in case it is still being edited.
    const minuteAgo = Date.now() / 1000 - 60;
    utimesSync(file, minuteAgo, minuteAgo);
  }
}

/** The folders of a queue as Postfix made them at the first start of this process. */
const queueFolders: { name: string; mode: number; uid: number; gid: number }[] = [];

/**
 * Creates the queue's folders, once: Postfix's own start script would take seconds. Its check, which creates them and reads
 * the configuration, runs for the first mail server of this process; the others differ in paths, ports and mailboxes only.
 */
function preparePostfix(places: Places): void {
  const postfix = systemUser('postfix');
  chownSync(places.data, postfix.uid, postfix.gid);
  if (readdirSync(places.queue).includes('incoming')) return;
  for (const { name, mode, uid, gid } of queueFolders) {
    const folder = path.join(places.queue, name);
    mkdirSync(folder);
    chownSync(folder, uid, gid);
    chmodSync(folder, mode);
  }
  if (queueFolders.length > 0) return;
  const checked = spawnSync('/usr/sbin/postfix', ['-c', places.postfixEtc, 'check'], {
    env: daemonEnvironment,
    encoding: 'utf8',
  });
  if (checked.status !== 0) {
    throw new Error(`Postfix refuses its configuration in ${places.postfixEtc}: ${checked.stderr.trim()}`);
  }
  for (const name of readdirSync(places.queue)) {
    const { mode, uid, gid } = statSync(path.join(places.queue, name));
    queueFolders.push({ name, mode: mode & 0o7777, uid, gid });
  }
}

function systemUser(name: string): { uid: number; gid: number } {
  const entry = readFileSync('/etc/passwd', 'utf8').match(new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm'));
  if (entry === null)
    throw new Error(`This machine has no user "${name}"; install dovecot-core and postfix.`);
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}
