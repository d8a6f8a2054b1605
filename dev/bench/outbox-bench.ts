/**
 * Compares how fast replies leave with a bare loop of nodemailer that sends the same emails to the same server:
 * in turns, each run in a process of its own, medians. Both use one connection after the other, with STARTTLS
 * and XOAUTH2. Postroom also reads, claims and records each reply in Azurite. The limits of Exchange do not apply
 * to the server of this machine.
 */
import { openScratchDemo } from '../demo/scratch-demo.ts';
import type { MailServerKind } from '../emulators/mail/mail-world.ts';
import type { Measured } from './child.ts';
import type { BenchEmail } from './outbox-rows.ts';
import { runChild } from './run-child.ts';
import { median } from './statistics.ts';

export interface OutboxNumbers {
  emails: number;
  emailsPerSecond: number;
  barePerSecond: number;
  /** Median of the ratios within each round. */
  ofBareLoop: number;
  storageRequestsPerReply: number;
  server: MailServerKind;
  /** The errors found, in sentences. */
  faults: readonly string[];
}

const FROM = 'outbox@contoso.example';
const TO = 'sink@contoso.example';
const WARM_UP = 3;

export async function measureOutbox(options: {
  emails: number;
  rounds: number;
  running: AsyncDisposableStack;
  progress(text: string): void;
}): Promise<OutboxNumbers> {
  const { emails: count, rounds, running, progress } = options;
  const demo = await openScratchDemo({ mailboxes: [FROM, TO], running, progress });
  const { smtp } = demo.stack.mail;
  const mailboxId = await demo.addMailbox(FROM, demo.stack.mail.imap, smtp);
  const accessToken = await demo.accessToken();
  const results: { send: Measured; bare: Measured }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const settings = demo.settings;
    const send = (): Promise<Measured> =>
      runChild({
        kind: 'send',
        app: demo.appDir,
        settings,
        mailboxId,
        name: `round${round}`,
        warmUp: emailsOf(`w${round}`, WARM_UP),
        emails: emailsOf(`s${round}`, count),
      });
    const bare = (): Promise<Measured> =>
      runChild({
        kind: 'bare-send',
        settings,
        smtp,
        user: FROM,
        accessToken,
        warmUp: emailsOf(`v${round}`, WARM_UP),
        emails: emailsOf(`b${round}`, count),
      });
    const first = round % 2 === 0 ? await send() : undefined;
    const loop = await bare();
    const sent = first ?? (await send());
    results.push({ send: sent, bare: loop });
    progress(
      `  round ${round + 1} of ${rounds}: outbox ${perSecond(sent, count)}, bare loop ${perSecond(loop, count)} emails a second`,
    );
  }
  const of = (value: (each: (typeof results)[number]) => number): number => median(results.map(value));
  return {
    emails: count,
    emailsPerSecond: of(({ send }) => perSecond(send, count)),
    barePerSecond: of(({ bare }) => perSecond(bare, count)),
    ofBareLoop: of(({ send, bare }) => bare.ms / send.ms),
    storageRequestsPerReply: of(({ send }) => send.storageRequests / count),
    server: demo.stack.mail.kind,
    faults: results.flatMap(({ send }, round) =>
      send.mails === count
        ? []
        : [`Round ${round + 1} of the outbox left ${count - send.mails} of ${count} replies.`],
    ),
  };
}

const perSecond = ({ ms }: Measured, count: number): number => Math.round((count / ms) * 10_000) / 10;

/** Replies of about two kilobytes. */
const emailsOf = (name: string, count: number): BenchEmail[] =>
  Array.from({ length: count }, (_, index) => ({
    from: FROM,
    to: TO,
    subject: `Re: Printer ${index}`,
    text: `Hello Kim,\n\n${'please switch it off and on again, and tell us what its display says then.\n'.repeat(25)}`,
    messageId: `<${name}.${index}@contoso.example>`,
  }));
