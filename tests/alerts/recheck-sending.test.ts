import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sendingObservation } from '../../shared/alerts/alert-channels.ts';
import { recheckSending } from '../../shared/alerts/recheck-sending.ts';
import type { Delivery } from '../../shared/outbox/delivery.ts';
import type { HeldEmail } from '../../shared/outbox/outbox-records.ts';
import type { SendingRoute, SignInResult } from '../../shared/outbox/send-mail.ts';
import type { SendingRefusal } from '../../shared/outbox/sending-refusal.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { email } from '../harness/memory/outbox-emails.ts';
import { START } from '../harness/memory/sample-findings.ts';
import { ACCOUNT, PROVIDER, WatchedPostroom } from './monitored-postroom.ts';

const MINUTE = 60_000;
const why = { code: codeFrom('smtp-auth-disabled-tenant'), reason: '535 5.7.139', isVerdict: true };
const refusal: SendingRefusal = {
  code: codeFrom('smtp-auth-disabled-tenant'),
  reason: '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
  permanent: true,
  retryAt: undefined,
  asked: true,
};
let postroom: WatchedPostroom;
let answers: SignInResult;
let asked: number;
let released: string[];
let held: string[];
let expired: HeldEmail[];
let forgotten: string[];
let told: string[];
let waits: Delivery;
const sendingDeps = {
  replyNeedsPerson: async ({ id }: { id: string }): Promise<void> => {
    told.push(id);
  },
};
const outbox = {
  get: async ({ ticketId, id }: { ticketId: string; id: string }) => ({
    record: email(id, { ticketId, delivery: waits }),
    etag: '',
  }),
  held: async () => ({ mailboxIds: new Set(held), expired }),
  forgetHeld: async ({ id }: { id: string }): Promise<void> => {
    forgotten.push(id);
  },
  releaseHeld: async (id: string): Promise<number> => released.push(id),
};
const recheck = (): Promise<void> =>
  recheckSending({
    ...postroom,
    outbox,
    sending: sendingDeps,
    sender: {
      signIn: async () => {
        asked += 1;
        return answers;
      },
    },
  });
const sending = { host: 'smtp.office365.com', port: 587, providerId: PROVIDER, accountId: ACCOUNT };
const refused = async (found: SendingRefusal, id = 'support'): Promise<void> => {
  const mailbox = await postroom.mailboxes.get(id);
  if (mailbox === undefined) throw new Error('no mailbox');
  await postroom.alerts.observe(sendingObservation([{ mailbox, refusal: found }], postroom.now));
};

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  postroom = new WatchedPostroom();
  await postroom.mailbox('support', { sending });
  answers = { kind: 'refused', ...refusal };
  asked = 0;
  released = [];
  held = [];
  [expired, forgotten, told] = [[], [], []];
  waits = {
    status: { state: 'failed', at: new Date(START).toISOString(), why, isOfWayOut: true },
    attempts: 1,
  };
  postroom.now = START;
});

test('a server that refuses email is an alert with its cause, until it accepts Postroom’s sign-in again', async () => {
  await refused(refusal);
  expect(await postroom.open()).toMatchObject([
    { kind: 'smtp-refused', code: 'smtp-auth-disabled-tenant', fix: { href: '/mailboxes/support/test' } },
  ]);
  await recheck();
  expect(await postroom.open()).toHaveLength(1);
  answers = { kind: 'accepted', answer: '235' };
  postroom.now += 10 * MINUTE;
  await recheck();
  expect(await postroom.open()).toEqual([]);
});

test('it is checked every tenth minute, and what only an email can show is not checked', async () => {
  await refused(refusal);
  for (let minute = 0; minute < 20; minute++) {
    await recheck();
    postroom.now += MINUTE;
  }
  expect(asked).toBe(2);
  for (const [code, reason] of [
    ['smtp-send-as-denied', '550 5.7.60 SMTP; Client does not have permissions to send as this sender'],
    ['graph-access-denied', '403 ErrorAccessDenied: Access is denied.'],
  ] as const) {
    await refused({ ...refusal, code: codeFrom(code), reason });
    await recheck();
    expect(asked, code).toBe(2);
  }
  expect(await postroom.open()).toHaveLength(1);
});

