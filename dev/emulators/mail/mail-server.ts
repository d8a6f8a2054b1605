import { existsSync } from 'node:fs';
import type { MailServer, MailServerKind, MailServerOptions } from './mail-world.ts';

/** `debian` where Dovecot and Postfix are installed and may be started (root), else `npm`. */
export function mailServerKindHere(): MailServerKind {
  const installed = ['/usr/sbin/dovecot', '/usr/sbin/postfix', '/usr/lib/dovecot/lmtp'].every(existsSync);
  return installed && process.getuid?.() === 0 ? 'debian' : 'npm';
}

/** Starts the mail server and returns when every port answers. Throws with advice when it cannot start. */
export async function startMailServer(options: MailServerOptions): Promise<MailServer> {
  if (options.kind === 'debian') {
    const { startDebianServer } = await import('./debian/debian-server.ts');
    return startDebianServer(options);
  }
  const { startNpmServer } = await import('./npm/npm-server.ts');
  return startNpmServer(options);
}
