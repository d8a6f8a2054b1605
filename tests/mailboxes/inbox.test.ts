import { createServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ExchangeSkin, startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { type Fault, faults } from '../../dev/emulators/mail/exchange-texts.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { InboxAddress, InboxFailure } from '../../shared/mailboxes/inbox.ts';
import { openImapInbox } from '../../shared/mailboxes/open-imap-inbox.ts';
import { openPop3Inbox } from '../../shared/mailboxes/pop3-inbox.ts';
import { uidSets } from '../../shared/mailboxes/uid-sets.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { openMemoryMaildrop } from '../harness/memory/memory-maildrop.ts';
import { info, sales, sam, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';
import { describeInbox, pop3Traits } from './inbox-contract.ts';

const locally = { local: true };

describe('an inbox in memory', () => {
  const folder = new MemoryFolder();
  describeInbox({
    async fill(raws) {
      folder.mails = [];
      for (const raw of raws) folder.deliver(raw, new Date().toISOString());
    },
    open: () => openMemoryInbox(folder, openSeam),
  });

  test('has other email under the same UIDs after it was renumbered', async () => {
    const own = new MemoryFolder();
    for (const text of ['a', 'b', 'c']) own.deliver(Buffer.from(text), '2026-11-24T10:00:00.000Z');
    const inbox = await openMemoryInbox(own, openSeam);
    own.renumber();
    expect(await inbox.currentValidity()).not.toBe(inbox.validity);
    expect(own.mails.map(({ uid, raw }) => [uid, String(raw)])).toEqual([
      [1, 'c'],
      [2, 'b'],
      [3, 'a'],
    ]);
  });
});

describe('a maildrop in memory', () => {
  const folder = new MemoryFolder();
  describeInbox({
    async fill(raws) {
      folder.mails = [];
      for (const raw of raws) folder.deliver(raw, new Date().toISOString());
    },
    open: () => openMemoryMaildrop(folder, openSeam),
    protocol: pop3Traits,
  });
});

const kinds: [string, MailServerKind][] = [
  ['on the mail server without installation', 'npm'],
  ['on Dovecot', 'debian'],
];

describe.each(kinds)('a maildrop over POP3 %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: the maildrop over POP3 on Dovecot, which is not here.');
  describe.skipIf(!here)('of our own', () => {
    const mail = useMailServer(kind);
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    describeInbox({
      async fill(raws) {
        const client = await mail.emptyInbox(support);
        await client.logout();
        if (raws.length > 0) await mail.server().deliverMany(support, raws);
      },
      async open() {
        const accessToken = new Secret(await mail.lab().token(support));
        const address = { ...mail.server().pop3, folder: 'INBOX', user: support, accessToken };
        return openPop3Inbox(address, openSeam, locally);
      },
      protocol: pop3Traits,
    });
  });
});

