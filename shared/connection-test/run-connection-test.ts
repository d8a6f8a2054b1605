import { type Mailbox, type SendingProtocol, sendingProtocolOf } from '../mailboxes/mailbox.ts';
import type { MailWay } from '../mailboxes/mailbox-form.ts';
import type { MailSender } from '../outbox/send-mail.ts';
import type { Seam } from '../platform/seam.ts';
import type { ReadingProtocol } from '../providers/presets.ts';
import type { TestTokens } from './connect-steps.ts';
import type { ConnectionTest, Step } from './connection-test.ts';
import { findTestEmail } from './find-test-email.ts';
import { testGraph } from './test-graph.ts';
import { testGraphSend } from './test-graph-send.ts';
import { testImap } from './test-imap.ts';
import { testPop3 } from './test-pop3.ts';
import { testRelay } from './test-relay.ts';
import { TestRunner } from './test-runner.ts';
import { testSmtp } from './test-smtp.ts';

export interface ConnectionTestDeps {
  seam: Seam;
  config: { local: boolean };
  accessTokens: TestTokens;
  mailSender: MailSender;
  /** Registers the mark of a test email before it is sent, so that even a fast intake recognizes it. */
  expectMark?: ((mark: string, now: number) => Promise<void>) | undefined;
  /** Milliseconds before a second attempt, and the timeout of a step; for tests. */
  pauseMs?: number | undefined;
  stepMs?: number | undefined;
}

/**
 * Tests every configured protocol of a mailbox in parallel, each up to its first failing step. `toOneself`
 * also sends an email. Failures of servers and networks are part of the result; only storage failures and
 * bugs throw.
 */
export function runConnectionTest(
  deps: ConnectionTestDeps,
  mailbox: Mailbox,
  { toOneself }: { toOneself: boolean },
): Promise<ConnectionTest[]> {
  const { protocol: reading, sending } = mailbox;
  const begin = (protocol: MailWay, server?: { host: string; port: number }): TestRunner =>
    new TestRunner(deps, protocol, server);
  const readingRun = begin(reading, mailbox);
  const tests = [readingRun.take(() => readingTests[reading](readingRun, deps, mailbox))];
  if (sending?.protocol === 'relay') {
    const run = begin('relay');
    tests.push(run.take(() => testRelay(run, deps, mailbox, toOneself)));
  } else if (sending !== undefined) {
    const protocol = sendingProtocolOf(sending);
    const run = begin(protocol, sending);
    tests.push(run.take(() => sendingTests[protocol](run, deps, mailbox, sending, toOneself)));
  }
  return Promise.all(tests);
}

const readingTests: Readonly<
  Record<ReadingProtocol, (run: TestRunner, deps: ConnectionTestDeps, mailbox: Mailbox) => Promise<void>>
> = { imap: testImap, pop3: testPop3, graph: testGraph };

const sendingTests: Readonly<Record<SendingProtocol, typeof testSmtp>> = {
  smtp: testSmtp,
  'graph-send': testGraphSend,
};

export interface PreviewDeps extends ConnectionTestDeps {
  /** True when the intake has processed the email with this mark and may have moved or deleted it. */
  isTaken(mark: string): Promise<boolean>;
}

/**
 * Checks once for the test email, first in the intake, then in the mailbox. Returns the updated test: still
 * waiting, arrived, or failed after its time limit.
 */
export async function findTestMessage(
  deps: PreviewDeps,
  mailbox: Mailbox,
  test: ConnectionTest,
): Promise<ConnectionTest> {
  const { expected } = test;
  if (expected === undefined) return test;
  const run = new TestRunner(deps, mailbox.protocol, mailbox);
  const taken = await deps.isTaken(expected.mark);
  let found: string | undefined = taken ? 'The email arrived and was skipped as a test.' : undefined;
  const search = await run.take(async () => {
    if (taken) return;
    const isThere = await run.step('arrival', async () => {
      const value = await findTestEmail(run, deps, mailbox, expected.mark);
      return { value, found: '' };
    });
    if (isThere) found = `The email is in ${mailbox.address}.`;
  });
  const now = deps.seam.now();
  const ms = Math.max(0, now - Date.parse(expected.sentAt));
  const arrival = ((): Step | undefined => {
    if (found !== undefined) return { name: 'arrival', state: 'passed', ms, found };
    if (now < Date.parse(expected.until)) return undefined;
    const evidence = search.steps.find(({ state }) => state === 'failed')?.evidence;
    return { name: 'arrival', state: 'failed', ms, found: '', ...(evidence !== undefined && { evidence }) };
  })();
  if (arrival === undefined) return test;
  const { expected: _done, ...rest } = test;
  return {
    ...rest,
    steps: [...test.steps.filter(({ name }) => name !== 'arrival'), arrival],
    transcript: [...test.transcript, ...search.transcript],
  };
}
