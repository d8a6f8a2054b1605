/** "Test connection" of a mailbox that sends over the SMTP relay. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type ConnectionTest,
  explainStep,
  failedStep,
} from '../../shared/connection-test/connection-test.ts';
import { runConnectionTest } from '../../shared/connection-test/run-connection-test.ts';
import { markIn } from '../../shared/connection-test/test-smtp.ts';
import { createMailSender } from '../../shared/outbox/send-mail.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';

const mail = useMailServer('npm');
beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

/** The test of sending over the relay at this URL. The server takes a token for a password. */
async function tested(relayUrl: () => Promise<Secret>, { toOneself = true } = {}): Promise<ConnectionTest> {
  const token = new Secret(await mail.lab().token(support));
  const accessTokens = {
    get: () =>
      Promise.resolve({
        kind: 'token' as const,
        token,
        expiresAt: '2026-11-24T09:00:00.000Z',
        user: support,
      }),
  };
  const config = { local: true };
  const mailSender = createMailSender({ seam: openSeam, config, accessTokens, relayUrl });
  const tests = await runConnectionTest(
    { seam: openSeam, config, accessTokens, mailSender },
    {
      id: 'a'.repeat(26),
      address: support,
      protocol: 'imap',
      ...mail.server().imap,
      providerId: 'p',
      accountId: 'a',
      folder: 'INBOX',
      enabled: true,
      intervalMinutes: 1,
      afterFetch: { kind: 'mark-seen' },
      createdAt: '2026-11-24T08:00:00.000Z',
      sending: { protocol: 'relay' },
    },
    { toOneself },
  );
  const sending = tests.find(({ protocol }) => protocol === 'relay');
  if (sending === undefined) throw new Error('sending was not tested');
  return sending;
}
const at = (user: string, password: string) => async (): Promise<Secret> => {
  const { host, port } = mail.server().smtp;
  return new Secret(`smtp://${encodeURIComponent(user)}:${password}@${host}:${port}`);
};
const stepsOf = ({ steps }: ConnectionTest) => steps.map(({ name, state }) => `${name}: ${state}`);

describe('the relay', () => {
  test('signs in, sends an email to the mailbox, and names neither its user nor its password', async () => {
    const inbox = await mail.emptyInbox(support);
    const password = await mail.lab().token(support);
    const result = await tested(at(support, password));
    expect(stepsOf(result)).toEqual(['sign-in: passed', 'send: passed', 'arrival: waiting']);
    expect(result.steps[0]?.found).toBe('The relay accepts the sign-in.');
    expect(result.server).toBeUndefined();
    expect(JSON.stringify(result)).not.toContain(password);
    const source = await mail.received(inbox, 'Sending test');
    expect(markIn(/^Message-ID: (.*)$/m.exec(source)?.[1] ?? '')).toBe(result.expected?.mark);
  });

  test('only signs in before the mailbox is saved', async () => {
    const result = await tested(at(support, await mail.lab().token(support)), { toOneself: false });
    expect(stepsOf(result)).toEqual(['sign-in: passed']);
  });

  test.each<[string, () => Promise<Secret>, string, RegExp]>([
    ['refuses the password', at(support, 'canary'), 'relay-refused', /^535 /],
    [
      'is not set up',
      () => Promise.reject(new PostroomError('no-relay', 'There is none.')),
      'no-relay',
      /^There is none\.$/,
    ],
    [
      'has a wrong address',
      () => Promise.resolve(new Secret('smtp://canary:canary@')),
      'bad-relay',
      /^The address of the relay must be/,
    ],
  ])('that %s is explained by its code, with what was said', async (_what, url, code, narrowed) => {
    const result = await tested(url);
    const failed = failedStep(result);
    expect(stepsOf(result)).toEqual(['sign-in: failed']);
    expect(failed && explainStep(failed, {}).code).toBe(code);
    expect(failed?.narrowed).toMatch(narrowed);
    expect(JSON.stringify(result)).not.toContain('canary');
  });

  test('that does not answer is a failure of the network', async () => {
    const failed = failedStep(await tested(() => Promise.resolve(new Secret('smtp://127.0.0.1:1'))));
    expect(failed).toMatchObject({ name: 'sign-in', evidence: expect.stringContaining('ECONNREFUSED') });
  });
});
