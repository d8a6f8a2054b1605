/** "Test connection" of a mailbox that is read over Microsoft Graph. */
import { describe, expect, test } from 'vitest';
import type { TestTokens } from '../../shared/connection-test/connect-steps.ts';
import {
  type ConnectionTest,
  explainStep,
  failedStep,
  isWaiting,
} from '../../shared/connection-test/connection-test.ts';
import {
  type ConnectionTestDeps,
  findTestMessage,
  runConnectionTest,
} from '../../shared/connection-test/run-connection-test.ts';
import { messageIdOf } from '../../shared/connection-test/test-smtp.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, plainMail, sales, sam, support, type TokenWishes } from '../harness/stack/mail-lab.ts';

const mail = useGraphMail('npm');

const mailboxAt = (change: Partial<Mailbox> = {}): Mailbox => ({
  id: 'a'.repeat(26),
  address: support,
  protocol: 'graph',
  host: 'localhost',
  port: mail.graph().port,
  folder: 'INBOX',
  providerId: 'p',
  accountId: 'a',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T08:00:00.000Z',
  ...change,
});

const unused = () => Promise.reject(new Error('not part of this test'));

/** Gives these tokens one after the other, the last one for ever. */
function depsWith(user: string, ...tokens: string[]): ConnectionTestDeps {
  let asked = 0;
  const accessTokens: TestTokens = {
    async get(_account, { protocol }) {
      expect(protocol, 'the token is one for Graph').toBe('graph');
      const token = new Secret(tokens[Math.min(asked++, tokens.length - 1)] ?? '');
      return { kind: 'token', token, expiresAt: '2026-11-24T09:00:00.000Z', user };
    },
  };
  return {
    seam: openSeam,
    config: { local: true },
    accessTokens,
    mailSender: { signIn: unused, send: unused },
  };
}

async function tested(mailbox: Mailbox, user = support, wishes: TokenWishes = {}): Promise<ConnectionTest> {
  const deps = depsWith(user, await mail.token(user, wishes));
  const [only, ...others] = await runConnectionTest(deps, mailbox, { toOneself: false });
  expect(others).toEqual([]);
  if (only === undefined) throw new Error('nothing was tested');
  return only;
}

function failureOf(test: ConnectionTest): { step: string; code: string; narrowed: string | undefined } {
  const step = failedStep(test);
  if (step === undefined) throw new Error(`nothing failed: ${JSON.stringify(test.steps)}`);
  return { step: step.name, code: explainStep(step, {}).code, narrowed: step.narrowed };
}

const found = ({ steps }: ConnectionTest, name: string): string | undefined =>
  steps.find((step) => step.name === name)?.found;

test('passes every step, reads a message, and shows each request without token and text', async () => {
  await mail.empty(support);
  await mail.server().deliverMany(support, [plainMail({ subject: 'one' }), plainMail({ subject: 'two' })]);
  const test = await tested(mailboxAt());
  expect(failedStep(test)).toBeUndefined();
  expect(test.steps.map(({ name }) => name)).toEqual([
    'dns',
    'tcp',
    'tls',
    'token',
    'sign-in',
    'folder',
    'count',
  ]);
  expect(found(test, 'count')).toBe('2 unread, of 2 emails.');
  const transcript = test.transcript.join('\n');
  expect(transcript).toMatch(/^C: GET \/v1\.0\/me\/mailFolders\/inbox\?/m);
  expect(transcript).toMatch(/^C: GET \/v1\.0\/me\/messages\/\{id\}\/\$value$/m);
  expect(transcript).toMatch(/^S: 200$/m);
  expect(transcript).not.toContain('Bearer');
  expect(transcript).not.toContain('Hello');
  const unread = (await mail.mailbox(support).emails('INBOX')) ?? [];
  expect(
    unread.map(({ isSeen }) => isSeen),
    'nothing is marked as read',
  ).toEqual([false, false]);
});

