import { randomBytes } from 'node:crypto';
import type { Mailbox, MailLogin } from '../mailboxes/mailbox.ts';
import type { OutgoingMail } from '../outbox/outgoing-mail.ts';
import { type MailSender, routeOf } from '../outbox/send-mail.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import {
  encryptStep,
  openLineSocket,
  type ReachDeps,
  reachServer,
  tokenOf,
  tokenStep,
} from './connect-steps.ts';
import { SmtpProbe } from './smtp-probe.ts';
import { StepRefused, type TestRunner } from './test-runner.ts';

const OVER_TLS = 465;
const LOOKED_FOR_MS = 120_000;

export interface SmtpTestDeps extends ReachDeps {
  seam: Seam;
  mailSender: MailSender;
  expectMark?: ((mark: string, now: number) => Promise<void>) | undefined;
}

/**
 * The SMTP steps up to authentication. With `toOneself`, also sends an email like any other and then looks
 * for it. The intake recognizes it by its Message-ID and creates no ticket.
 */
export async function testSmtp(
  run: TestRunner,
  deps: SmtpTestDeps,
  mailbox: Mailbox,
  login: MailLogin,
  toOneself: boolean,
): Promise<void> {
  const { address } = mailbox;
  const wire = await reachServer(run, deps, login);
  const talk = new SmtpProbe(wire);
  await encryptStep(run, () => (login.port === OVER_TLS ? wire.encrypt() : talk.startTls()));
  const { user, token } = await tokenStep(run, deps, login);
  await run.step('sign-in', async () => {
    if (login.port === OVER_TLS) await talk.greeting();
    const found = `${user} can sign in for ${address}`;
    const first = await refusalOf(talk, address, token);
    if (first === undefined) return { value: undefined, found: `${found}.` };
    run.note('test', 'refused; requesting a new token');
    const { token: fresh } = await tokenOf(run, deps, login, token);
    const second = await refusalOf(await encryptedTalk(run, deps, login), address, fresh);
    if (second === undefined) return { value: undefined, found: `${found} (after a token refresh).` };
    if (user.toLowerCase() === address.toLowerCase()) throw second;
    // For a shared mailbox, some servers expect its address, others the signed-in user's name.
    run.note('test', `refused; trying again with the username ${user}`);
    const third = await refusalOf(await encryptedTalk(run, deps, login), user, fresh);
    if (third === undefined) return { value: undefined, found: `${found} (with the username ${user}).` };
    throw second;
  });
  if (toOneself) await sendToOneself(run, deps, { ...mailbox, sending: login });
}

/** Authenticates and ends the session. Returns a refusal that a fresh token may fix; throws any other. */
async function refusalOf(talk: SmtpProbe, name: string, token: Secret): Promise<StepRefused | undefined> {
  try {
    await talk.signIn(name, token);
  } catch (error) {
    // 5.7.139 also starts with 535 but means that the tenant has disabled SMTP AUTH: a fresh token does not
    // help.
    if (error instanceof StepRefused && /^535 5\.7\.[38]\b/.test(error.message)) return error;
    throw error;
  }
  await talk.goodbye();
  return undefined;
}

async function encryptedTalk(run: TestRunner, deps: ReachDeps, login: MailLogin): Promise<SmtpProbe> {
  const wire = await openLineSocket(run, deps, login);
  const talk = new SmtpProbe(wire);
  if (login.port !== OVER_TLS) {
    await talk.startTls();
    return talk;
  }
  await wire.encrypt();
  await talk.greeting();
  return talk;
}

/**
 * Sends an email of the mailbox to itself, and says that it is looked for.
 * @param diagnosis what is known about the reason should it be refused
 */
export async function sendToOneself(
  run: TestRunner,
  deps: SmtpTestDeps,
  mailbox: Mailbox,
  diagnosis?: string,
): Promise<void> {
  const mark = newMark();
  const route = routeOf(mailbox);
  if (route === undefined) return;
  const sentAt = deps.seam.now();
  await deps.expectMark?.(mark, sentAt);
  await run.step('send', async () => {
    const result = await deps.mailSender.send(route, letterToOneself(mailbox.address, mark));
    run.note('test', `sending an email to ${mailbox.address} over a separate connection`);
    if (result.kind === 'refused') throw new StepRefused(result.reason, diagnosis);
    const [refused] = result.refusedRecipients;
    if (refused !== undefined) throw new StepRefused(refused.line);
    run.note('server', result.answer);
    return { value: undefined, found: `The server accepted an email to ${mailbox.address}.` };
  });
  run.await({
    mark,
    sentAt: new Date(sentAt).toISOString(),
    until: new Date(sentAt + LOOKED_FOR_MS).toISOString(),
  });
}

/** Identifies a test email. */
export const newMark = (): string => `postroom-${randomBytes(8).toString('hex')}`;

/** The Message-ID of a test email. */
export const messageIdOf = (address: string, mark: string): string =>
  `<${mark}@${address.slice(address.lastIndexOf('@') + 1)}>`;

/** The mark in the Message-ID of a test email; undefined for any other. */
export const markIn = (messageId: string): string | undefined =>
  /^<?(postroom-[0-9a-f]{16})@/.exec(messageId)?.[1];

/** The test email of an address to itself. */
export const letterToOneself = (address: string, mark: string): OutgoingMail => ({
  from: { address, name: 'Postroom' },
  to: [address],
  subject: `Sending test (${mark})`,
  text: [
    'This email was sent by “Test connection” in Postroom, to check that sending works and email arrives.',
    'Postroom recognizes it and opens no ticket. It can be deleted.',
    '',
  ].join('\n'),
  messageId: messageIdOf(address, mark),
  // Suppresses automatic replies (RFC 3834 section 5).
  headers: { 'Auto-Submitted': 'auto-generated' },
});
