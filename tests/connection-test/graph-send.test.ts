/** "Test connection" of a mailbox that sends over Microsoft Graph. */
import { expect, test } from 'vitest';
import {
  type ConnectionTest,
  explainStep,
  failedStep,
} from '../../shared/connection-test/connection-test.ts';
import { runConnectionTest } from '../../shared/connection-test/run-connection-test.ts';
import { markIn } from '../../shared/connection-test/test-smtp.ts';
import { createMailSender } from '../../shared/outbox/send-mail.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, support } from '../harness/stack/mail-lab.ts';

const mail = useGraphMail('npm');

/** The test of sending as this mailbox, with a token of this user that has these permissions. */
async function tested(
  scp: string,
  { address = support, user = support, toOneself = true } = {},
): Promise<ConnectionTest> {
  const token = new Secret(await mail.token(user, { scp }));
  const accessTokens = {
    get: () =>
      Promise.resolve({ kind: 'token' as const, token, expiresAt: '2026-11-24T09:00:00.000Z', user }),
  };
  const config = { local: true };
  const account = { providerId: 'p', accountId: 'a' };
  const server = { host: 'localhost', port: mail.graph().port };
  const tests = await runConnectionTest(
    {
      seam: openSeam,
      config,
      accessTokens,
      mailSender: createMailSender({ seam: openSeam, config, accessTokens }),
    },
    {
      id: 'a'.repeat(26),
      address,
      protocol: 'graph',
      ...server,
      ...account,
      folder: 'INBOX',
      enabled: true,
      intervalMinutes: 1,
      afterFetch: { kind: 'mark-seen' },
      createdAt: '2026-11-24T08:00:00.000Z',
      sending: { protocol: 'graph-send', ...server, ...account },
    },
    { toOneself },
  );
  const sending = tests.find(({ protocol }) => protocol === 'graph-send');
  if (sending === undefined) throw new Error('sending was not tested');
  return sending;
}

test.each([
  ['its own mailbox', { address: support, user: support }, 'Mail.Send'],
  ['a shared mailbox', { address: info, user: support }, 'Mail.Send.Shared'],
])('sends an email of %s to itself, which arrives there', async (_what, who, scp) => {
  await mail.empty(who.address);
  const { steps, expected } = await tested(scp, who);
  expect(steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'dns passed',
    'tcp passed',
    'tls passed',
    'token passed',
    'send passed',
    'arrival waiting',
  ]);
  const [email] = (await mail.mailbox(who.address).emails('INBOX')) ?? [];
  const raw = email === undefined ? '' : String(await mail.mailbox(who.address).read(email));
  expect(markIn(/^Message-ID: (\S+)/im.exec(raw)?.[1] ?? '')).toBe(expected?.mark);
});

test.each([
  ['Mail.ReadWrite', { address: support }, 'The token does not contain Mail.Send.'],
  ['Mail.Send', { address: info }, 'The token does not contain Mail.Send.Shared.'],
])('with a token for %s alone says which permission is missing', async (scp, who, narrowed) => {
  const step = failedStep(await tested(scp, who));
  expect(step?.name).toBe('send');
  expect(step?.narrowed).toContain(narrowed);
  expect(step && explainStep(step, {}).code).toBe('graph-access-denied');
});

test('sends nothing before the mailbox is saved', async () => {
  const before = mail.graph().requests.length;
  const { steps } = await tested('Mail.Send', { toOneself: false });
  expect(steps.map(({ name }) => name)).toEqual(['dns', 'tcp', 'tls', 'token']);
  const sent = mail
    .graph()
    .requests.slice(before)
    .filter(({ path }) => path.endsWith('/sendMail'));
  expect(sent).toEqual([]);
});
