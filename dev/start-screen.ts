import { styleText } from 'node:util';
import type { DemoPerson } from './host/options.ts';

/** What can be used once everything runs. */
export interface StartedWorld {
  url: string;
  people: readonly DemoPerson[];
  /** Demo mailboxes; the one with the demo emails comes first. */
  mailboxes: readonly string[];
  waitingMails: number;
  smtp: { host: string; port: number };
  stateDir: string;
  logFile: string;
}

/** For programs: one line with a stable shape. */
export function startedJson({ url, people, mailboxes, smtp, stateDir }: StartedWorld): string {
  const accounts = people.map(({ name, upn, roles }) => ({ name, upn, roles }));
  return JSON.stringify({ url, accounts, mailboxes, demoPage: `${url}/.local`, smtp, stateDir });
}

/** For people: the URL, the accounts, three things to try first, and how to stop. */
export function startedScreen(world: StartedWorld): string {
  const { url, people, mailboxes, waitingMails, smtp, stateDir, logFile } = world;
  const bold = (text: string): string => styleText('bold', text);
  const quiet = (text: string): string => styleText('dim', text);
  const who = people.map(({ name, roles }) => `${bold(name)} (${roles.join(', ')})`).join(' or ');
  const mailbox = mailboxes[0] ?? '';
  const waiting = waitingMails === 0 ? '' : `; ${waitingMails} emails were put there for you`;
  return `
${bold('Postroom is running:')} ${styleText(['cyan', 'underline'], url)}

  1. Open it and sign in as ${who}.
  2. Register a provider, Demo, Save; then connect ${bold(mailbox)}${waiting}.
  3. Play a customer: ${url}/.local sends a mail and shows what came back. Any mail
     program can send, too: by SMTP to ${smtp.host}, port ${smtp.port}, without a password.

${quiet(`Ctrl-C ends it; everything is kept in ${stateDir}. What goes wrong stands in ${logFile}.`)}
`;
}