test('finds the test email over Graph, in the folder to which it was moved, too', async () => {
  await mail.empty(support);
  const mark = 'postroom-0123456789abcdef';
  const waiting: ConnectionTest = {
    protocol: 'smtp',
    server: 'localhost:587',
    startedAt: new Date().toISOString(),
    steps: [{ name: 'arrival', state: 'waiting', ms: 0, found: '' }],
    transcript: [],
    expected: {
      mark,
      sentAt: new Date().toISOString(),
      until: new Date(Date.now() + 120_000).toISOString(),
    },
  };
  await mail.mailbox(support).createFolder('Done');
  const mailbox = mailboxAt({ afterFetch: { kind: 'move', folder: 'Done' } });
  const deps = { ...depsWith(support, await mail.token(support)), isTaken: async () => false };
  expect(isWaiting(await findTestMessage(deps, mailbox, waiting))).toBe(true);
  const raw = `Message-ID: ${messageIdOf(support, mark)}\r\nFrom: ${support}\r\nSubject: Test\r\n\r\nHello\r\n`;
  await mail.server().deliver(support, Buffer.from(raw));
  const client = await mail.imapAs(support);
  await client.mailboxOpen('INBOX');
  await client.messageMove('1:*', 'Done', { uid: true });
  const arrived = await findTestMessage(deps, mailbox, waiting);
  expect(arrived.steps.at(-1)).toMatchObject({ name: 'arrival', state: 'passed' });
});

test('opens a shared mailbox, and uses a fresh token if the first one is refused', async () => {
  const good = await mail.token(sam, { scp: 'Mail.ReadWrite.Shared' });
  const dead = await mail.token(sam, { lifetime: -60 });
  const deps = depsWith(sam, dead, good);
  const [test] = await runConnectionTest(deps, mailboxAt({ address: info }), { toOneself: false });
  if (test === undefined) throw new Error('nothing was tested');
  expect(failedStep(test)).toBeUndefined();
  expect(found(test, 'sign-in')).toBe(`${sam} can access ${info} (after a token refresh).`);
});

describe('stops at the step that fails, with its explanation:', () => {
  test('a token that Graph refuses twice', async () => {
    const failure = failureOf(await tested(mailboxAt(), support, { lifetime: -60 }));
    expect(failure).toMatchObject({ step: 'sign-in', code: 'graph-token-refused' });
  });

  test('a token for the mail servers', async () => {
    const wishes = { audience: 'https://outlook.office.com', scp: 'IMAP.AccessAsUser.All' };
    const failure = failureOf(await tested(mailboxAt(), support, wishes));
    expect(failure).toMatchObject({
      step: 'sign-in',
      narrowed: expect.stringContaining('not for Microsoft Graph'),
    });
  });

  test('a permission that shows messages and does not let them be read', async () => {
    const failure = failureOf(await tested(mailboxAt(), support, { scp: 'Mail.ReadBasic' }));
    expect(failure).toMatchObject({ step: 'count', code: 'graph-access-denied' });
  });

  test('a shared mailbox without the permission for shared ones', async () => {
    const failure = failureOf(await tested(mailboxAt({ address: info }), sam, { scp: 'Mail.ReadWrite' }));
    expect(failure).toMatchObject({
      step: 'sign-in',
      narrowed: expect.stringContaining('does not contain Mail.ReadWrite.Shared'),
    });
  });

  test('a mailbox that was not shared with the user, whose own mailbox opens', async () => {
    const scp = 'Mail.ReadWrite Mail.ReadWrite.Shared';
    const failure = failureOf(await tested(mailboxAt({ address: sales }), sam, { scp }));
    expect(failure).toMatchObject({
      step: 'sign-in',
      narrowed: expect.stringContaining(`${sam} lacks Full Access to ${sales}`),
    });
  });

  test('a folder that is missing', async () => {
    const failure = failureOf(await tested(mailboxAt({ folder: 'No such folder' })));
    expect(failure).toMatchObject({ step: 'folder', code: 'graph-folder-missing' });
  });

  test('a port where nothing listens', async () => {
    const failure = failureOf(await tested(mailboxAt({ port: 1 })));
    expect(failure).toMatchObject({ step: 'tcp', code: 'network-mail' });
  });
});
