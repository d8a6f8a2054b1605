import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { faults } from '../../dev/emulators/mail/exchange-texts.ts';
import { emailChannel, routesFor, type SendingSeen } from '../../shared/alerts/email-channel.ts';
import { readRelayUrl } from '../../shared/alerts/read-relay-url.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailSender } from '../../shared/outbox/send-mail.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { sampleNotification, silent } from '../harness/memory/sample-findings.ts';
import { sales, sam, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';
import { channelSecretsOf } from './channel-vault.ts';

const mail = useMailServer('npm');
beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

const sendingMailbox = (
  address: string,
  changes: Partial<NonNullable<Mailbox['sending']>> = {},
): Mailbox => ({
  ...mailboxOf({ kind: 'mark-seen' }),
  id: address.split('@')[0] ?? '',
  address,
  sending: { ...mail.server().smtp, providerId: 'p', accountId: `account of ${address}`, ...changes },
});

let seen: SendingSeen[] = [];
let asked: string[] = [];
beforeEach(() => {
  seen = [];
  asked = [];
});

const channel = (options: {
  relay?: string;
  mailboxes?: Mailbox[];
  seen?: (sendings: readonly SendingSeen[]) => Promise<void>;
}) => {
  const channelSecrets = channelSecretsOf({ 'smtp-relay-url': options.relay });
  return emailChannel({
    config: {
      publicUrl: 'https://desk.example',
      alerts: { emails: [sales] },
    },
    channelSecrets,
    sender: createMailSender({
      relayUrl: () => readRelayUrl(channelSecrets),
      seam: openSeam,
      config: { local: true },
      accessTokens: {
        async get({ accountId }) {
          asked.push(accountId);
          const user = accountId.replace('account of ', '');
          return { kind: 'token', token: new Secret(await mail.lab().token(user)) };
        },
      },
    }),
    mailboxes: () => Promise.resolve(options.mailboxes ?? []),
    seen:
      options.seen ??
      (async (sendings) => {
        seen.push(...sendings);
      }),
  });
};

describe('an alert by email', () => {
  test('is sent through the relay, calls no account, and is marked as automatic', async () => {
    const inbox = await mail.emptyInbox(sales);
    const { host, port } = mail.server().drop;
    await channel({ relay: `smtp://${host}:${port}`, mailboxes: [sendingMailbox(support)] })(
      sampleNotification(),
    );
    const source = await mail.received(inbox, 'support@contoso.example is not fetched');
    expect(source).toMatch(/^Auto-Submitted: auto-generated/m);
    expect(source).toContain('https://desk.example/mailboxes/support/test');
    expect(source).toContain('No mail is lost');
    expect(asked).toEqual([]);
  });

  test('is sent through a different mailbox than the affected one', async () => {
    const inbox = await mail.emptyInbox(sales);
    await channel({ mailboxes: [sendingMailbox(support), sendingMailbox(sam)].reverse() })(
      sampleNotification(),
    );
    expect(await mail.received(inbox, 'is not fetched')).toMatch(/^From: Postroom <sam@contoso\.example>/m);
    expect(asked).toEqual([`account of ${sam}`]);
  });

  test('tries the next mailbox if a server refuses, and records that', async () => {
    const skin = await startExchangeSkin({
      protocol: 'smtp',
      target: mail.server().smtp,
      tls: mail.lab().options.tls,
    });
    onTestFinished(() => skin.stop());
    skin.faults.push(faults.smtpAuthDisabled());
    const inbox = await mail.emptyInbox(sales);
    const first = sendingMailbox(sam, { port: skin.port, host: skin.host });
    const about = sampleNotification({ finding: silent('nobody', { headline: 'Something else.' }) });
    await channel({ mailboxes: [first, sendingMailbox(support)] })(about);
    expect(await mail.received(inbox, 'Something else')).toMatch(
      /^From: Postroom <support@contoso\.example>/m,
    );
    expect(seen.map(({ mailbox, refusal }) => [mailbox.address, refusal?.permanent])).toEqual([
      [sam, true],
      [support, undefined],
    ]);
  });

  test('fails if no route accepts it, with the reason and without the relay’s password', async () => {
    const failed = channel({ relay: 'smtps://user:hidden-word@127.0.0.1:1' })(sampleNotification());
    await expect(failed).rejects.toMatchObject({ code: 'alert-not-mailed' });
    const said = String(await failed.catch((error: unknown) => error));
    expect(said).toContain('no mailbox can send');
    expect(said).not.toContain('hidden-word');
  });

  test('is the same email at every attempt: one Message-ID per event, one conversation per alert', async () => {
    const inbox = await mail.emptyInbox(sales);
    const send = channel({ mailboxes: [sendingMailbox(sam)] });
    await send(sampleNotification());
    await send(sampleNotification({ id: '1-a-closed', what: 'closed' }));
    const [opened, closed] = await Promise.all([
      mail.received(inbox, '[Postroom] support'),
      mail.received(inbox, 'Resolved: support'),
    ]);
    const header = (source: string, name: string): string | undefined =>
      new RegExp(`^${name}: (<[^>]+>)`, 'im').exec(source)?.[1];
    expect(header(opened, 'Message-ID')).not.toBe(header(closed, 'Message-ID'));
    expect(header(opened, 'References')).toBe(header(closed, 'References'));
    expect(header(opened, 'References')).toBeDefined();
  });
});

test('the mailbox that sent the last one is tried before failed ones, however many failed', async () => {
  const dead = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
    sendingMailbox(`${name}@contoso.example`, { port: 1 }),
  );
  const send = channel({ mailboxes: [...dead, sendingMailbox(sam)] });
  const inbox = await mail.emptyInbox(sales);
  await expect(send(sampleNotification({ id: '1-a-1' }))).rejects.toMatchObject({ code: 'alert-not-mailed' });
  expect(asked).toHaveLength(5);
  await send(sampleNotification({ id: '1-a-1' }));
  await mail.received(inbox, 'is not fetched');
  asked = [];
  await send(sampleNotification({ id: '1-a-2', what: 'repeated' }));
  expect(asked).toEqual([`account of ${sam}`]);
});

