import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ImapFlow } from 'imapflow';
import { onTestFinished } from 'vitest';
import type { MailServer } from '../../dev/emulators/mail/mail-world.ts';
import type { MailLab } from '../harness/stack/mail-lab.ts';

export type Endpoints = Pick<MailServer, 'imap' | 'pop3' | 'smtp' | 'drop'>;

/** A mail server in a separate process, which ends with the test at the latest. */
export async function startProcess(lab: MailLab): Promise<{ child: ChildProcess; endpoints: Endpoints }> {
  const optionsFile = path.join(lab.stateDir, 'options.json');
  writeFileSync(optionsFile, JSON.stringify(lab.options));
  const program = fileURLToPath(new URL('mail-server-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, optionsFile], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, endpoints: JSON.parse(line) as Endpoints };
}

/** Kills the process without any cleanup. */
export async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

export async function openInbox(lab: MailLab, { imap }: Endpoints, user: string): Promise<ImapFlow> {
  const auth = { user, accessToken: await lab.token(user) };
  const client = new ImapFlow({ ...imap, secure: true, tls: { ca: lab.ca }, auth, logger: false });
  client.on('error', () => {});
  onTestFinished(() => client.close());
  await client.connect();
  await client.mailboxOpen('INBOX');
  return client;
}