describe.each(kinds)('an inbox over IMAP %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: the inbox over IMAP on Dovecot, which is not here.');
  describe.skipIf(!here)('of our own', () => {
    const mail = useMailServer(kind);
    const addressOf = async (
      connectRequest: Partial<InboxAddress> = {},
      upn = support,
    ): Promise<InboxAddress> => ({
      ...mail.server().imap,
      folder: 'INBOX',
      user: support,
      accessToken: new Secret(await mail.lab().token(upn)),
      ...connectRequest,
    });
    // The counterpart of NODE_EXTRA_CA_CERTS for a separate process.
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    describeInbox({
      async fill(raws) {
        const client = await mail.emptyInbox(support);
        await client.logout();
        if (raws.length > 0) await mail.server().deliverMany(support, raws);
      },
      open: async () => openImapInbox(await addressOf(), openSeam, locally),
    });

    test('moves into the given folder', async () => {
      const client = await mail.emptyInbox(sales);
      await mail.server().deliver(sales, Buffer.from('Subject: to be moved\r\n\r\nx\r\n'));
      const accessToken = new Secret(await mail.lab().token(sales));
      const inbox = await openImapInbox(await addressOf({ user: sales, accessToken }), openSeam, locally);
      await inbox.move((await inbox.list({})).refs, 'Archive');
      await inbox.close();
      await client.mailboxOpen('Archive');
      expect(await client.search({ subject: 'to be moved' })).toEqual([1]);
    });

    test('opens a shared mailbox with the token of a permitted user', async () => {
      const inbox = await openImapInbox(await addressOf({ user: info }, sam), openSeam, locally);
      expect(inbox.total).toBe(0);
      await inbox.close();
    });

    test('makes every call through the seam, under its own name', async () => {
      const points: string[] = [];
      const seam: Seam = {
        ...openSeam,
        call: (point, effect) => {
          points.push(point);
          return effect();
        },
      };
      await mail.emptyInbox(support);
      await mail.server().deliver(support, Buffer.from('Subject: x\r\n\r\nx\r\n'));
      const inbox = await openImapInbox(await addressOf(), seam, locally);
      const { refs } = await inbox.list({});
      await inbox.fetchMeta(refs);
      await inbox.fetchRaw(refs, () => {});
      await inbox.fetchHead(refs[0] ?? uidRef(0), 5);
      await inbox.currentValidity();
      await inbox.markSeen(refs);
      await inbox.remove(refs);
      await inbox.close();
      const reading = ['search', 'facts', 'sources', 'part', 'status'];
      const called = ['connect', 'status', 'select', ...reading, 'store', 'delete', 'logout'];
      expect(points).toEqual(called.map((name) => `imap.${name}`));
    });

    describe('fails', () => {
      const skinned = async (): Promise<ExchangeSkin> => {
        const skin = await startExchangeSkin({
          protocol: 'imap',
          target: mail.server().imap,
          tls: mail.lab().options.tls,
        });
        onTestFinished(() => skin.stop());
        return skin;
      };
      const failing = async (address: Promise<InboxAddress>): Promise<unknown> => {
        try {
          await (await openImapInbox(await address, openSeam, locally)).close();
          return 'opened';
        } catch (error) {
          return error;
        }
      };

      test('as `token-refused` with an invalid token, and does not show it', async () => {
        const error = await failing(addressOf({ accessToken: new Secret('not-a-token-at-all') }));
        expect(error).toMatchObject({ code: 'imap-token-refused', failure: 'token-refused' });
        expect(String(error)).not.toContain('not-a-token-at-all');
      });

      test.each<[InboxFailure, string, () => Fault]>([
        ['no-access', 'the user may not open the mailbox', () => faults.notConnected()],
        ['unavailable', 'too much was asked', () => faults.imapThrottle(10)],
        ['unavailable', 'the server is not available', () => faults.unavailable()],
        ['unavailable', 'the server says good-bye', () => faults.imapBye()],
      ])('as `%s` if %s, in the words of Exchange Online', async (failure, _why, fault) => {
        const skin = await skinned();
        skin.faults.push(fault());
        expect(await failing(addressOf({ host: skin.host, port: skin.port }))).toMatchObject({ failure });
        expect(await failing(addressOf({ host: skin.host, port: skin.port })), 'and opens afterwards').toBe(
          'opened',
        );
      });

      test('as `unavailable` at once if the server asks for a long pause, and says how long', async () => {
        const skin = await skinned();
        skin.faults.push(faults.imapThrottle(92_415, 100));
        const began = performance.now();
        expect(await failing(addressOf({ host: skin.host, port: skin.port }))).toMatchObject({
          failure: 'unavailable',
          retryAfterMs: 92_415,
          said: expect.stringContaining('Request is throttled'),
        });
        expect(performance.now() - began, 'without waiting for it').toBeLessThan(5_000);
      });

      test('as `unavailable` when the connection breaks in the middle of an email, which is not returned', async () => {
        const skin = await skinned();
        await (await mail.emptyInbox(support)).logout();
        const short = Buffer.from('Subject: short\r\n\r\nx\r\n');
        const long = Buffer.from(`Subject: long\r\n\r\n${'y'.repeat(200_000)}\r\n`);
        await mail.server().deliverMany(support, [short, long]);
        const inbox = await openImapInbox(
          await addressOf({ host: skin.host, port: skin.port }),
          openSeam,
          locally,
        );
        const { refs } = await inbox.list({});
        skin.faults.push(faults.cutAfter(50_000));
        const got: string[] = [];
        const broken = inbox.fetchRaw(refs, (_ref, raw) => got.push(Buffer.from(raw).toString()));
        await expect(broken).rejects.toMatchObject({ failure: 'unavailable' });
        expect(got).toEqual([short.toString()]);
        await inbox.close();
      });

      test('as `folder-missing` if there is no such folder', async () => {
        expect(await failing(addressOf({ folder: 'No such folder' }))).toMatchObject({
          failure: 'folder-missing',
        });
      });

      test('as `unavailable` if nothing listens', async () => {
        const server = createServer().listen(0, '127.0.0.1');
        await new Promise((resolve) => server.once('listening', resolve));
        const bound = server.address();
        const port = typeof bound === 'object' && bound !== null ? bound.port : 1;
        await new Promise((resolve) => server.close(resolve));
        expect(await failing(addressOf({ host: '127.0.0.1', port }))).toMatchObject({
          failure: 'unavailable',
        });
      });
    });
  });
});

test.each(['localhost', '127.0.0.1', 'mail.corp'])(
  'a mailbox at %s is not contacted from Azure',
  async (host) => {
    const opening = openImapInbox(
      { host, port: 993, folder: 'INBOX', user: support, accessToken: new Secret('t') },
      openSeam,
      { local: false },
    );
    await expect(opening).rejects.toMatchObject({ failure: 'unavailable' });
  },
);

test.each<[string, number[], string[]]>([
  ['one', [7], ['7']],
  ['neighbours', [1, 2, 3], ['1:3']],
  ['in any order', [9, 2, 1, 3, 7], ['1:3,7,9']],
  ['none', [], []],
])('a set of UIDs is written in its shortest form: %s', (_what, uids, said) => {
  expect(uidSets(uids)).toEqual(said);
});

test('UIDs that fill more than a command line are split into several sets', () => {
  const uids = Array.from({ length: 3000 }, (_, index) => 4_294_900_000 + 2 * index);
  const sets = uidSets(uids);
  for (const set of sets) expect(set.length).toBeLessThanOrEqual(4000);
  expect(sets.flatMap((set) => set.split(',').map(Number))).toEqual(uids);
  expect(sets.length).toBeLessThan(10);
  expect(uidSets([1, 3, 5], 3)).toEqual(['1,3', '5']);
  expect(uidSets([1, 3, 5], 2)).toEqual(['1', '3', '5']);
});