test('one unreachable server changes nothing and does not prevent the check of the others', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const sending = { host: 'smtp.example', port: 587, providerId: PROVIDER, accountId: ACCOUNT };
  await postroom.mailbox('another', { sending });
  for (const id of ['another', 'support']) await refused(refusal, id);
  const signIn = async (route: SendingRoute): Promise<SignInResult> => {
    if (route.kind === 'mailbox' && route.host === 'smtp.example')
      throw new PostroomError('smtp-unreachable', 'smtp.example does not answer');
    return { kind: 'accepted', answer: '235' };
  };
  await recheckSending({ ...postroom, outbox, sending: sendingDeps, sender: { signIn } });
  expect((await postroom.open()).map(({ subject }) => subject.id)).toEqual(['another']);
  expect(released, 'what waited for the other one leaves').toEqual(['support']);
});

describe('once a day each sending mailbox signs in', () => {
  const day = async (): Promise<void> => {
    for (let minute = 0; minute < 24 * 60; minute++) {
      await recheck();
      postroom.now += MINUTE;
    }
  };

  test('and a refusal is a warning before any email must be sent, an error once one could not be sent', async () => {
    await postroom.mailbox('paused', { enabled: false, sending: { ...sending, accountId: 'x' } });
    await postroom.mailbox('sends-nothing');
    await day();
    expect(await postroom.open()).toMatchObject([
      { kind: 'smtp-refused', severity: 'warning', subject: { id: 'support' } },
    ]);
    await refused(refusal);
    await day();
    expect(await postroom.open()).toMatchObject([{ kind: 'smtp-refused', severity: 'error' }]);
  });

  test('and nothing is reported if it succeeds or the refusal is temporary', async () => {
    answers = { kind: 'accepted', answer: '235' };
    await day();
    expect(asked).toBe(1);
    answers = { kind: 'refused', ...refusal, permanent: false };
    await day();
    expect(asked).toBe(2);
    expect(await postroom.open()).toEqual([]);
  });
});

test('a mailbox that no longer sends is no longer reported as refused', async () => {
  await refused(refusal);
  await postroom.mailbox('support');
  await recheck();
  expect(await postroom.open()).toEqual([]);
});

test('an account that requires a person is no refusal of a server: it opens nothing and closes nothing', async () => {
  const noToken = {
    ...refusal,
    code: 'AADSTS50173' as const,
    reason: 'The sign-in has ended.',
    asked: false,
  };
  await refused(noToken);
  expect(await postroom.open()).toEqual([]);
  await refused(refusal);
  answers = { kind: 'refused', ...noToken };
  await recheck();
  expect(await postroom.open()).toMatchObject([{ kind: 'smtp-refused', code: 'smtp-auth-disabled-tenant' }]);
});

describe('a mailbox for which replies wait without an alert, such as one whose account had to sign in again', () => {
  beforeEach(() => {
    held = ['support'];
  });

  test('signs in every tenth minute, and sends them once the server accepts it', async () => {
    const noToken = { ...refusal, code: 'AADSTS50173' as const, reason: 'The sign-in ended.', asked: false };
    answers = { kind: 'refused', ...noToken };
    await recheck();
    expect([asked, released]).toEqual([1, []]);
    answers = { kind: 'accepted', answer: '235' };
    postroom.now += 10 * MINUTE;
    await recheck();
    expect(released).toEqual(['support']);
    expect(await postroom.open()).toEqual([]);
  });

  test('does not try again what only an email can show', async () => {
    await refused({ ...refusal, code: codeFrom('graph-access-denied'), reason: '403 ErrorAccessDenied' });
    answers = { kind: 'accepted', answer: '' };
    await recheck();
    expect([asked, released]).toEqual([0, []]);
  });
});

test('a reply that waited for a week is left to a person once, unless it was stopped meanwhile', async () => {
  expired = [{ ticketId: 't', id: 'old', mailboxId: 'support', writtenAt: new Date(START).toISOString() }];
  await recheck();
  expect([told, forgotten, released]).toEqual([['old'], ['old'], []]);
  waits = { status: { state: 'withdrawn', at: new Date(START).toISOString() }, attempts: 1 };
  await recheck();
  expect([told, forgotten]).toEqual([['old'], ['old', 'old']]);
});

test('a temporary failure is no alert', async () => {
  await refused({ ...refusal, permanent: false });
  expect(await postroom.open()).toEqual([]);
});
