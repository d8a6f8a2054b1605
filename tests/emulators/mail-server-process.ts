import { readFileSync } from 'node:fs';
import { startMailServer } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerOptions } from '../../dev/emulators/mail/mail-world.ts';

// Runs a mail server as a separate process, so that a test can kill it: node mail-server-process.ts OPTIONS.json
const options = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as MailServerOptions;
const { imap, pop3, smtp, drop } = await startMailServer(options);
process.stdout.write(`${JSON.stringify({ imap, pop3, smtp, drop })}\n`);