test('a sender that is allowed again is confirmed by the alert’s reminder, sent from that address', async () => {
  const inbox = await mail.emptyInbox(sales);
  const notAllowed = silent(support.split('@')[0], {
    kind: 'smtp-refused',
    code: codeFrom('smtp-send-as-denied'),
  });
  const send = channel({ mailboxes: [sendingMailbox(support), sendingMailbox(sam)] });
  await send(sampleNotification({ finding: notAllowed }));
  await send(sampleNotification({ id: '1-a-2', what: 'repeated', finding: notAllowed }));
  await mail.received(inbox, 'Still active: ');
  expect(seen.map(({ mailbox, refusal }) => [mailbox.address, refusal])).toEqual([
    [sam, undefined],
    [support, undefined],
  ]);
});

test('a sender that the relay allows again is confirmed the same way', async () => {
  const inbox = await mail.emptyInbox(sales);
  const { host, port } = mail.server().drop;
  const notAllowed = silent(support.split('@')[0], {
    kind: 'smtp-refused',
    code: codeFrom('smtp-send-as-denied'),
  });
  const overRelay: Mailbox = { ...sendingMailbox(support), sending: { protocol: 'relay' } };
  const send = channel({ relay: `smtp://${host}:${port}`, mailboxes: [overRelay] });
  await send(sampleNotification({ id: '1-a-2', what: 'repeated', finding: notAllowed }));
  expect(await mail.received(inbox, 'Still active: ')).toContain(`From: Postroom <${support}>`);
  expect(seen.map(({ mailbox, refusal }) => [mailbox.address, refusal])).toEqual([[support, undefined]]);
});

test('a mailbox that sends over the relay is no further way beside it', async () => {
  const overRelay: Mailbox = { ...sendingMailbox(support), sending: { protocol: 'relay' } };
  await expect(channel({ mailboxes: [overRelay] })(sampleNotification())).rejects.toMatchObject({
    code: 'alert-not-mailed',
    message: 'there is no relay; no mailbox can send',
  });
});

test('an email that was sent counts as delivered, even if the result cannot be recorded', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  const inbox = await mail.emptyInbox(sales);
  await channel({
    mailboxes: [sendingMailbox(sam)],
    seen: () => Promise.reject(new PostroomError('table-storage', 'away')),
  })(sampleNotification());
  await mail.received(inbox, 'is not fetched');
  expect(warned).toHaveBeenCalledOnce();
});

test('mailboxes that the alert is about, by account, provider or server, come last; those that cannot send are never used', () => {
  const box = (id: string, sending: Partial<NonNullable<Mailbox['sending']>>): Mailbox => ({
    ...mailboxOf({ kind: 'mark-seen' }),
    id,
    address: `${id}@contoso.example`,
    sending: { host: 'smtp.example', port: 587, providerId: 'p1', accountId: id, ...sending },
  });
  const all = [
    box('a', { accountId: 'dead' }),
    box('b', { providerId: 'p2' }),
    { ...box('c', {}), sending: undefined },
  ];
  const order = (kind: 'account' | 'provider', id: string): string[] =>
    routesFor(all, { about: silent('x', { subject: { kind, id, name: id } }) }).map(
      ({ mailbox }) => mailbox.id,
    );
  expect(order('account', 'dead')).toEqual(['b', 'a']);
  expect(order('provider', 'p2')).toEqual(['a', 'b']);
});
