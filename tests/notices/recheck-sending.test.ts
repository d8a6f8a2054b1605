import { beforeEach, expect, test, vi } from 'vitest';
import { sendingObservation } from '../../shared/notices/notice-channels.ts';
import { recheckSending } from '../../shared/notices/recheck-sending.ts';
import type { SignInResult } from '../../shared/outbox/send-mail.ts';
import type { SmtpRefusal } from '../../shared/outbox/smtp-refusal.ts';
import { START } from './sample-conditions.ts';
import { ACCOUNT, PROVIDER, WatchedDesk } from './watched-desk.ts';

const MINUTE = 60_000;
const refusal: SmtpRefusal = {
  code: 'smtp-auth-disabled-tenant',
  said: '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
  permanent: true,
  retryAt: undefined,
  asked: true,
};
let desk: WatchedDesk;
let answers: SignInResult;
let asked: number;
const recheck = (): Promise<void> =>
  recheckSending({
    ...desk,
    sender: {
      signIn: async () => {
        asked += 1;
        return answers;
      },
    },
  });
const refused = async (found: SmtpRefusal): Promise<void> => {
  const mailbox = await desk.mailboxes.get('support');
  if (mailbox === undefined) throw new Error('no mailbox');
  await desk.notices.observe(sendingObservation([{ mailbox, refusal: found }], desk.now));
};

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  desk = new WatchedDesk();
  const sending = { host: 'smtp.office365.com', port: 587, providerId: PROVIDER, accountId: ACCOUNT };
  await desk.mailbox('support', { sending });
  answers = { kind: 'refused', ...refusal };
  asked = 0;
  desk.now = START;
});

test('a server that refuses mail is a notice with its cause, until it lets Postroom sign in again', async () => {
  await refused(refusal);
  expect(await desk.open()).toMatchObject([
    { kind: 'smtp-refused', code: 'smtp-auth-disabled-tenant', fix: { href: '/mailboxes/support/test' } },
  ]);
  await recheck();
  expect(await desk.open()).toHaveLength(1);
  answers = { kind: 'accepted', answer: '235' };
  desk.now += 10 * MINUTE;
  await recheck();
  expect(await desk.open()).toEqual([]);
});

test('it is asked every tenth minute, and what only a mail can show is not asked at all', async () => {
  await refused(refusal);
  for (let minute = 0; minute < 20; minute++) {
    await recheck();
    desk.now += MINUTE;
  }
  expect(asked).toBe(2);
  await refused({
    ...refusal,
    code: 'smtp-send-as-denied',
    said: '550 5.7.60 SMTP; Client does not have permissions to send as this sender',
  });
  await recheck();
  expect(asked).toBe(2);
  expect(await desk.open()).toHaveLength(1);
});

test('a mailbox that no longer sends is no longer refused', async () => {
  await refused(refusal);
  await desk.mailbox('support');
  await recheck();
  expect(await desk.open()).toEqual([]);
});

test('an account that needs a person is no refusal of a server: it opens nothing and closes nothing', async () => {
  const noToken = { ...refusal, code: 'AADSTS50173', said: 'The sign-in has ended.', asked: false };
  await refused(noToken);
  expect(await desk.open()).toEqual([]);
  await refused(refusal);
  answers = { kind: 'refused', ...noToken };
  await recheck();
  expect(await desk.open()).toMatchObject([{ kind: 'smtp-refused', code: 'smtp-auth-disabled-tenant' }]);
});

test('what passes by itself is no notice', async () => {
  await refused({ ...refusal, permanent: false });
  expect(await desk.open()).toEqual([]);
});
