import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ExchangeSkin, startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { type Fault, faults } from '../../dev/emulators/mail/exchange-texts.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { info, sales, sam, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';
import { account, letter, relayAt, senderWith, tokensOf } from './sending.ts';

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Postfix', 'debian'],
];

describe.each(kinds)('an email over %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: sending over Postfix, which is not here.');
  describe.skipIf(!here)('of our own', () => {
    const mail = useMailServer(kind);
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    const route = (connectRequest: { user?: string; host?: string; port?: number } = {}): SendingRoute => ({
      kind: 'mailbox',
      ...mail.server().smtp,
      user: support,
      account,
      ...connectRequest,
    });
    const skinned = async (...planned: Fault[]): Promise<ExchangeSkin> => {
      const skin = await startExchangeSkin({
        protocol: 'smtp',
        target: mail.server().smtp,
        tls: mail.lab().options.tls,
      });
      skin.faults.push(...planned);
      onTestFinished(() => skin.stop());
      return skin;
    };

    test('is sent with a token, arrives as it was written, and passes the seam', async () => {
      const inbox = await mail.emptyInbox(sales);
      const points: string[] = [];
      const seam: Seam = {
        ...openSeam,
        call: (point, effect) => {
          points.push(point);
          return effect();
        },
      };
      const sender = senderWith(tokensOf(await mail.lab().token(support)), seam);
      const result = await sender.send(route(), letter({ subject: 'from the outbox' }));
      expect(result).toMatchObject({ kind: 'sent', refusedRecipients: [] });
      expect(result.kind === 'sent' && result.answer).toMatch(/^250 /);
      expect(points).toEqual(['smtp.connect', 'smtp.sign-in', 'smtp.send']);
      const source = await mail.received(inbox, 'from the outbox');
      expect(source).toContain('\r\n.a line with a dot\r\n');
      expect(source).toMatch(/^Message-ID: <outbox-1@postroom\.example>/im);
      expect(source).toMatch(/^Auto-Submitted: auto-replied/m);
      expect(source).toMatch(/^From: =\?UTF-8\?.* <support@contoso\.example>/m);
    });

    test('is sent as a shared mailbox with the token of a permitted user', async () => {
      const sender = senderWith(tokensOf(await mail.lab().token(sam)));
      const result = await sender.send(route({ user: info }), letter({ from: { address: info } }));
      expect(result).toMatchObject({ kind: 'sent' });
    });

    test('is sent with a fresh token if the first one is refused, and refused if both are', async () => {
      const dead = await mail.lab().token(support, { lifetime: -60 });
      const tokens = tokensOf(dead, await mail.lab().token(support));
      expect(await senderWith(tokens).send(route(), letter())).toMatchObject({ kind: 'sent' });
      expect(tokens.asked).toEqual([{}, { rejected: dead }]);

      const refused = await senderWith(tokensOf(dead)).send(route(), letter());
      expect(refused).toMatchObject({ kind: 'refused', code: 'smtp-token-refused', permanent: true });
      expect(JSON.stringify(refused)).not.toContain(dead.slice(0, 40));
    });

    test('is sent with the username of the signed-in user if the server requires that for a shared mailbox', async () => {
      const names: string[] = [];
      const wantsUser: Fault = {
        kind: 'answer',
        protocol: 'smtp',
        times: 100,
        when: (line) => {
          const sasl = /^AUTH XOAUTH2 (\S+)/i.exec(line)?.[1];
          if (sasl === undefined) return false;
          const name = /^user=([^\p{Cc}]*)/u.exec(Buffer.from(sasl, 'base64').toString())?.[1] ?? '';
          names.push(name);
          return name !== sam;
        },
        answer: () => '535 5.7.3 Authentication unsuccessful',
      };
      const skin = await skinned(wantsUser);
      const token = new Secret(await mail.lab().token(sam));
      const sender = senderWith({ get: () => Promise.resolve({ kind: 'token', token, user: sam }) });
      expect(await sender.signIn(route({ ...skin, user: info }))).toMatchObject({ kind: 'accepted' });
      expect(names).toEqual([info, info, sam]);
      await sender.signIn(route({ ...skin, user: info }));
      expect(names.slice(3), 'and remembers it').toEqual([sam]);
    });

    test('is refused with the server’s own line for an unknown recipient, and sent to the others', async () => {
      const sender = senderWith(tokensOf(await mail.lab().token(support)));
      const nobody = 'nobody@contoso.example';
      expect(await sender.send(route(), letter({ to: [nobody] }))).toMatchObject({
        kind: 'refused',
        code: 'smtp-recipient-unknown',
        permanent: true,
        reason: expect.stringMatching(/^550 5\.1\.1/),
      });
      expect(await sender.send(route(), letter({ to: [nobody, sales] }))).toMatchObject({
        kind: 'sent',
        refusedRecipients: [{ address: nobody, line: expect.stringMatching(/^550/) }],
      });
    });

    test('is refused with a different sender', async () => {
      const skin = await skinned();
      const sender = senderWith(tokensOf(await mail.lab().token(support)));
      const result = await sender.send(route(skin), letter({ from: { address: sales } }));
      expect(result).toMatchObject({ kind: 'refused', code: 'smtp-send-as-denied', permanent: true });
    });

    test('uses no fresh token if the tenant has disabled sending', async () => {
      const skin = await skinned(faults.smtpAuthDisabled());
      const tokens = tokensOf(await mail.lab().token(support));
      expect(await senderWith(tokens).send(route(skin), letter())).toMatchObject({
        kind: 'refused',
        code: 'smtp-auth-disabled-tenant',
        permanent: true,
        retryAt: undefined,
      });
      expect(tokens.asked).toHaveLength(1);
    });

    test('has a retry time if too many connections send', async () => {
      const skin = await skinned(faults.smtpRate());
      const now = Date.parse('2026-11-24T08:00:00.000Z');
      const sender = senderWith(tokensOf(await mail.lab().token(support)), { ...openSeam, now: () => now });
      expect(await sender.send(route(skin), letter())).toMatchObject({
        kind: 'refused',
        code: 'smtp-concurrent-connections',
        permanent: false,
        retryAt: '2026-11-24T08:01:00.000Z',
      });
    });

    test('only signs in if that is all that is requested', async () => {
      const inbox = await mail.emptyInbox(sales);
      const good = senderWith(tokensOf(await mail.lab().token(support)));
      expect(await good.signIn(route())).toMatchObject({
        kind: 'accepted',
        answer: expect.stringMatching(/^235/),
      });
      const bad = senderWith(tokensOf('not-a-token'));
      expect(await bad.signIn(route())).toMatchObject({ kind: 'refused', code: 'smtp-token-refused' });
      await inbox.noop();
      expect(await inbox.search({ all: true })).toEqual([]);
    });

    test('is sent through a relay on this machine, without a sign-in', async () => {
      const inbox = await mail.emptyInbox(sales);
      const { host, port } = mail.server().drop;
      const sender = relayAt(`smtp://${host}:${port}`);
      expect(await sender.send({ kind: 'relay' }, letter({ subject: 'over the relay' }))).toMatchObject({
        kind: 'sent',
      });
      expect(await mail.received(inbox, 'over the relay')).toContain('Auto-Submitted');
    });

    test('never sends a password to a server without TLS', async () => {
      const { host, port } = mail.server().drop;
      const sender = relayAt(`smtp://relay:canary-password@${host}:${port}`);
      const sending = sender.send({ kind: 'relay' }, letter());
      await expect(sending).rejects.toMatchObject({ code: 'smtp-tls' });
    });
  });
});
